//! `customer_key`: the key under which another system knows a person. Base of a user's own
//! identifier
//! domains: `CREATE DOMAIN crm_id AS customer_key`.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const CUSTOMER_KEY: SemanticDomain = SemanticDomain {
    name: domain::CUSTOMER_KEY.name,
    oid: 12003,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::CustomerRelation,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate: domain::CUSTOMER_KEY.validate,
    normalize: domain::CUSTOMER_KEY.normalize,
    comment: "key of a person in another system; identifies",
};
