//! Numbers of `jsonb`, which PostgreSQL keeps as `numeric`: `1e2` prints `100`, `1.50` stays.

use crate::{Result, ValueError};

/// Digits before and after the point that `numeric` holds (manual §8.1.2).
const WHOLE_MAX: i64 = 131_072;
const FRACTION_MAX: i64 = 16_383;
/// Exponents beyond this overflow whatever the digits are.
const EXPONENT_MAX: i64 = 1_000_000_000;

/// Prints a JSON number, which is known to be well formed, as `numeric` prints it.
pub(crate) fn normalise(number: &str, out: &mut String) -> Result<()> {
    let (negative, unsigned) = match number.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, number),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.parse().map_err(|_| overflow())?;
    if exponent.abs() > EXPONENT_MAX {
        return Err(overflow());
    }
    let digits = [whole, fraction].concat();
    let point = i64::try_from(whole.len()).map_err(|_| overflow())? + exponent;
    let length = i64::try_from(digits.len()).map_err(|_| overflow())?;
    let scale = (length - point).max(0);
    if point > WHOLE_MAX || scale > FRACTION_MAX {
        return Err(overflow());
    }
    let is_zero = digits.bytes().all(|byte| byte == b'0');
    if negative && !is_zero {
        out.push('-');
    }
    let start = out.len();
    let whole_end = usize::try_from(point.clamp(0, length)).map_err(|_| overflow())?;
    let (before, after) = digits.split_at_checked(whole_end).unwrap_or((&digits, ""));
    out.push_str(before.trim_start_matches('0'));
    if out.len() > start {
        out.extend((length..point).map(|_| '0'));
    } else {
        out.push('0');
    }
    if scale > 0 {
        out.push('.');
        out.extend((point..0).map(|_| '0'));
        out.push_str(after);
    }
    Ok(())
}

fn overflow() -> ValueError {
    ValueError::new("22003", "value overflows numeric format")
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_numeric_prints() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0.0"),
            ("1.50", "1.50"),
            ("1e2", "100"),
            ("1.5e1", "15"),
            ("1.50e1", "15.0"),
            ("1E-3", "0.001"),
            ("-12.5e-1", "-1.25"),
            ("0e5", "0"),
            ("0.001", "0.001"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("0.5e1", "5"),
            ("1e+2", "100"),
        ] {
            let mut out = String::new();
            super::normalise(text, &mut out).unwrap();
            assert_eq!(out, expected, "{text}");
        }
        assert!(super::normalise("1e200000", &mut String::new()).is_err());
    }
}
