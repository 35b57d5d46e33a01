//! `real` and `double precision`.

use crate::{Result, ValueError};

/// Reads a `double precision`; numbers that overflow or vanish are refused, as `strtod` reports.
pub(crate) fn parse_f64(text: &str) -> Result<f64> {
    let number = super::text::trim(text);
    let value: f64 = number.parse().map_err(|_| invalid("double precision", text))?;
    match value.is_infinite() && is_number(number) || value == 0.0 && has_digits(number) {
        true => Err(out_of_range("double precision", number)),
        false => Ok(value),
    }
}

/// Reads a `real`.
pub(crate) fn parse_f32(text: &str) -> Result<f32> {
    let number = super::text::trim(text);
    let value: f32 = number.parse().map_err(|_| invalid("real", text))?;
    match value.is_infinite() && is_number(number) || value == 0.0 && has_digits(number) {
        // float4in quotes the whole text, float8in the number.
        true => Err(out_of_range("real", text)),
        false => Ok(value),
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether the mantissa has a digit other than zero, so that the value 0 means an underflow.
fn has_digits(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

fn invalid(type_name: &str, text: &str) -> ValueError {
    ValueError::invalid_text(type_name, text)
}

fn out_of_range(type_name: &str, text: &str) -> ValueError {
    ValueError::new("22003", format!("\"{text}\" is out of range for type {type_name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats() {
        for (text, value) in
            [("1", 1.0), (" -1.5e3 ", -1500.0), (".5", 0.5), ("5.", 5.0), ("0e9", 0.0)]
        {
            assert_eq!(parse_f64(text), Ok(value), "{text}");
        }
        assert_eq!(parse_f64("-Infinity"), Ok(f64::NEG_INFINITY));
        assert!(parse_f64("nan").unwrap().is_nan());
        assert_eq!(parse_f32("1e38"), Ok(1e38));
    }

    #[test]
    fn refusals() {
        assert_eq!(
            parse_f64("1e400").unwrap_err().message,
            "\"1e400\" is out of range for type double precision"
        );
        assert_eq!(parse_f64("1e-400").unwrap_err().sqlstate, "22003");
        assert_eq!(
            parse_f32("1e40").unwrap_err().message,
            "\"1e40\" is out of range for type real"
        );
        for text in ["", "x", "1,5", "1e", "."] {
            assert_eq!(parse_f64(text).unwrap_err().sqlstate, "22P02", "{text}");
        }
    }
}
