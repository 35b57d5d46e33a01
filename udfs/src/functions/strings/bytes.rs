//! Byte strings: `encode`, `decode`, hashes (manual, 9.5).

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::functions::function::{Function, function};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("encode(bytea, text) -> text", "Bytes as text: hex, base64, escape.", |row| {
            Ok(encode(row.bytes(0), row.text(1))?.into())
        }),
        function("decode(text, text) -> bytea", "Bytes from text: hex, base64, escape.", |row| {
            Ok(decode(row.text(0), row.text(1))?.into())
        }),
        function("md5(text) -> text", "MD5 in hexadecimal digits.", |row| {
            Ok(hex(&Md5::digest(row.text(0))).into())
        }),
        function("md5(bytea) -> text", "MD5 in hexadecimal digits.", |row| {
            Ok(hex(&Md5::digest(row.bytes(0))).into())
        }),
        function("sha224(bytea) -> bytea", "SHA-224.", |row| {
            Ok(Sha224::digest(row.bytes(0)).to_vec().into())
        }),
        function("sha256(bytea) -> bytea", "SHA-256.", |row| {
            Ok(Sha256::digest(row.bytes(0)).to_vec().into())
        }),
        function("sha384(bytea) -> bytea", "SHA-384.", |row| {
            Ok(Sha384::digest(row.bytes(0)).to_vec().into())
        }),
        function("sha512(bytea) -> bytea", "SHA-512.", |row| {
            Ok(Sha512::digest(row.bytes(0)).to_vec().into())
        }),
        function(
            "convert_from(bytea, name) -> text",
            "Text from bytes of an encoding; UTF8 is known.",
            |row| {
                utf8(row.text(1))?;
                let text = String::from_utf8(row.bytes(0).to_vec());
                Ok(text
                    .map_err(|_| {
                        ValueError::new("22021", "invalid byte sequence for encoding \"UTF8\"")
                    })?
                    .into())
            },
        ),
        function(
            "convert_to(text, name) -> bytea",
            "Bytes of a text in an encoding; UTF8 is known.",
            |row| {
                utf8(row.text(1))?;
                Ok(row.text(0).as_bytes().to_vec().into())
            },
        ),
    ]
}

fn utf8(name: &str) -> Result<()> {
    if matches!(name.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "unicode") {
        return Ok(());
    }
    Err(ValueError::invalid_parameter(format!("invalid source encoding name \"{name}\"")))
}

fn unknown(name: &str) -> ValueError {
    ValueError::invalid_parameter(format!("unrecognized encoding: \"{name}\""))
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(bytes: &[u8], format: &str) -> Result<String> {
    match format.to_ascii_lowercase().as_str() {
        "hex" => Ok(hex(bytes)),
        "base64" => Ok(lines(&STANDARD.encode(bytes))),
        "escape" => Ok(bytes
            .iter()
            .map(|byte| match byte {
                b'\\' => "\\\\".to_owned(),
                0 | 128.. => format!("\\{byte:03o}"),
                byte => char::from(*byte).to_string(),
            })
            .collect()),
        _ => Err(unknown(format)),
    }
}

/// RFC 2045: lines of 76 characters.
fn lines(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + text.len() / 76);
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && place % 76 == 0 {
            result.push('\n');
        }
        result.push(letter);
    }
    result
}

fn decode(text: &str, format: &str) -> Result<Vec<u8>> {
    match format.to_ascii_lowercase().as_str() {
        "hex" => decode_hex(text),
        "base64" => decode_base64(text),
        "escape" => decode_escape(text),
        _ => Err(unknown(format)),
    }
}

fn decode_hex(text: &str) -> Result<Vec<u8>> {
    let mut digits = vec![];
    for letter in text.chars().filter(|letter| !letter.is_ascii_whitespace()) {
        let digit = letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        digits.push(digit.ok_or_else(|| {
            ValueError::invalid_parameter(format!("invalid hexadecimal digit: \"{letter}\""))
        })?);
    }
    if digits.len() % 2 == 1 {
        return Err(ValueError::invalid_parameter(
            "invalid hexadecimal data: odd number of digits",
        ));
    }
    Ok(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

fn decode_base64(text: &str) -> Result<Vec<u8>> {
    let text: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let known = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=');
    if let Some(letter) = text.chars().find(|letter| !known(letter)) {
        let message = format!("invalid symbol \"{letter}\" found while decoding base64 sequence");
        return Err(ValueError::invalid_parameter(message));
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text).map_err(|_| {
        ValueError::invalid_parameter("invalid base64 end sequence")
            .with_hint("Input data is missing padding, is truncated, or is otherwise corrupted.")
    })
}

fn decode_escape(text: &str) -> Result<Vec<u8>> {
    let invalid = || ValueError::new("22P02", "invalid input syntax for type bytea");
    let mut result = vec![];
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Ok(result),
            [b'\\', b'\\', rest @ ..] => {
                result.push(b'\\');
                rest
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                result.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest
            }
            [b'\\', ..] => return Err(invalid()),
            [byte, rest @ ..] => {
                result.push(*byte);
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn bytes() {
        check(&[
            ("md5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
            ("encode('\\x6869','hex')", "6869"),
            ("encode('hi','base64')", "aGk="),
            ("decode('6869','hex')", "\\x6869"),
            ("sha256('a')", "\\xca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
            ("decode('aGk=', 'base64')", "\\x6869"),
            ("encode('a\\\\b', 'escape')", "a\\\\b"),
            ("decode('a\\001', 'escape')", "\\x6101"),
            ("length(encode(decode(repeat('00', 60), 'hex'), 'base64'))", "81"),
            ("convert_from('\\x6869', 'UTF8')", "hi"),
        ]);
        check_errors(&[
            ("encode('a', 'rot13')", "22023", "unrecognized encoding: \"rot13\""),
            ("decode('6', 'hex')", "22023", "invalid hexadecimal data: odd number of digits"),
            ("decode('g0', 'hex')", "22023", "invalid hexadecimal digit: \"g\""),
        ]);
    }
}
