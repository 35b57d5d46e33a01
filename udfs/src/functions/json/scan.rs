//! Finds values within a JSON text without building anything.
//!
//! The texts are valid: `jsonb` columns hold the normal form, `json` columns were checked on the
//! way in. A slice of a normal form is a normal form, so `->` only cuts.

use std::borrow::Cow;

/// What kind of value a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The kind of a text.
    pub fn of(text: &str) -> Self {
        match text.trim_start().bytes().next() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Number,
        }
    }

    /// As `jsonb_typeof` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// End of the string that begins at `at` with its quote.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// End of the value that begins at `at`.
fn value_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    let mut at = at;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 1 { at + 1 } else { at },
            b'}' | b']' => depth -= 1,
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The parts of an array or object, as (key with its quotes, value) or ("", value).
pub struct Parts<'a> {
    text: &'a str,
    at: usize,
    keyed: bool,
}

/// Elements of an array, members of an object, nothing of a scalar.
pub fn parts(text: &str) -> Parts<'_> {
    let start = skip_blanks(text.as_bytes(), 0);
    let keyed = text.as_bytes().get(start) == Some(&b'{');
    let open = keyed || text.as_bytes().get(start) == Some(&b'[');
    Parts { text, at: if open { start + 1 } else { text.len() }, keyed }
}

impl<'a> Iterator for Parts<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let mut at = skip_blanks(bytes, self.at);
        if bytes.get(at) == Some(&b',') {
            at = skip_blanks(bytes, at + 1);
        }
        if !bytes.get(at).is_some_and(|byte| !matches!(byte, b']' | b'}')) {
            return None;
        }
        let mut key = "";
        if self.keyed {
            let end = string_end(bytes, at);
            key = self.text.get(at..end)?;
            at = skip_blanks(bytes, skip_blanks(bytes, end) + 1);
        }
        let end = value_end(bytes, at);
        self.at = end;
        Some((key, self.text.get(at..end)?))
    }
}

/// What a string in quotes says.
pub fn unquoted(string: &str) -> Cow<'_, str> {
    let inner =
        string.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(string);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str::<String>(string).map_or(Cow::Borrowed(inner), Cow::Owned)
}

/// A text in quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    crate::input::json::print_string(text, &mut out);
    out
}

/// A member of an object; of equal keys the last.
pub fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    if Kind::of(text) != Kind::Object {
        return None;
    }
    parts(text).filter(|(name, _)| unquoted(name) == key).last().map(|(_, value)| value)
}

/// An element of an array; negative places count from the end.
pub fn element(text: &str, place: i64) -> Option<&str> {
    if Kind::of(text) != Kind::Array {
        return None;
    }
    let place = if place < 0 { i64::try_from(parts(text).count()).ok()? + place } else { place };
    parts(text).nth(usize::try_from(place).ok()?).map(|(_, value)| value)
}

/// The value at a path of keys and places.
pub fn at_path<'a>(text: &'a str, path: &[Option<String>]) -> Option<&'a str> {
    path.iter().try_fold(text, |value, step| {
        let step = step.as_deref()?;
        match Kind::of(value) {
            Kind::Object => member(value, step),
            Kind::Array => element(value, step.parse().ok()?),
            _ => None,
        }
    })
}

/// As `->>` shows it: a string without quotes, `null` as NULL.
pub fn as_text(value: &str) -> Option<String> {
    match Kind::of(value) {
        Kind::Null => None,
        Kind::String => Some(unquoted(value).into_owned()),
        _ => Some(value.trim().to_owned()),
    }
}
