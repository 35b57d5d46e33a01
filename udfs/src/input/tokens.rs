//! Splits a date, time or interval into fields (src/backend/utils/adt/datetime.c,
//! `ParseDateTime`).

use super::words;

/// What a field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `12`, `12.5`.
    Number,
    /// `2024-01-02`, `8-jan-1999`, `america/new_york`.
    Date,
    /// `12:34`.
    Time,
    /// A word.
    Word,
    /// `+02`, `-04:30`.
    Signed,
    /// `-infinity`.
    Special,
}

/// Longest text that is a date at all (`MAXDATELEN`), with room for blanks and zone names.
const LENGTH_MAX: usize = 256;

/// Lower-case fields in order; `None` for characters that no date has.
pub(crate) fn split(text: &str) -> Option<Vec<(Kind, String)>> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let mut rest = text.as_str();
    let mut fields = Vec::with_capacity(6);
    while let Some(first) = rest.bytes().next() {
        if matches!(first, b' ' | b'\t'..=b'\r') {
            rest = rest.get(1..)?;
            continue;
        }
        let (kind, length) = match first {
            b'0'..=b'9' => numeric(rest),
            b'.' => (Kind::Number, 1 + run(rest.get(1..)?, |byte| byte.is_ascii_digit())),
            b'a'..=b'z' => wordy(rest),
            b'+' | b'-' => {
                let blanks = run(rest.get(1..)?, |byte| byte == b' ');
                let after = rest.get(1 + blanks..)?;
                let (kind, length) = signed(after)?;
                fields.push((kind, format!("{}{}", char::from(first), after.get(..length)?)));
                rest = after.get(length..)?;
                continue;
            }
            first if first.is_ascii_punctuation() => {
                rest = rest.get(1..)?;
                continue;
            }
            _ => return None,
        };
        let (field, after) = rest.split_at_checked(length)?;
        fields.push((kind, field.to_owned()));
        rest = after;
    }
    Some(fields)
}

fn run(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| belongs(*byte)).count()
}

/// A field that starts with a digit.
fn numeric(text: &str) -> (Kind, usize) {
    let digits = run(text, |byte| byte.is_ascii_digit());
    let bytes = text.as_bytes();
    match bytes.get(digits) {
        Some(b':') => {
            (Kind::Time, run(text, |byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')))
        }
        Some(delimiter @ (b'-' | b'/' | b'.')) => {
            let tail = text.get(digits + 1..).unwrap_or_default();
            let more = run(tail, |byte| byte.is_ascii_digit());
            let second = digits + 1 + more;
            if more == 0 {
                let length = run(text, |byte| byte.is_ascii_alphanumeric() || byte == *delimiter);
                return (Kind::Date, length);
            }
            if bytes.get(second) == Some(delimiter) {
                return (Kind::Date, run(text, |byte| byte.is_ascii_digit() || byte == *delimiter));
            }
            (if *delimiter == b'.' { Kind::Number } else { Kind::Date }, second)
        }
        _ => (Kind::Number, digits),
    }
}

/// A field that starts with a letter.
fn wordy(text: &str) -> (Kind, usize) {
    let letters = run(text, |byte| byte.is_ascii_lowercase());
    let word = text.get(..letters).unwrap_or_default();
    let is_date = match text.as_bytes().get(letters) {
        Some(b'-' | b'/' | b'.') => true,
        Some(b'+' | b'0'..=b'9') => words::meaning(word).is_none(),
        // Names of zones have underscores.
        Some(b'_') => true,
        _ => false,
    };
    if !is_date {
        return (Kind::Word, letters);
    }
    let belongs = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'/' | b'_' | b'.' | b':')
    };
    (Kind::Date, run(text, belongs))
}

/// What follows a sign.
fn signed(text: &str) -> Option<(Kind, usize)> {
    match text.bytes().next()? {
        b'0'..=b'9' => {
            let belongs = |byte: u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-');
            Some((Kind::Signed, run(text, belongs)))
        }
        b'a'..=b'z' => Some((Kind::Special, run(text, |byte| byte.is_ascii_lowercase()))),
        _ => None,
    }
}
