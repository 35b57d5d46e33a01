//! `numeric`: digits, a point, an exponent → a whole number of units of the column's last digit.

use datafusion::common::ScalarValue;

use crate::numeric::{Number, stored};
use crate::types::PgType;
use crate::{Result, ValueError};

/// Powers of ten that an `i128` holds.
const POWERS: [i128; 39] = {
    let mut powers = [1i128; 39];
    let mut index = 1;
    while index < 39 {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// `10^exponent`, where an `i128` holds it.
pub(crate) fn power(exponent: usize) -> Option<i128> {
    POWERS.get(exponent).copied()
}

/// Precision and scale of a `numeric` column, with the bound that they set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) precision: u8,
    pub(crate) scale: i8,
    /// Smallest magnitude that no longer fits, in units of the last digit.
    limit: i128,
}

impl Shape {
    /// Where Arrow can hold it: precision 1–38, scale 0–precision.
    pub(crate) fn new((precision, scale): (u8, i8)) -> Result<Self> {
        match power(usize::from(precision)) {
            Some(limit)
                if precision > 0 && scale >= 0 && i16::from(scale) <= i16::from(precision) =>
            {
                Ok(Self { precision, scale, limit })
            }
            _ => Err(ValueError::new(
                "0A000",
                format!("numeric({precision},{scale}) is not supported"),
            )
            .with_detail(
                "The precision must be at most 38 and the scale between 0 and the precision.",
            )),
        }
    }

    /// The value, when the modifier admits it.
    pub(crate) fn checked(self, value: i128) -> Result<i128> {
        if value.unsigned_abs() < self.limit.unsigned_abs() {
            return Ok(value);
        }
        Err(self.overflow())
    }

    /// PostgreSQL's `numeric field overflow` with its DETAIL.
    pub(crate) fn overflow(self) -> ValueError {
        let digits = i16::from(self.precision) - i16::from(self.scale);
        let bound = if digits == 0 { "1".to_owned() } else { format!("10^{digits}") };
        ValueError::new("22003", "numeric field overflow").with_detail(format!(
            "A field with precision {}, scale {} must round to an absolute value less than {bound}.",
            self.precision, self.scale
        ))
    }

    /// A value of another scale, rounded half away from zero (numeric.c, round_var).
    pub(crate) fn rescale(self, value: i128, scale: i8) -> Result<i128> {
        self.checked(rescale(value, scale, self.scale).ok_or_else(|| self.overflow())?)
    }
}

/// Moves a value from one scale to another, rounding half away from zero; `None` on overflow.
pub(crate) fn rescale(value: i128, from: i8, to: i8) -> Option<i128> {
    let difference = i32::from(to) - i32::from(from);
    if difference >= 0 {
        if value == 0 {
            return Some(0);
        }
        return value.checked_mul(power(usize::try_from(difference).ok()?)?);
    }
    let Some(divisor) = power(usize::try_from(-difference).ok()?) else { return Some(0) };
    let (quotient, rest) = (value / divisor, value % divisor);
    let up = rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2);
    Some(if up { quotient + value.signum() } else { quotient })
}

/// Reads a `numeric` into units of the last digit of `shape`.
pub(crate) fn parse(text: &str, shape: Shape) -> Result<i128> {
    match plain(text.as_bytes(), shape) {
        Some(value) => shape.checked(value),
        None => general(text, shape),
    }
}

/// At most 18 digits, an optional point and no more fraction than the scale: what data files hold.
fn plain(bytes: &[u8], shape: Shape) -> Option<i128> {
    let (negative, bytes) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if bytes.len() > 19 {
        return None;
    }
    let (mut value, mut digits, mut point) = (0i64, 0, None);
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value.checked_mul(10)? + i64::from(digit);
            digits += 1;
        } else if *byte == b'.' && point.is_none() {
            point = Some(digits);
        } else {
            return None;
        }
    }
    let fraction = digits - point.unwrap_or(digits);
    let missing = usize::try_from(shape.scale).ok()?.checked_sub(fraction)?;
    if digits == 0 || digits > 18 {
        return None;
    }
    let value = i128::from(value).checked_mul(power(missing)?)?;
    Some(if negative { -value } else { value })
}

fn general(text: &str, shape: Shape) -> Result<i128> {
    let invalid = || ValueError::invalid_text("numeric", text);
    let number = super::text::trim(text);
    let (negative, unsigned) = match number.as_bytes() {
        [b'-', ..] => (true, &number[1..]),
        [b'+', ..] => (false, &number[1..]),
        _ => (false, number),
    };
    special(unsigned, shape)?;
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    let exponent = exponent.map_or(Ok(0), |exponent| self::exponent(exponent, text))?;
    // How many digits stand before the end of the column's last digit.
    let wanted =
        i64::try_from(whole.len()).map_err(|_| invalid())? + exponent + i64::from(shape.scale);
    let (mut value, mut place) = (0i128, 0i64);
    for byte in digits() {
        let digit = i128::from(byte - b'0');
        if place == wanted && digit >= 5 {
            value += 1;
        }
        if place >= wanted {
            break;
        }
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(digit))
            .ok_or_else(|| shape.overflow())?;
        place += 1;
    }
    if value != 0 && place < wanted {
        let missing = usize::try_from(wanted - place).ok().and_then(power);
        value =
            missing.and_then(|power| value.checked_mul(power)).ok_or_else(|| shape.overflow())?;
    }
    shape.checked(if negative { -value } else { value })
}

/// The exponent of a number.
///
/// # Errors
/// Not a number (22P02), far too large (22003).
pub(crate) fn exponent(text: &str, whole_text: &str) -> Result<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::invalid_text("numeric", whole_text));
    }
    match text.parse::<i64>() {
        Ok(exponent) if exponent.abs() < i64::from(i32::MAX / 2) => Ok(exponent),
        _ => Err(ValueError::new("22003", "value overflows numeric format")),
    }
}

/// Decimals have no room for what is not a number.
fn special(unsigned: &str, shape: Shape) -> Result<()> {
    let is = |word: &str| unsigned.eq_ignore_ascii_case(word);
    if is("infinity") || is("inf") {
        return Err(infinite(shape.precision.into(), shape.scale.into()));
    }
    match is("nan") {
        true => Err(ValueError::new(
            "0A000",
            format!("NaN in numeric({},{}) is not supported", shape.precision, shape.scale),
        )
        .with_hint("A column of type numeric without precision holds NaN.")),
        false => Ok(()),
    }
}

fn infinite(precision: u16, scale: i16) -> ValueError {
    ValueError::new("22003", "numeric field overflow").with_detail(format!(
        "A field with precision {precision}, scale {scale} cannot hold an infinite value."
    ))
}

/// Reads a `numeric` into the bytes that keep it.
///
/// # Errors
/// Not a number (22P02), too large (22003).
pub(crate) fn parse_free(text: &str, pg_type: PgType, out: &mut Vec<u8>) -> Result<()> {
    if pg_type.modifier < 0
        && let Some(small) = written(text.as_bytes())
    {
        stored::write_small(small, out);
        return Ok(());
    }
    stored::write(&fitted(Number::parse(text)?, pg_type)?, out);
    Ok(())
}

/// At most 18 digits and an optional point: the value, and its digits behind the point.
fn written(bytes: &[u8]) -> Option<(i128, u32)> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut value, mut count, mut point) = (0i64, 0u32, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' if count < 18 => {
                value = value * 10 + i64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    let scale = count - point.unwrap_or(count);
    (count > 0).then(|| (i128::from(if negative { -value } else { value }), scale))
}

/// The number as the modifier of a type wants it (numeric.c, `apply_typmod`).
///
/// # Errors
/// `numeric field overflow` (22003).
pub(crate) fn fitted(number: Number, pg_type: PgType) -> Result<Number> {
    let Some((precision, scale)) = pg_type.numeric_parts() else { return Ok(number) };
    let value = match number {
        Number::NaN => return Ok(Number::NaN),
        Number::Finite(value) => value.rounded(scale.into()),
        _ => return Err(infinite(precision, scale)),
    };
    let whole = i64::from(precision) - i64::from(scale);
    if !value.is_zero() && value.exponent() >= whole {
        let bound = if whole == 0 { "1".to_owned() } else { format!("10^{whole}") };
        return Err(ValueError::new("22003", "numeric field overflow").with_detail(format!(
            "A field with precision {precision}, scale {scale} must round to an absolute value less than {bound}."
        )));
    }
    Ok(Number::Finite(value))
}

/// A plain number of at most `digits_max` digits with the scale that it is written in: `12.50` has
/// two digits after the point. `None` for any other text.
pub fn exact(text: &str, digits_max: usize) -> Option<ScalarValue> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() + fraction.len() > digits_max {
        return None;
    }
    let value: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let value = if text.starts_with('-') { -value } else { value };
    Some(ScalarValue::Decimal128(Some(value), 38, i8::try_from(fraction.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, precision: u8, scale: i8) -> Result<i128> {
        parse(text, Shape::new((precision, scale))?)
    }

    #[test]
    fn numbers() {
        for (text, precision, scale, value) in [
            ("1", 12, 2, 100),
            ("-12.34", 12, 2, -1234),
            ("12.345", 12, 2, 1235),
            ("-12.345", 12, 2, -1235),
            ("0.005", 12, 2, 1),
            ("0.0049", 12, 2, 0),
            ("1e3", 12, 2, 100_000),
            ("1.5e-1", 12, 2, 15),
            ("5e-3", 12, 2, 1),
            ("5e-4", 12, 2, 0),
            (" +.5 ", 12, 2, 50),
            ("5.", 12, 0, 5),
            ("0.000", 5, 5, 0),
            ("99.995e1", 5, 1, 10_000),
            ("1e-999999", 5, 2, 0),
            ("12345678901234567890.12", 38, 10, 123_456_789_012_345_678_901_200_000_000),
        ] {
            assert_eq!(read(text, precision, scale), Ok(value), "{text}");
        }
    }

    #[test]
    fn refusals() {
        for text in ["", "abc", "1.2.3", "1e", "e5", ".", "-", "1 2", "--1", "0x1"] {
            let error = read(text, 12, 2).unwrap_err();
            assert_eq!(error.message, format!("invalid input syntax for type numeric: \"{text}\""));
        }
        let error = read("100", 4, 2).unwrap_err();
        assert_eq!(error.message, "numeric field overflow");
        assert_eq!(
            error.detail.as_deref(),
            Some(
                "A field with precision 4, scale 2 must round to an absolute value less than 10^2."
            )
        );
        assert_eq!(read("99.995", 4, 2).unwrap_err().sqlstate, "22003");
        assert_eq!(read("1e30", 38, 10).unwrap_err().sqlstate, "22003");
        assert!(
            read("1", 2, 2)
                .unwrap_err()
                .detail
                .is_some_and(|detail| detail.ends_with("less than 1."))
        );
    }
}
