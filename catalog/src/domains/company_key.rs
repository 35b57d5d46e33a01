//! `company_key`: the key under which another system knows a company.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const COMPANY_KEY: SemanticDomain = SemanticDomain {
    name: domain::COMPANY_KEY.name,
    oid: 12005,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: domain::COMPANY_KEY.validate,
    normalize: domain::COMPANY_KEY.normalize,
    comment: "key of a company in another system; identifies a company",
};
