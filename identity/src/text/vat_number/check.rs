//! The check digits of each country. All are given a number of one of its forms, without prefix;
//! `None`: a sign where a digit should be.

use crate::text::{checks, siren};

/// Whether the check digits of a number are right.
pub(super) type Check = fn(&str) -> Option<bool>;

/// The digits of a text.
fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|letter| letter.to_digit(10)).collect()
}

/// The digits, each times its weight.
fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn last(digits: &[u32]) -> Option<u32> {
    digits.last().copied()
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// Checked by the sum of weighted digits, the last included, being a multiple.
fn multiple(text: &str, weights: &[u32], modulus: u32) -> Option<bool> {
    Some(weighted(&digits(text)?, weights).is_multiple_of(modulus))
}

/// Checked by what the weighted digits before the last lack to a multiple of eleven; ten cannot be.
fn to_eleven(text: &str, weights: &[u32]) -> Option<bool> {
    let digits = digits(text)?;
    Some((11 - weighted(&digits, weights) % 11) % 11 == last(&digits)?)
}

/// ISO 7064, MOD 11,10.
fn iso_11_10(text: &str) -> Option<bool> {
    let digits = digits(text)?;
    let (check, rest) = digits.split_last()?;
    let product = rest.iter().fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    Some((11 - product) % 10 == *check)
}

/// ISO 7064, MOD 97-10, letters as two digits.
fn iso_97_10(text: &str) -> Option<bool> {
    let mut rest = 0;
    for letter in text.chars() {
        let value = letter.to_digit(36)?;
        rest = (rest * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    Some(rest == 1)
}

pub(super) fn austria(text: &str) -> Option<bool> {
    let digits = digits(text.strip_prefix('U')?)?;
    let doubled = |(place, digit): (usize, &u32)| match place % 2 {
        0 => *digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    };
    let sum: u32 = digits.iter().take(7).enumerate().map(doubled).sum();
    Some((96 - sum) % 10 == last(&digits)?)
}

pub(super) fn belgium(text: &str) -> Option<bool> {
    let known = text.starts_with(['0', '1']);
    Some(known && 97 - number(text.get(..8)?)? % 97 == number(text.get(8..)?)?)
}

/// Companies have nine digits; ten are those of a person, a foreigner or another payer.
pub(super) fn bulgaria(text: &str) -> Option<bool> {
    let all = digits(text)?;
    let check = last(&all)?;
    if all.len() == 9 {
        let first = weighted(&all[..8], &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
        let second = || weighted(&all[..8], &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10;
        return Some(if first == 10 { second() } else { first } == check);
    }
    let before = &all[..9];
    let person = weighted(before, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    let foreigner = weighted(before, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10;
    let other = (11 - weighted(before, &[4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    Some([person, foreigner, other].contains(&check))
}

pub(super) fn switzerland(text: &str) -> Option<bool> {
    to_eleven(text, &[5, 4, 3, 2, 7, 6, 5, 4])
}

pub(super) fn cyprus(text: &str) -> Option<bool> {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let (number, letter) = text.split_at_checked(8)?;
    let value = |(place, digit): (usize, u32)| match place % 2 {
        0 => ODD[digit as usize % 10],
        _ => digit,
    };
    let sum: u32 = digits(number)?.into_iter().enumerate().map(value).sum();
    Some(letter.chars().next()?.to_digit(36)? - 10 == sum % 26 && !number.starts_with("12"))
}

/// Companies have eight digits, people nine (until 1953 without check) or ten, those of the kind
/// that begins with 6 nine.
pub(super) fn czechia(text: &str) -> Option<bool> {
    const WEIGHTS: [u32; 7] = [8, 7, 6, 5, 4, 3, 2];
    let all = digits(text)?;
    let check = last(&all)?;
    match all.len() {
        8 => {
            let rest = (11 - weighted(&all[..7], &WEIGHTS) % 11) % 11;
            Some((if rest == 0 { 1 } else { rest }) % 10 == check && all[0] != 9)
        }
        9 if all[0] == 6 => {
            let rest = weighted(&all[1..8], &WEIGHTS) % 11;
            Some((18 - (21 - rest) % 11) % 10 == check)
        }
        9 => Some(true),
        _ => Some((number(text.get(..9)?)? % 11 % 10) as u32 == check),
    }
}

pub(super) fn germany(text: &str) -> Option<bool> {
    Some(!text.starts_with('0') && iso_11_10(text)?)
}

pub(super) fn denmark(text: &str) -> Option<bool> {
    Some(!text.starts_with('0') && multiple(text, &[2, 7, 6, 5, 4, 3, 2, 1], 11)?)
}

pub(super) fn estonia(text: &str) -> Option<bool> {
    multiple(text, &[3, 7, 1, 3, 7, 1, 3, 7, 1], 10)
}

pub(super) fn greece(text: &str) -> Option<bool> {
    let digits = digits(text)?;
    let sum = weighted(&digits, &[256, 128, 64, 32, 16, 8, 4, 2]);
    Some(sum % 11 % 10 == last(&digits)?)
}

/// A person's number ends in a letter of the rest by 23, a company's in a digit or letter.
pub(super) fn spain(text: &str) -> Option<bool> {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let (before, check) = text.split_at_checked(8)?;
    let check = check.chars().next()?;
    let person = |digits: &str| {
        let letter = LETTERS[(number(digits)? % 23) as usize];
        Some(char::from(letter) == check)
    };
    let (kind, rest) = before.split_at_checked(1)?;
    match kind {
        "K" | "L" | "M" => person(rest),
        "X" => person(&format!("0{rest}")),
        "Y" => person(&format!("1{rest}")),
        "Z" => person(&format!("2{rest}")),
        _ if kind.starts_with(|one: char| one.is_ascii_digit()) => person(before),
        _ => spanish_company(kind, rest, check),
    }
}

fn spanish_company(kind: &str, rest: &str, check: char) -> Option<bool> {
    const LETTERS: &[u8; 10] = b"JABCDEFGHI";
    let digit = (0..10).find(|digit| checks::luhn(&format!("{rest}{digit}")))?;
    let is_digit = check.to_digit(10) == Some(digit);
    let is_letter = char::from(LETTERS[digit as usize]) == check;
    // Which kinds of company have a digit and which a letter is told differently.
    let known = "ABCDEFGHJNPQRSUVW".contains(kind);
    Some(known && (is_digit || is_letter))
}

pub(super) fn finland(text: &str) -> Option<bool> {
    multiple(text, &[7, 9, 10, 5, 8, 4, 2, 1], 11)
}

/// Two signs and a SIREN: two digits are its rest by 97; with letters, a second scheme.
pub(super) fn france(text: &str) -> Option<bool> {
    const LETTERS: &str = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let (key, company) = text.split_at_checked(2)?;
    // Companies of Monaco have no SIREN.
    let known = company.starts_with("000") || siren::validate(company).is_ok();
    let company = number(company)?;
    if let Some(key) = number(key) {
        return Some(known && (company * 100 + 12) % 97 == key);
    }
    let mut places = key.chars().map(|letter| LETTERS.find(letter).map(|place| place as u64));
    let (first, second) = (places.next()??, places.next()??);
    let value = match first {
        0..10 => first * 24 + second - 10,
        _ => first * 34 + second - 100,
    };
    Some(known && (company + 1 + value / 11) % 11 == value % 11)
}

/// Departments have 0 to 499, health authorities 500 to 999; companies a rest by 97, since 2009 one
/// that is 55 off.
pub(super) fn united_kingdom(text: &str) -> Option<bool> {
    if let Some(department) = text.strip_prefix("GD") {
        return Some(number(department)? < 500);
    }
    if let Some(authority) = text.strip_prefix("HA") {
        return Some(number(authority)? >= 500);
    }
    let sum = weighted(&digits(text.get(..9)?)?, &[8, 7, 6, 5, 4, 3, 2, 10, 1]);
    Some(sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97))
}

pub(super) fn croatia(text: &str) -> Option<bool> {
    iso_11_10(text)
}

pub(super) fn hungary(text: &str) -> Option<bool> {
    multiple(text, &[9, 7, 3, 1, 9, 7, 3, 1], 10)
}

/// The second letter of newer numbers counts nine times; older ones have a letter in second place
/// and their first digit last.
pub(super) fn ireland(text: &str) -> Option<bool> {
    const LETTERS: &str = "WABCDEFGHIJKLMNOPQRSTUV";
    let second = text.chars().nth(1)?;
    let seven = match second.is_ascii_digit() {
        true => text.get(..7)?.to_owned(),
        false => format!("0{}{}", text.get(2..7)?, text.get(..1)?),
    };
    let sum = weighted(&digits(&seven)?, &[8, 7, 6, 5, 4, 3, 2]) as usize;
    let extra = match text.chars().nth(8) {
        Some(letter) => 9 * LETTERS.find(letter)?,
        None => 0,
    };
    Some(LETTERS.find(text.chars().nth(7)?)? == (sum + extra) % 23)
}

/// Digits eight to ten are the office of the province.
pub(super) fn italy(text: &str) -> Option<bool> {
    let office = number(text.get(7..10)?)?;
    let known = matches!(office, 1..=100 | 120 | 121 | 888 | 999);
    Some(known && !text.starts_with("0000000") && checks::luhn(text))
}

pub(super) fn lithuania(text: &str) -> Option<bool> {
    let all = digits(text)?;
    let (check, before) = all.split_last()?;
    let first: u32 = (0..).zip(before).map(|(place, digit)| (1 + place % 9) * digit).sum();
    let second: u32 = (0..).zip(before).map(|(place, digit)| (1 + (place + 2) % 9) * digit).sum();
    let rest = if first % 11 == 10 { second % 11 % 10 } else { first % 11 };
    Some(rest == *check && before.last() == Some(&1))
}

pub(super) fn luxembourg(text: &str) -> Option<bool> {
    Some(number(text.get(..6)?)? % 89 == number(text.get(6..)?)?)
}

/// Companies begin above 3; people of the new kind with 32, without check.
pub(super) fn latvia(text: &str) -> Option<bool> {
    let all = digits(text)?;
    if all[0] > 3 {
        return Some(weighted(&all, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3);
    }
    let person = (1 + weighted(&all, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10;
    Some(text.starts_with("32") || person == last(&all)?)
}

pub(super) fn malta(text: &str) -> Option<bool> {
    Some(!text.starts_with('0') && multiple(text, &[3, 4, 6, 7, 8, 9, 10, 1], 37)?)
}

/// Companies by eleven; sole traders, since 2020, by 97 over the whole number.
pub(super) fn netherlands(text: &str) -> Option<bool> {
    let all = digits(text.get(..9)?)?;
    let sum = weighted(&all[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    let company = sum % 11 == all[8] && sum > 0;
    Some(company || iso_97_10(&format!("NL{text}"))?)
}

pub(super) fn norway(text: &str) -> Option<bool> {
    to_eleven(text, &[3, 2, 7, 6, 5, 4, 3, 2])
}

pub(super) fn poland(text: &str) -> Option<bool> {
    let digits = digits(text)?;
    Some(weighted(&digits, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == last(&digits)?)
}

pub(super) fn portugal(text: &str) -> Option<bool> {
    let digits = digits(text)?;
    let rest = (11 - weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
    Some(rest == last(&digits)? && digits[0] != 0)
}

pub(super) fn romania(text: &str) -> Option<bool> {
    let digits = digits(&format!("{text:0>10}"))?;
    let sum = weighted(&digits, &[7, 5, 3, 2, 1, 7, 5, 3, 2]);
    Some(sum * 10 % 11 % 10 == last(&digits)? && !text.starts_with('0'))
}

/// The last two digits count the registrations of one company.
pub(super) fn sweden(text: &str) -> Option<bool> {
    Some(!text.ends_with("00") && checks::luhn(text.get(..10)?))
}

pub(super) fn slovenia(text: &str) -> Option<bool> {
    let digits = digits(text)?;
    let rest = (11 - weighted(&digits, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
    Some(rest == last(&digits)? && digits[0] != 0)
}

pub(super) fn slovakia(text: &str) -> Option<bool> {
    let known = matches!(text.as_bytes(), [b'1'..=b'9', _, b'2' | b'3' | b'4' | b'7'..=b'9', ..]);
    Some(known && number(text)? % 11 == 0)
}
