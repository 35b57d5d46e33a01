//! `company_key`: the key under which another system knows a company.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const COMPANY_KEY: SemanticDomain = SemanticDomain {
    name: "company_key",
    oid: 12005,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: text::key,
    normalize: text::trimmed,
    comment: "key of a company in another system; identifies a company",
};
