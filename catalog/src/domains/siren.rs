//! `siren`: a French company number, nine digits with a Luhn check (Code de commerce R123-221).

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const SIREN: SemanticDomain = SemanticDomain {
    name: "siren",
    oid: 12006,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate,
    normalize: text::compact,
    comment: "French company number (SIREN); identifies a company",
};

fn validate(value: &str) -> Result<(), String> {
    let digits = text::grouped_digits(value)?;
    if digits.len() != 9 {
        return Err(format!("it has {} digits, not 9", digits.len()));
    }
    if text::luhn(&digits) { Ok(()) } else { Err("its check digit is wrong".to_owned()) }
}
