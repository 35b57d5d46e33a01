//! The text form of a one-dimensional array, `{a,"b c",NULL}` (manual, 8.15.2), taken apart.

use crate::{Result, ValueError};

/// The elements; `None` for an unquoted NULL.
///
/// # Errors
/// `malformed array literal: "x"` (22P02).
pub fn elements(text: &str) -> Result<Vec<Option<String>>> {
    let malformed = || ValueError::new("22P02", format!("malformed array literal: \"{text}\""));
    let inner = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(malformed)?;
    let mut elements = vec![];
    let mut characters = inner.chars().peekable();
    if inner.trim().is_empty() {
        return Ok(elements);
    }
    loop {
        let (mut element, mut quoted, mut in_quotes) = (String::new(), false, false);
        let end = loop {
            match characters.next() {
                None if in_quotes => return Err(malformed()),
                None => break true,
                Some('\\') => element.push(characters.next().ok_or_else(malformed)?),
                Some('"') => (in_quotes, quoted) = (!in_quotes, true),
                Some(',') if !in_quotes => break false,
                Some('{' | '}') if !in_quotes => return Err(malformed()),
                Some(letter) => element.push(letter),
            }
        };
        let bare = if quoted { element.clone() } else { element.trim().to_owned() };
        if bare.is_empty() && !quoted {
            return Err(malformed());
        }
        elements.push(if !quoted && bare.eq_ignore_ascii_case("null") { None } else { Some(bare) });
        if end {
            return Ok(elements);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn array_literals() {
        assert_eq!(elements("{a,\"b c\",NULL}").unwrap(), [Some("a".into()), Some("b c".into()), None]);
        assert_eq!(elements("{}").unwrap(), [] as [Option<String>; 0]);
        assert_eq!(elements("{a").unwrap_err().message, "malformed array literal: \"{a\"");
    }
}
