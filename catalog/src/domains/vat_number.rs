//! `vat_number`: a value added tax number with its country prefix. Formats: European Commission,
//! VIES "VAT number format"; United Kingdom, Switzerland and Norway beside.

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const VAT_NUMBER: SemanticDomain = SemanticDomain {
    name: "vat_number",
    oid: 12008,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Company),
    category: Category::Company,
    masking: Masking::Pseudonym,
    comparator: Comparator::Exact,
    validate,
    normalize,
    comment: "value added tax number; identifies a company",
};

/// Formats after the prefix: `9` a digit, `A` a letter, `*` either, other signs themselves.
const FORMATS: [(&str, &[&str]); 32] = [
    ("AT", &["U99999999"]),
    ("BE", &["9999999999", "999999999"]),
    ("BG", &["999999999", "9999999999"]),
    ("CHE", &["999999999", "999999999MWST", "999999999TVA", "999999999IVA"]),
    ("CY", &["99999999A"]),
    ("CZ", &["99999999", "999999999", "9999999999"]),
    ("DE", &["999999999"]),
    ("DK", &["99999999"]),
    ("EE", &["999999999"]),
    ("EL", &["999999999"]),
    ("ES", &["A9999999A", "A99999999", "99999999A"]),
    ("FI", &["99999999"]),
    ("FR", &["**999999999"]),
    ("GB", &["999999999", "999999999999", "GD999", "HA999"]),
    ("GR", &["999999999"]),
    ("HR", &["99999999999"]),
    ("HU", &["99999999"]),
    ("IE", &["9*99999A", "9999999AA"]),
    ("IT", &["99999999999"]),
    ("LT", &["999999999", "999999999999"]),
    ("LU", &["99999999"]),
    ("LV", &["99999999999"]),
    ("MT", &["99999999"]),
    ("NL", &["************"]),
    ("NO", &["999999999", "999999999MVA"]),
    ("PL", &["9999999999"]),
    ("PT", &["999999999"]),
    (
        "RO",
        &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"],
    ),
    ("SE", &["999999999999"]),
    ("SI", &["99999999"]),
    ("SK", &["9999999999"]),
    ("XI", &["999999999", "999999999999", "GD999", "HA999"]),
];

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 30)?;
    let number = text::compact(value).unwrap_or_default();
    let country = FORMATS.iter().find(|(prefix, _)| number.starts_with(prefix));
    let (prefix, formats) = country.ok_or("it begins with no known country prefix")?;
    let rest = number.strip_prefix(prefix).unwrap_or_default();
    match formats.iter().any(|format| fits(rest, format)) {
        true => Ok(()),
        false => Err(format!("it has not the form of a number of {prefix}")),
    }
}

fn fits(number: &str, format: &str) -> bool {
    let letter_fits = |(letter, wanted): (char, char)| match wanted {
        '9' => letter.is_ascii_digit(),
        'A' => letter.is_ascii_uppercase(),
        '*' => letter.is_ascii_alphanumeric(),
        sign => letter == sign,
    };
    number.len() == format.len() && number.chars().zip(format.chars()).all(letter_fits)
}

/// Without separators; Greece under `EL`, as the VAT directive has it.
fn normalize(value: &str) -> Option<String> {
    let number = text::compact(value)?;
    Some(number.strip_prefix("GR").map(|rest| format!("EL{rest}")).unwrap_or(number))
}
