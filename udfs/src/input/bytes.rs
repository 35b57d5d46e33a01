//! `bytea`: `\x` and hexadecimal digits, or the escape format.

use crate::{Result, ValueError};

/// Reads a byte string in either of PostgreSQL's formats (manual §8.4).
pub(crate) fn parse(text: &str) -> Result<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(digits) => hex(digits),
        None => escaped(text),
    }
}

fn hex(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut digits = text.chars();
    while let Some(high) = digits.next() {
        if matches!(high, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = hex_digit(high)?;
        let low = digits.next().ok_or_else(|| {
            ValueError::new("22023", "invalid hexadecimal data: odd number of digits")
        })?;
        bytes.push(high << 4 | hex_digit(low)?);
    }
    Ok(bytes)
}

fn hex_digit(digit: char) -> Result<u8> {
    digit
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
        .ok_or_else(|| ValueError::new("22023", format!("invalid hexadecimal digit: \"{digit}\"")))
}

fn escaped(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                after
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            (b'\\', _) => {
                return Err(ValueError::new("22P02", "invalid input syntax for type bytea"));
            }
            (byte, after) => {
                bytes.push(*byte);
                after
            }
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn both_formats() {
        assert_eq!(parse("\\x00fF 10"), Ok(vec![0, 255, 16]));
        assert_eq!(parse("a\\000\\\\é"), Ok(vec![b'a', 0, b'\\', 0xc3, 0xa9]));
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(
            parse("\\x1").unwrap_err().message,
            "invalid hexadecimal data: odd number of digits"
        );
        assert_eq!(parse("\\xzz").unwrap_err().message, "invalid hexadecimal digit: \"z\"");
        assert_eq!(parse("\\9").unwrap_err().sqlstate, "22P02");
    }
}
