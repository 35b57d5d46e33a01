//! `exp`, `ln`, `sqrt`, `power` of `numeric`, in fixed point with 34 fractional digits of 256 bits.

use datafusion::arrow::datatypes::i256;

use crate::functions::decimal::{Decimal, divide_rounded, overflow, power_of_ten};
use crate::{Result, ValueError};

/// Fractional digits on the way.
const DIGITS: u32 = 34;
/// Largest scale of what a power is computed with.
const POWER_SCALE_MAX: i8 = 18;

fn one() -> i256 {
    power_of_ten(DIGITS)
}

fn multiply(a: i256, b: i256) -> i256 {
    divide_rounded(a.wrapping_mul(b), one())
}

fn divide(a: i256, b: i256) -> i256 {
    divide_rounded(a.wrapping_mul(one()), b)
}

fn small(value: i64) -> i256 {
    i256::from_i128(value.into())
}

/// ln 2.
fn ln_two() -> i256 {
    i256::from_i128(6_931_471_805_599_453_094_172_321_214_581_766)
}

fn fixed(number: Decimal) -> i256 {
    number.wide_at(DIGITS as i8)
}

fn rounded(value: i256, scale: i8) -> Result<Decimal> {
    let power = power_of_ten(DIGITS.saturating_sub(u32::from(scale.unsigned_abs())));
    Decimal::from_wide(divide_rounded(value, power), scale)
}

fn complex() -> ValueError {
    ValueError::new(
        "2201F",
        "a negative number raised to a non-integer power yields a complex result",
    )
}

/// The natural logarithm.
///
/// # Errors
/// `cannot take logarithm of zero` and of a negative number (2201E).
pub fn ln(number: Decimal, scale: i8) -> Result<Decimal> {
    rounded(ln_fixed(number)?, scale)
}

fn ln_fixed(number: Decimal) -> Result<i256> {
    if number.value <= 0 {
        let what = if number.is_zero() { "zero" } else { "a negative number" };
        return Err(ValueError::new("2201E", format!("cannot take logarithm of {what}")));
    }
    let (mut mantissa, mut twos) = (fixed(number), 0i64);
    let (low, high) = (
        divide_rounded(one().wrapping_mul(small(3)), small(4)),
        divide_rounded(one().wrapping_mul(small(3)), small(2)),
    );
    while mantissa >= high {
        mantissa = divide_rounded(mantissa, small(2));
        twos += 1;
    }
    while mantissa < low {
        mantissa = mantissa.wrapping_mul(small(2));
        twos -= 1;
    }
    // ln m = 2 artanh((m − 1) / (m + 1))
    let ratio = divide(mantissa.wrapping_sub(one()), mantissa.wrapping_add(one()));
    let square = multiply(ratio, ratio);
    let (mut term, mut sum) = (ratio, ratio);
    for odd in (3..200).step_by(2) {
        term = multiply(term, square);
        if term == i256::ZERO {
            break;
        }
        sum = sum.wrapping_add(divide_rounded(term, small(odd)));
    }
    Ok(sum.wrapping_mul(small(2)).wrapping_add(ln_two().wrapping_mul(small(twos))))
}

/// e to a power.
///
/// # Errors
/// `value overflows numeric format` (22003).
pub fn exp(number: Decimal, scale: i8) -> Result<Decimal> {
    if number > Decimal::from(60) {
        return Err(overflow());
    }
    if number < Decimal::from(-90) {
        return Ok(Decimal { value: 0, scale });
    }
    rounded(exp_fixed(fixed(number)), scale)
}

fn exp_fixed(exponent: i256) -> i256 {
    let twos = divide_rounded(exponent, ln_two());
    let rest = exponent.wrapping_sub(twos.wrapping_mul(ln_two()));
    let (mut term, mut sum) = (one(), one());
    for index in 1..60 {
        term = divide_rounded(multiply(term, rest), small(index));
        if term == i256::ZERO {
            break;
        }
        sum = sum.wrapping_add(term);
    }
    let twos = twos.to_i128().unwrap_or_default();
    (0..twos.unsigned_abs()).fold(sum, |value, _| {
        if twos > 0 { value.wrapping_mul(small(2)) } else { divide_rounded(value, small(2)) }
    })
}

/// The square root.
///
/// # Errors
/// `cannot take square root of a negative number` (2201F).
pub fn sqrt(number: Decimal, scale: i8) -> Result<Decimal> {
    if number.value < 0 {
        return Err(ValueError::new("2201F", "cannot take square root of a negative number"));
    }
    if number.is_zero() {
        return Ok(Decimal { value: 0, scale });
    }
    // One digit more than asked for, then rounded.
    let wide = number.wide_at(scale.saturating_add(1).saturating_mul(2));
    let mut guess = power_of_ten(u32::try_from(wide.to_string().len()).unwrap_or(76) / 2 + 1);
    loop {
        let next = divide_floor_half(guess, wide);
        if next >= guess {
            break;
        }
        guess = next;
    }
    Decimal::from_wide(divide_rounded(guess, small(10)), scale)
}

fn divide_floor_half(guess: i256, wide: i256) -> i256 {
    guess.wrapping_add(wide.wrapping_div(guess)).wrapping_div(small(2))
}

/// A power; exact for whole exponents as far as the digits go.
///
/// # Errors
/// A result that is complex or undefined (2201F), or too large (22003).
pub fn power(base: Decimal, exponent: Decimal, scale: i8) -> Result<Decimal> {
    let whole = exponent.truncated(0) == exponent;
    if base.is_zero() && exponent.value < 0 {
        return Err(ValueError::new("2201F", "zero raised to a negative power is undefined"));
    }
    if base.is_zero() {
        return Ok(if exponent.is_zero() { Decimal::from(1) } else { Decimal::ZERO });
    }
    if whole
        && let Ok(times) = i64::try_from(exponent.at(0)?.value)
        && times.unsigned_abs() <= 4096
    {
        return whole_power(base, times, scale);
    }
    if base.value < 0 {
        return Err(complex());
    }
    let product = multiply(ln_fixed(base)?, fixed(exponent));
    if product > one().wrapping_mul(small(60)) {
        return Err(overflow());
    }
    rounded(exp_fixed(product), scale)
}

fn whole_power(base: Decimal, times: i64, scale: i8) -> Result<Decimal> {
    let base = base.trimmed();
    let mut result = Decimal::from(1);
    for _ in 0..times.unsigned_abs() {
        result = result.multiply(base)?;
        if result.scale > POWER_SCALE_MAX {
            result = result.at(POWER_SCALE_MAX)?;
        }
        if result.is_zero() {
            break;
        }
    }
    match (times < 0, result.is_zero()) {
        (true, true) => Err(overflow()),
        (true, false) => Decimal::from(1).divide(result, scale),
        _ => Ok(result),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_thirty_digits() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert_eq!(ln(number("10"), 30).unwrap().to_string(), "2.302585092994045684017991454684");
        assert_eq!(exp(number("1"), 30).unwrap().to_string(), "2.718281828459045235360287471353");
        assert_eq!(sqrt(number("2"), 15).unwrap().to_string(), "1.414213562373095");
        assert_eq!(
            power(number("2"), number("0.5"), 16).unwrap().to_string(),
            "1.4142135623730950"
        );
        assert_eq!(power(number("1.5"), number("3"), 16).unwrap().trimmed().to_string(), "3.375");
        assert_eq!(power(number("2"), number("-2"), 16).unwrap().trimmed().to_string(), "0.25");
    }
}
