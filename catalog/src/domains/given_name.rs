//! `given_name`: first names.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const GIVEN_NAME: SemanticDomain = SemanticDomain {
    name: "given_name",
    oid: 12020,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Null,
    comparator: Comparator::PersonName,
    validate,
    normalize: text::folded,
    comment: "given name of a person",
};

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 100)
}
