//! `phone`: a telephone number as people write it. Numbers come without country more often than
//! with one, so any plausible number is accepted (ITU-T E.164 allows 15 digits).

use std::borrow::Cow;

use phonenumber::metadata::DATABASE;
use phonenumber::{Metadata, Mode, PhoneNumber};
use unicode_normalization::UnicodeNormalization;

use super::{checks, fold};

/// A country's numbering plan, by its ISO 3166-1 alpha-2 code.
pub type Region = phonenumber::country::Id;

const DIGITS_MIN: usize = 3;
const DIGITS_MAX: usize = 20;

/// Says why a text is no number.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 50)?;
    let value = plain(value);
    let number = without_extension(&value);
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

/// The region of a code such as `FR`, in any case.
pub fn region(code: &str) -> Option<Region> {
    code.trim().to_ascii_uppercase().parse().ok()
}

/// Digits, with `+` in front where the country is given: `00 33 (0)6 12 34 56 78` →
/// `+33612345678`.
pub fn normalize(value: &str) -> Option<String> {
    normalize_in(value, None)
}

/// The same for numbers of which those without country are of a region: `06 12 34 56 78` in FR →
/// `+33612345678`. What no numbering plan has stays as its digits. Costs microseconds: call it
/// once per distinct value.
pub fn normalize_in(value: &str, region: Option<Region>) -> Option<String> {
    if is_e164(value) {
        return Some(value.to_owned());
    }
    let number = Number::read(value)?;
    let written = number.written();
    match number.parse(region) {
        Some(parsed) if parsed.is_valid() => Some(e164(&parsed, written)),
        _ => Some(written),
    }
}

/// A number that was written without country, with that of its region: `06 12 34 56 78 ext. 9` in
/// FR → `+33612345678 ext. 9`. `None` for one with country, and for what the region's numbering
/// plan does not have.
pub fn with_country(value: &str, region: Region) -> Option<String> {
    if is_e164(value) {
        return None;
    }
    let number = Number::read(value)?;
    let parsed = number.parse(Some(region)).filter(|_| !number.international)?;
    let country = parsed.is_valid().then(|| e164(&parsed, number.written()))?;
    let value = plain(value);
    let extension = value.get(without_extension(&value).len()..).unwrap_or_default().trim();
    Some(if extension.is_empty() { country } else { format!("{country} {extension}") })
}

/// Whether a text is `+`, country and a national number that no plan of the country would cut a
/// prefix from: it stays as it is, and the plan need not be read. Files are full of such numbers,
/// and parsing one costs a hundred times as much.
fn is_e164(value: &str) -> bool {
    let Some(digits) = value.strip_prefix('+') else { return false };
    if !(8..=15).contains(&digits.len()) || !digits.bytes().all(|one| one.is_ascii_digit()) {
        return false;
    }
    let plans = (1..=3).find_map(|length| {
        let plans = DATABASE.by_code(&digits.get(..length)?.parse::<u16>().ok()?)?;
        Some((plans, digits.get(length..)?))
    });
    let Some((plans, national)) = plans else { return false };
    let cuts = |plan: &&Metadata| {
        let first = |found: Option<regex::Match<'_>>| found.is_some_and(|one| one.start() == 0);
        plan.national_prefix().is_some_and(|prefix| national.starts_with(prefix))
            || plan.national_prefix_for_parsing().is_some_and(|one| first(one.find(national)))
    };
    !national.starts_with('0') && !plans.iter().any(cuts)
}

/// Whether the numbering plan of its country, or else of the region, has the number. Without
/// either there is no plan to ask, and no number is valid.
pub fn is_valid_in(value: &str, region: Option<Region>) -> bool {
    let parsed = Number::read(value).and_then(|number| number.parse(region));
    validate(value).is_ok() && parsed.is_some_and(|parsed| parsed.is_valid())
}

/// E.164, unless reading that again would give another number.
fn e164(parsed: &PhoneNumber, written: String) -> String {
    let number = parsed.format().mode(Mode::E164).to_string();
    if number == written {
        return number;
    }
    let again = phonenumber::parse(None, &number).ok().filter(PhoneNumber::is_valid);
    match again.map(|parsed| parsed.format().mode(Mode::E164).to_string()) {
        Some(again) if again == number => number,
        _ => written,
    }
}

/// What was written: its digits, and whether they begin with a country.
struct Number {
    digits: String,
    international: bool,
}

impl Number {
    fn read(value: &str) -> Option<Self> {
        let value = plain(value);
        let number = without_extension(&value);
        let plus = number.starts_with('+') || number.starts_with("(+");
        let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
        // Zeros without end are no prefix.
        let dialled = |digits: &str| {
            digits.starts_with("00") && !matches!(digits.get(2..3), None | Some("0"))
        };
        let bare = digits(&number.replace("(0)", ""));
        let plus = plus && !bare.starts_with('0');
        let written = if plus || dialled(&bare) { bare } else { digits(number) };
        let prefix = !plus && dialled(&written);
        let digits = if prefix { written[2..].to_owned() } else { written };
        let international = plus || prefix;
        fold::some(digits).map(|digits| Self { digits, international })
    }

    fn written(&self) -> String {
        if self.international { format!("+{}", self.digits) } else { self.digits.clone() }
    }

    fn parse(&self, region: Option<Region>) -> Option<PhoneNumber> {
        if !self.international && region.is_none() || self.digits.len() > DIGITS_MAX {
            return None;
        }
        phonenumber::parse(region, self.written()).ok()
    }
}

/// Digits of East Asian width as ASCII; `tel:` of links cut.
fn plain(value: &str) -> Cow<'_, str> {
    let value = value.trim();
    let value = match value.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &value[4..],
        _ => value,
    };
    if value.is_ascii() { Cow::Borrowed(value) } else { Cow::Owned(value.nfkc().collect()) }
}

/// Cuts `ext. 12`, `x12` and `#12`, which reach a desk, not another person's line.
fn without_extension(value: &str) -> &str {
    value
        .find(['e', 'E', 'x', 'X', '#'])
        .map_or(value, |at| value.get(..at).unwrap_or(value))
        .trim()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn numbers_get_the_country_of_their_region() {
        let cases = [
            ("06 12 34 56 78", "FR", Some("+33612345678")),
            ("0612345678 ext. 9", "FR", Some("+33612345678 ext. 9")),
            ("(650) 253-0000", "us", Some("+16502530000")),
            ("020 7946 0018", "GB", Some("+442079460018")),
            ("+44 20 7946 0018", "FR", None),
            ("0033 6 12 34 56 78", "DE", None),
            ("0612", "FR", None),
            ("n/a", "FR", None),
        ];
        for (value, code, wanted) in cases {
            let found = with_country(value, region(code).unwrap());
            assert_eq!(found.as_deref(), wanted, "{value} in {code}");
            let normal = normalize_in(value, region(code));
            if let Some(found) = found {
                assert_eq!(normalize(&found), normal, "{value} in {code}");
            }
        }
    }

    #[test]
    fn what_is_e164_already_is_what_parsing_gives() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let codes = ["1", "7", "20", "33", "39", "44", "49", "52", "54", "55", "61", "353", "380"];
        let mut plain = 0;
        for _ in 0..20_000 {
            let code = codes[random.random_range(0..codes.len())];
            let length = random.random_range(5..13);
            let digits = (0..length).map(|_| char::from(random.random_range(b'0'..=b'9')));
            let value = format!("+{code}{}", digits.collect::<String>());
            if !is_e164(&value) {
                continue;
            }
            plain += 1;
            let number = Number::read(&value).unwrap();
            let parsed = match number.parse(None) {
                Some(parsed) if parsed.is_valid() => e164(&parsed, number.written()),
                _ => number.written(),
            };
            assert_eq!(parsed, value);
        }
        assert!(plain > 5_000, "{plain}");
    }
}
