//! Checks and foldings that several domains share.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest value of a short attribute or key, in characters.
pub(crate) const SHORT_MAX: usize = 255;

/// Refuses empty text, text longer than `characters_max` and control characters.
pub(crate) fn one_line(value: &str, characters_max: usize) -> Result<(), String> {
    if value.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    if value.chars().count() > characters_max {
        return Err(format!("it is longer than {characters_max} characters"));
    }
    if value.chars().any(char::is_control) {
        return Err("it contains a control character".to_owned());
    }
    Ok(())
}

/// A key given by another system: not empty, at most [`SHORT_MAX`] characters.
pub(crate) fn key(value: &str) -> Result<(), String> {
    one_line(value, SHORT_MAX)
}

/// Anything.
pub(crate) fn anything(_value: &str) -> Result<(), String> {
    Ok(())
}

/// Without surrounding space; `None` when nothing is left.
pub(crate) fn trimmed(value: &str) -> Option<String> {
    some(value.trim().to_owned())
}

/// `None` for empty text.
pub(crate) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// The ASCII letters and digits in upper case, as codes and card numbers are compared.
pub(crate) fn compact(value: &str) -> Option<String> {
    let letters = value.chars().filter(char::is_ascii_alphanumeric);
    some(letters.map(|letter| letter.to_ascii_uppercase()).collect())
}

/// Lower case, no accents, words separated by one space: `Élodie  D’Arc-Ney` → `elodie d arc ney`.
pub(crate) fn folded(value: &str) -> Option<String> {
    let plain: String = value
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .flat_map(|letter| letters_without_decomposition(letter).chars().chain(keep(letter)))
        .collect();
    let words: Vec<&str> = plain.split(' ').filter(|word| !word.is_empty()).collect();
    some(words.join(" "))
}

/// Letters that Unicode does not decompose but people write in ASCII.
fn letters_without_decomposition(letter: char) -> &'static str {
    match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        _ => "",
    }
}

fn keep(letter: char) -> Option<char> {
    match letter {
        _ if !letters_without_decomposition(letter).is_empty() => None,
        '\'' | '’' | '-' | '.' | ',' | '`' | '´' => Some(' '),
        _ if letter.is_whitespace() => Some(' '),
        _ if letter.is_alphanumeric() => Some(letter),
        _ => None,
    }
}

/// The digits of a value whose digits may be grouped by spaces, dots or hyphens.
pub(crate) fn grouped_digits(value: &str) -> Result<String, String> {
    let mut digits = String::new();
    for letter in value.trim().chars() {
        match letter {
            '0'..='9' => digits.push(letter),
            ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' => {}
            _ => return Err("it contains something that is not a digit".to_owned()),
        }
    }
    Ok(digits)
}

/// Whether the digits pass the check of Luhn (ISO/IEC 7812-1 annex B).
pub(crate) fn luhn(digits: &str) -> bool {
    let digit = |(place, byte): (usize, u8)| {
        let value = u32::from(byte.saturating_sub(b'0'));
        if place % 2 == 0 { value } else { value * 2 / 10 + value * 2 % 10 }
    };
    digits.bytes().rev().enumerate().map(digit).sum::<u32>() % 10 == 0
}
