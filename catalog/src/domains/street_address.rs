//! `street_address`: house, street, further lines; line feeds are part of postal addresses.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const STREET_ADDRESS: SemanticDomain = SemanticDomain {
    name: "street_address",
    oid: 12025,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::Null,
    comparator: Comparator::Tokens,
    validate,
    normalize: text::folded,
    comment: "street and house number",
};

fn validate(value: &str) -> Result<(), String> {
    text::one_line(&value.replace(['\r', '\n', '\t'], " "), 500)
}
