//! `postcode`: a postal code of any country (UPU S42: at most 10 signs; files add a country
//! prefix).

use super::{checks, fold};

/// Says why a text is none of any country.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 16)?;
    match value.chars().find(|letter| !letter.is_alphanumeric() && !" -.".contains(*letter)) {
        Some(letter) => Err(format!("it contains {letter:?}")),
        None => Ok(()),
    }
}

/// Forms by alpha-2 code of the country, without separators: `9` a digit, `A` a letter.
const FORMS: [(&str, &[&str]); 64] = [
    ("AD", &["AD999"]),
    ("AR", &["9999", "A9999AAA"]),
    ("AT", &["9999"]),
    ("AU", &["9999"]),
    ("BE", &["9999"]),
    ("BG", &["9999"]),
    ("BR", &["99999999"]),
    ("CA", &["A9A9A9"]),
    ("CH", &["9999"]),
    ("CL", &["9999999"]),
    ("CN", &["999999"]),
    ("CO", &["999999"]),
    ("CY", &["9999"]),
    ("CZ", &["99999"]),
    ("DE", &["99999"]),
    ("DK", &["9999"]),
    ("DZ", &["99999"]),
    ("EE", &["99999"]),
    ("EG", &["99999", "9999999"]),
    ("ES", &["99999"]),
    ("FI", &["99999"]),
    ("FR", &["99999"]),
    ("GB", &["A99AA", "A999AA", "AA99AA", "AA999AA", "A9A9AA", "AA9A9AA"]),
    ("GF", &["99999"]),
    ("GG", &["AA99AA", "AA999AA"]),
    ("GP", &["99999"]),
    ("GR", &["99999"]),
    ("HR", &["99999"]),
    ("HU", &["9999"]),
    ("ID", &["99999"]),
    ("IE", &["A99****", "A9A****"]),
    ("IL", &["9999999", "99999"]),
    ("IM", &["AA99AA", "AA999AA"]),
    ("IN", &["999999"]),
    ("IS", &["999"]),
    ("IT", &["99999"]),
    ("JE", &["AA99AA", "AA999AA"]),
    ("JP", &["9999999"]),
    ("KR", &["99999"]),
    ("LI", &["9999"]),
    ("LT", &["99999"]),
    ("LU", &["9999"]),
    ("LV", &["9999"]),
    ("MA", &["99999"]),
    ("MC", &["99999"]),
    ("MQ", &["99999"]),
    ("MT", &["AAA9999", "AAA999", "AAA99"]),
    ("MX", &["99999"]),
    ("MY", &["99999"]),
    ("NL", &["9999AA"]),
    ("NO", &["9999"]),
    ("NZ", &["9999"]),
    ("PL", &["99999"]),
    ("PT", &["9999999", "9999"]),
    ("RE", &["99999"]),
    ("RO", &["999999"]),
    ("RU", &["999999"]),
    ("SE", &["99999"]),
    ("SG", &["999999"]),
    ("SI", &["9999"]),
    ("SK", &["99999"]),
    ("TR", &["99999"]),
    ("UA", &["99999"]),
    ("ZA", &["9999"]),
];

/// `US` has a short and a long form, of which the long one names one side of one street.
const UNITED_STATES: &str = "US";
const ZIP_LENGTH: usize = 5;

/// Prefixes of cars' plates that stood before codes, where they are not the alpha-2 code.
const PLATES: [(&str, &str); 6] =
    [("FR", "F"), ("DE", "D"), ("IT", "I"), ("ES", "E"), ("AT", "A"), ("LU", "L")];

/// Letters and digits in upper case: `sw1a 1aa` → `SW1A1AA`.
pub fn normalize(value: &str) -> Option<String> {
    fold::compact(value)
}

/// The same for a country by its alpha-2 code: its prefix cut, a leading zero that a spreadsheet
/// lost put back, of a ZIP code five digits: `F-1000` in FR → `01000`.
pub fn normalize_in(value: &str, country: &str) -> Option<String> {
    let code = fold::compact(value)?;
    if country == UNITED_STATES {
        let padded = if code.len() == ZIP_LENGTH - 1 { format!("0{code}") } else { code };
        let zip = padded.get(..ZIP_LENGTH).filter(|_| is_zip(&padded)).map(str::to_owned);
        return Some(zip.unwrap_or(padded));
    }
    let Some((_, forms)) = FORMS.iter().find(|(known, _)| *known == country) else {
        return Some(code);
    };
    let fits = |code: &str| forms.iter().any(|form| checks::fits(code, form));
    if fits(&code) {
        return Some(code);
    }
    let plate = PLATES.iter().find(|(known, _)| *known == country).map(|(_, plate)| *plate);
    let bare = [Some(country), plate].into_iter().flatten();
    let bare = bare
        .filter_map(|prefix| code.strip_prefix(prefix))
        .find(|rest| fits(rest) || fits(&format!("0{rest}")));
    let bare = bare.unwrap_or(&code);
    let padded = format!("0{bare}");
    Some(if !fits(bare) && fits(&padded) { padded } else { bare.to_owned() })
}

/// Whether a code has the form that the country's codes have; countries whose form is not known
/// here accept what [`validate`] does.
pub fn is_valid_in(value: &str, country: &str) -> bool {
    let code = normalize_in(value, country).unwrap_or_default();
    let form = match FORMS.iter().find(|(known, _)| *known == country) {
        Some((_, forms)) => forms.iter().any(|form| checks::fits(&code, form)),
        None => country != UNITED_STATES || is_zip(&code),
    };
    form && validate(value).is_ok()
}

fn is_zip(code: &str) -> bool {
    checks::fits(code, "99999") || checks::fits(code, "999999999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_countries() {
        let cases = [
            ("F-75001", "FR", "75001", true),
            ("fr 1000", "FR", "01000", true),
            ("1000", "FR", "01000", true),
            ("D-10115", "DE", "10115", true),
            ("1067", "DE", "01067", true),
            ("501", "US", "501", false),
            ("2134", "US", "02134", true),
            ("02134-1000", "US", "02134", true),
            ("sw1a 1aa", "GB", "SW1A1AA", true),
            ("sw1a", "GB", "SW1A", false),
            ("1012 ab", "NL", "1012AB", true),
            ("L-1234", "LU", "1234", true),
            ("LV-1010", "LV", "1010", true),
            ("00-950", "PL", "00950", true),
            ("D02 X285", "IE", "D02X285", true),
            ("AD500", "AD", "AD500", true),
            ("12 34", "AF", "1234", true),
        ];
        for (value, country, expected, valid) in cases {
            let code = normalize_in(value, country);
            assert_eq!(code.as_deref(), Some(expected), "{value} {country}");
            assert_eq!(normalize_in(expected, country).as_deref(), Some(expected), "{expected}");
            assert_eq!(is_valid_in(value, country), valid, "{value} {country}");
        }
    }
}
