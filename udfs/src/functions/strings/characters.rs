//! Characters: `initcap`, `translate`, `chr`, `ascii`, `to_hex`, `unistr`, `normalize` (manual, 9.4).

use unicode_normalization::UnicodeNormalization;

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "initcap(text) -> text",
            "The first letter of each word in upper case, the others in lower.",
            |row| Ok(initcap(row.text(0)).into()),
        ),
        function(
            "translate(text, text, text) -> text",
            "Replaces each character of a set by its partner in another.",
            |row| Ok(translate(row.text(0), row.text(1), row.text(2)).into()),
        ),
        function("ascii(text) -> int4", "Code point of the first character.", |row| {
            Ok(i64::from(row.text(0).chars().next().map_or(0, u32::from)).into())
        }),
        function("chr(int4) -> text", "The character of a code point.", |row| chr(row.int(0))),
        function("to_hex(int4) -> text", "The number in hexadecimal digits.", |row| {
            Ok(format!("{:x}", row.int4(0)).into())
        }),
        function("to_hex(int8) -> text", "The number in hexadecimal digits.", |row| {
            Ok(format!("{:x}", row.int(0)).into())
        }),
        function(
            "unistr(text) -> text",
            "Resolves escapes: \\XXXX, \\+XXXXXX, \\uXXXX, \\UXXXXXXXX.",
            |row| Ok(unistr(row.text(0))?.into()),
        ),
        function(
            "normalize(text) -> text; normalize(text, text) -> text",
            "A Unicode normalization form: NFC, NFD, NFKC, NFKD.",
            |row| Ok(normalize(row.text(0), row.text_opt(1).unwrap_or("NFC"))?.into()),
        ),
        function(
            "is_normalized(text) -> bool; is_normalized(text, text) -> bool",
            "Whether the text is in a Unicode normalization form.",
            |row| {
                Ok((normalize(row.text(0), row.text_opt(1).unwrap_or("NFC"))? == row.text(0))
                    .into())
            },
        ),
        function("bit_length(text) -> int4", "Bits of the text in UTF-8.", |row| {
            bytes(row.text(0).len() * 8)
        }),
        function("bit_length(bytea) -> int4", "Bits of the byte string.", |row| {
            bytes(row.bytes(0).len() * 8)
        }),
        function("octet_length(text) -> int4", "Bytes of the text in UTF-8.", |row| {
            bytes(row.text(0).len())
        }),
        function("octet_length(bytea) -> int4", "Bytes of the byte string.", |row| {
            bytes(row.bytes(0).len())
        }),
        function("length(text) -> int4", "Characters of the text.", characters),
        function("length(bytea) -> int4", "Bytes of the byte string.", |row| {
            bytes(row.bytes(0).len())
        }),
        function("char_length(text) -> int4", "Characters of the text.", characters),
        function("character_length(text) -> int4", "Characters of the text.", characters),
    ]
}

fn bytes(length: usize) -> Result<Value> {
    Ok(i64::try_from(length).ok().into())
}

fn characters(row: &Row<'_>) -> Result<Value> {
    bytes(row.text(0).chars().count())
}

fn initcap(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut within = false;
    for letter in text.chars() {
        if within {
            result.extend(letter.to_lowercase());
        } else {
            result.extend(letter.to_uppercase());
        }
        within = letter.is_alphanumeric();
    }
    result
}

fn translate(text: &str, from: &str, to: &str) -> String {
    let to: Vec<char> = to.chars().collect();
    let partner = |letter: char| match from.chars().position(|known| known == letter) {
        Some(place) => to.get(place).copied(),
        None => Some(letter),
    };
    text.chars().filter_map(partner).collect()
}

fn chr(code: i64) -> Result<Value> {
    match u32::try_from(code).map(|code| (code, char::from_u32(code))) {
        Ok((0, _)) => Err(ValueError::new("54000", "null character not permitted")),
        Ok((_, Some(letter))) => Ok(letter.to_string().into()),
        Ok((code, None)) if code <= 0x10_ffff => Err(ValueError::new(
            "54000",
            format!("requested character not valid for encoding: {code}"),
        )),
        Ok((code, None)) => Err(ValueError::new(
            "54000",
            format!("requested character too large for encoding: {code}"),
        )),
        Err(_) => Err(ValueError::new("54000", "character number must be positive")),
    }
}

/// Reads escapes, of which a pair of UTF-16 surrogates makes one character.
fn unistr(text: &str) -> Result<String> {
    let invalid = || {
        ValueError::new("42601", "invalid Unicode escape")
            .with_hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
    };
    let (mut result, mut rest, mut first) = (String::new(), text, None);
    while let Some(at) = rest.find('\\') {
        if first.is_some() && at > 0 {
            return Err(ValueError::new("42601", "invalid Unicode surrogate pair"));
        }
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (skip, digits) = match rest.chars().next() {
            Some('\\') => {
                result.push('\\');
                rest = &rest[1..];
                continue;
            }
            Some('+') => (1, 6),
            Some('u') => (1, 4),
            Some('U') => (1, 8),
            _ => (0, 4),
        };
        let hex = rest
            .get(skip..skip + digits)
            .filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).ok_or_else(invalid)?;
        rest = &rest[skip + digits..];
        let code = match (first.take(), code) {
            (Some(high), low @ 0xdc00..0xe000) => 0x1_0000 + (high - 0xd800) * 0x400 + low - 0xdc00,
            (None, high @ 0xd800..0xdc00) => {
                first = Some(high);
                continue;
            }
            (None, code) => code,
            _ => return Err(ValueError::new("42601", "invalid Unicode surrogate pair")),
        };
        result.push(char::from_u32(code).ok_or_else(|| {
            ValueError::invalid_parameter(format!("invalid Unicode code point: {code:04X}"))
        })?);
    }
    if first.is_some() {
        return Err(ValueError::new("42601", "invalid Unicode surrogate pair"));
    }
    result.push_str(rest);
    Ok(result)
}

fn normalize(text: &str, form: &str) -> Result<String> {
    match form.to_ascii_uppercase().as_str() {
        "NFC" => Ok(text.nfc().collect()),
        "NFD" => Ok(text.nfd().collect()),
        "NFKC" => Ok(text.nfkc().collect()),
        "NFKD" => Ok(text.nfkd().collect()),
        _ => Err(ValueError::invalid_parameter(format!("invalid normalization form: {form}"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn characters() {
        check(&[
            ("initcap('hello wORLD-x')", "Hello World-X"),
            ("translate('abc','ab','xy')", "xyc"),
            ("translate('12345', '143', 'ax')", "a2x5"),
            ("ascii('A')", "65"),
            ("chr(65)", "A"),
            ("to_hex(255)", "ff"),
            ("to_hex(-1)", "ffffffff"),
            ("unistr('d\\0061t\\+000061 \\u0441\\U0001F600')", "data с😀"),
            ("length(normalize('é', 'NFD'))", "2"),
            ("octet_length('é')", "2"),
            ("bit_length('a')", "8"),
            ("length('é😀')", "2"),
        ]);
        check_errors(&[
            ("chr(0)", "54000", "null character not permitted"),
            ("unistr('\\zz')", "42601", "invalid Unicode escape"),
        ]);
    }
}
