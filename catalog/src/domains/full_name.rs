//! `full_name`: the whole name in one column.

use clientele_identity::text::domain;
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const FULL_NAME: SemanticDomain = SemanticDomain {
    name: domain::FULL_NAME.name,
    oid: 12022,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Null,
    comparator: Comparator::PersonName,
    validate: domain::FULL_NAME.validate,
    normalize: domain::FULL_NAME.normalize,
    comment: "full name of a person",
};
