//! `full_name`: the whole name in one column.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const FULL_NAME: SemanticDomain = SemanticDomain {
    name: "full_name",
    oid: 12022,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Null,
    comparator: Comparator::PersonName,
    validate,
    normalize: text::folded,
    comment: "full name of a person",
};

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 200)
}
