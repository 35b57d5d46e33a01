//! `city`: the name of a town.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const CITY: SemanticDomain = SemanticDomain {
    name: "city",
    oid: 12027,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::Null,
    comparator: Comparator::Tokens,
    validate,
    normalize: text::folded,
    comment: "town",
};

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 120)
}
