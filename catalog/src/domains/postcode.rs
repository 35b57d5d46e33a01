//! `postcode`: a postal code of any country (UPU S42: at most 10 signs; files add a country
//! prefix).

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const POSTCODE: SemanticDomain = SemanticDomain {
    name: "postcode",
    oid: 12026,
    base: PgType::TEXT,
    kind: Kind::Attribute,
    category: Category::Location,
    masking: Masking::FirstCharacters(2),
    comparator: Comparator::Prefix,
    validate,
    normalize: text::compact,
    comment: "postal code",
};

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 16)?;
    match value.chars().find(|letter| !letter.is_alphanumeric() && !" -.".contains(*letter)) {
        Some(letter) => Err(format!("it contains {letter:?}")),
        None => Ok(()),
    }
}
