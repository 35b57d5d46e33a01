//! `siren`: a French company number, nine digits with a Luhn check (Code de commerce R123-221).

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const SIREN: SemanticDomain = SemanticDomain {
    name: domain::SIREN.name,
    oid: 12006,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: domain::SIREN.validate,
    normalize: domain::SIREN.normalize,
    comment: "French company number (SIREN); identifies a company",
};
