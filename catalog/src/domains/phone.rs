//! `phone`: a telephone number as people write it. Numbers come without country more often than
//! with one, so any plausible number is accepted (ITU-T E.164 allows 15 digits).

use clientele_udfs::types::PgType;

use super::text;
use super::{Category, Comparator, Kind, Masking, SemanticDomain, Subject};

pub(crate) const PHONE: SemanticDomain = SemanticDomain {
    name: "phone",
    oid: 12001,
    base: PgType::TEXT,
    kind: Kind::Identifier(Subject::Person),
    category: Category::Contact,
    masking: Masking::Pseudonym,
    comparator: Comparator::Digits,
    validate,
    normalize,
    comment: "telephone number of a person; identifies",
};

const DIGITS_MIN: usize = 3;
const DIGITS_MAX: usize = 20;

fn validate(value: &str) -> Result<(), String> {
    text::one_line(value, 50)?;
    let number = without_extension(value);
    if let Some(letter) = number.chars().find(|letter| !is_phone_letter(*letter)) {
        return Err(format!("it contains {letter:?}"));
    }
    match number.chars().filter(char::is_ascii_digit).count() {
        DIGITS_MIN..=DIGITS_MAX => Ok(()),
        count => Err(format!("it has {count} digits")),
    }
}

fn is_phone_letter(letter: char) -> bool {
    letter.is_ascii_digit()
        || letter.is_whitespace()
        || "+()-./\u{2010}\u{2011}\u{2013}".contains(letter)
}

/// Cuts `ext. 12`, `x12` and `#12`, which reach a desk, not another person's line.
fn without_extension(value: &str) -> &str {
    value
        .find(['e', 'E', 'x', 'X', '#'])
        .map_or(value, |at| value.get(..at).unwrap_or(value))
        .trim()
}

/// Digits, with `+` in front where the country is given: `00 33 (0)6 12` → `+33612`.
fn normalize(value: &str) -> Option<String> {
    let number = without_extension(value);
    let international = number.starts_with('+') || number.starts_with("00");
    let number = if international { number.replace("(0)", "") } else { number.to_owned() };
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("00").filter(|_| international) {
        Some(rest) => text::some(rest.to_owned()).map(|rest| format!("+{rest}")),
        None if international => text::some(digits).map(|digits| format!("+{digits}")),
        None => text::some(digits),
    }
}
