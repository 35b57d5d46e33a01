//! `loyalty_card`: a loyalty card number; spaces and hyphens are for the eye only.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const LOYALTY_CARD: SemanticDomain = SemanticDomain {
    name: "loyalty_card",
    oid: 12004,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::CustomerRelation,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: text::key,
    normalize: text::compact,
    comment: "loyalty card number; identifies",
};
