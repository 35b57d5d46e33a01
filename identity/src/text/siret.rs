//! `siret`: a French establishment number: a SIREN and five digits, with a Luhn check over all.

use super::checks;

/// La Poste ran out of numbers under its SIREN: its sites pass when the digit sum divides by five.
const LA_POSTE: &str = "356000000";

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    let digits = checks::grouped_digits(value)?;
    if digits.len() != 14 {
        return Err(format!("it has {} digits, not 14", digits.len()));
    }
    let digit_sum = || digits.bytes().map(|byte| u32::from(byte - b'0')).sum::<u32>();
    let la_poste = digits.starts_with(LA_POSTE) && digit_sum() % 5 == 0;
    if la_poste || checks::luhn(&digits) {
        Ok(())
    } else {
        Err("its check digit is wrong".to_owned())
    }
}
