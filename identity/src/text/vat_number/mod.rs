//! `vat_number`: a value added tax number with its country prefix. Formats: European Commission,
//! VIES "VAT number format"; United Kingdom, Switzerland and Norway beside. Check digits as the
//! countries publish them.

mod check;

use super::{checks, fold};
use check::Check;

/// The numbers of a country.
struct Country {
    /// Prefix of the numbers.
    prefix: &'static str,
    /// Forms after the prefix: `9` a digit, `A` a letter, `*` either.
    forms: &'static [&'static str],
    /// Whether the check digits of a number of one of the forms are right.
    check: Check,
}

const fn country(prefix: &'static str, forms: &'static [&'static str], check: Check) -> Country {
    Country { prefix, forms, check }
}

const COUNTRIES: [Country; 31] = [
    country("AT", &["U99999999"], check::austria),
    country("BE", &["9999999999"], check::belgium),
    country("BG", &["999999999", "9999999999"], check::bulgaria),
    country("CHE", &["999999999"], check::switzerland),
    country("CY", &["99999999A"], check::cyprus),
    country("CZ", &["99999999", "999999999", "9999999999"], check::czechia),
    country("DE", &["999999999"], check::germany),
    country("DK", &["99999999"], check::denmark),
    country("EE", &["999999999"], check::estonia),
    country("EL", &["999999999"], check::greece),
    country("ES", &["A9999999A", "A99999999", "99999999A"], check::spain),
    country("FI", &["99999999"], check::finland),
    country("FR", &["**999999999"], check::france),
    country("GB", &["999999999", "999999999999", "GD999", "HA999"], check::united_kingdom),
    country("HR", &["99999999999"], check::croatia),
    country("HU", &["99999999"], check::hungary),
    country("IE", &["9*99999A", "9999999AA"], check::ireland),
    country("IT", &["99999999999"], check::italy),
    country("LT", &["999999999", "999999999999"], check::lithuania),
    country("LU", &["99999999"], check::luxembourg),
    country("LV", &["99999999999"], check::latvia),
    country("MT", &["99999999"], check::malta),
    country("NL", &["999999999B99"], check::netherlands),
    country("NO", &["999999999"], check::norway),
    country("PL", &["9999999999"], check::poland),
    country("PT", &["999999999"], check::portugal),
    country(
        "RO",
        &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"],
        check::romania,
    ),
    country("SE", &["999999999999"], check::sweden),
    country("SI", &["99999999"], check::slovenia),
    country("SK", &["9999999999"], check::slovakia),
    country("XI", &["999999999", "999999999999", "GD999", "HA999"], check::united_kingdom),
];

/// Words behind Swiss and Norwegian numbers that say "VAT".
const SUFFIXES: [(&str, &[&str]); 2] = [("CHE", &["MWST", "TVA", "IVA"]), ("NO", &["MVA"])];

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 30)?;
    let number = normalize(value).unwrap_or_default();
    let country = COUNTRIES.iter().find(|country| number.starts_with(country.prefix));
    let country = country.ok_or("it begins with no known country prefix")?;
    let prefix = country.prefix;
    let rest = number.strip_prefix(prefix).unwrap_or_default();
    if !country.forms.iter().any(|form| checks::fits(rest, form)) {
        return Err(format!("it has not the form of a number of {prefix}"));
    }
    match (country.check)(rest) {
        Some(true) => Ok(()),
        _ => Err("its check digit is wrong".to_owned()),
    }
}

/// Without separators and the word for VAT behind; Greece under `EL`, as the VAT directive has it;
/// Belgian numbers of nine digits, as they were until 2005, with their zero.
pub fn normalize(value: &str) -> Option<String> {
    let mut number = fold::compact(value)?;
    if let Some(rest) = number.strip_prefix("GR") {
        number = format!("EL{rest}");
    }
    let suffixes = SUFFIXES.iter().find(|(prefix, _)| number.starts_with(prefix));
    let words = suffixes.map_or(&[][..], |(_, words)| words);
    while let Some(rest) = words.iter().find_map(|word| number.strip_suffix(word)) {
        number = rest.to_owned();
    }
    match number.strip_prefix("BE").filter(|rest| checks::fits(rest, "999999999")) {
        Some(rest) => Some(format!("BE0{rest}")),
        None => Some(number),
    }
}
