//! `customer_key`: the key under which another system knows a person. Base of a user's own
//! identifier
//! domains: `CREATE DOMAIN crm_id AS customer_key`.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const CUSTOMER_KEY: SemanticDomain = SemanticDomain {
    name: "customer_key",
    oid: 12003,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::CustomerRelation,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: text::key,
    normalize: text::trimmed,
    comment: "key of a person in another system; identifies",
};
