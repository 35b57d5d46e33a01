//! `boolean`: unique prefixes of `true`, `false`, `yes`, `no`, `on`, `off`, `1`, `0`.

use crate::{Result, ValueError};

/// Reads a boolean in any spelling that PostgreSQL takes (manual §8.6).
pub(crate) fn parse(text: &str) -> Result<bool> {
    let word = super::text::trim(text).as_bytes();
    let prefix_of = |full: &[u8], shortest: usize| {
        word.len() >= shortest
            && full.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    match word {
        b"t" | b"1" => Ok(true),
        b"f" | b"0" => Ok(false),
        _ if prefix_of(b"true", 1) || prefix_of(b"yes", 1) || prefix_of(b"on", 2) => Ok(true),
        _ if prefix_of(b"false", 1) || prefix_of(b"no", 1) || prefix_of(b"off", 2) => Ok(false),
        _ => Err(ValueError::invalid_text("boolean", text)),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn unique_prefixes() {
        for text in ["t", "TRUE", " tru ", "y", "yes", "on", "1"] {
            assert_eq!(parse(text), Ok(true), "{text}");
        }
        for text in ["f", "False", "n", "no", "of", "off", "0"] {
            assert_eq!(parse(text), Ok(false), "{text}");
        }
        for text in ["", "o", "truee", "2", "10"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
