//! `family_name`: surname, maiden name.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const FAMILY_NAME: SemanticDomain = SemanticDomain {
    name: "family_name",
    oid: 12021,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Null,
    comparator: Comparator::PersonName,
    validate,
    normalize: text::folded,
    comment: "family name of a person",
};

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 100)
}
