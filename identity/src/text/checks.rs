//! Checks that several domains share. A reason completes "the value is refused because …".

/// Longest value of a short attribute or key, in characters.
pub const SHORT_MAX: usize = 255;

/// Refuses empty text, text longer than `characters_max` and control characters.
///
/// # Errors
/// The reason.
pub fn one_line(value: &str, characters_max: usize) -> Result<(), String> {
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
///
/// # Errors
/// The reason.
pub fn key(value: &str) -> Result<(), String> {
    one_line(value, SHORT_MAX)
}

/// Anything.
///
/// # Errors
/// None.
pub fn anything(_value: &str) -> Result<(), String> {
    Ok(())
}

/// The digits of a value whose digits may be grouped by spaces, dots or hyphens.
///
/// # Errors
/// Another sign in it.
pub fn grouped_digits(value: &str) -> Result<String, String> {
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
pub fn luhn(digits: &str) -> bool {
    let digit = |(place, byte): (usize, u8)| {
        let value = u32::from(byte.saturating_sub(b'0'));
        if place % 2 == 0 { value } else { value * 2 / 10 + value * 2 % 10 }
    };
    digits.bytes().rev().enumerate().map(digit).sum::<u32>() % 10 == 0
}

/// Whether a text has a form: `9` a digit, `A` a capital letter, `*` either, other signs
/// themselves.
pub fn fits(text: &str, form: &str) -> bool {
    let letter_fits = |(letter, wanted): (u8, u8)| match wanted {
        b'9' => letter.is_ascii_digit(),
        b'A' => letter.is_ascii_uppercase(),
        b'*' => letter.is_ascii_digit() || letter.is_ascii_uppercase(),
        sign => letter == sign,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(letter_fits)
}
