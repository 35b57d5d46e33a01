//! `siret`: a French establishment number: a SIREN and five digits, with a Luhn check over all.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const SIRET: SemanticDomain = SemanticDomain {
    name: domain::SIRET.name,
    oid: 12007,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: domain::SIRET.validate,
    normalize: domain::SIRET.normalize,
    comment: "French establishment number (SIRET); identifies a site of a company",
};
