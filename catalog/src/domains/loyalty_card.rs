//! `loyalty_card`: a loyalty card number; spaces and hyphens are for the eye only.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const LOYALTY_CARD: SemanticDomain = SemanticDomain {
    name: domain::LOYALTY_CARD.name,
    oid: 12004,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::CustomerRelation,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: domain::LOYALTY_CARD.validate,
    normalize: domain::LOYALTY_CARD.normalize,
    comment: "loyalty card number; identifies",
};
