//! `siren`: a French company number, nine digits with a Luhn check (Code de commerce R123-221).

use super::checks;

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    let digits = checks::grouped_digits(value)?;
    if digits.len() != 9 {
        return Err(format!("it has {} digits, not 9", digits.len()));
    }
    if checks::luhn(&digits) { Ok(()) } else { Err("its check digit is wrong".to_owned()) }
}
