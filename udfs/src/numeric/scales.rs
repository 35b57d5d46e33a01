//! How many fractional digits PostgreSQL gives to a result: at least 16 significant ones, never
//! fewer than the operands have (numeric.c).

use num_bigint::BigInt;

use super::Finite;
use super::finite::power_of_ten;

/// `NUMERIC_MIN_SIG_DIGITS`.
const SIGNIFICANT_MIN: i64 = 16;
/// `NUMERIC_MAX_DISPLAY_SCALE`.
const SCALE_MAX: i64 = 1000;

/// Decimal places of one digit of base 10000, in which PostgreSQL keeps numbers.
const PLACES: i64 = 4;

fn clamped(scale: i64, operands: &[&Finite]) -> u32 {
    let own = operands.iter().map(|one| i64::from(one.scale)).max().unwrap_or_default();
    u32::try_from(scale.max(own).clamp(0, SCALE_MAX)).unwrap_or_default()
}

/// Weight of the first digit of base 10000, and the number that the first two are.
fn leading(value: &Finite) -> (i64, i64) {
    if value.is_zero() {
        return (0, 0);
    }
    let weight = value.exponent().div_euclid(PLACES);
    // Two digits of base 10000: the value over 10000^(weight − 1).
    let shift = i64::from(value.scale) + (weight - 1) * PLACES;
    let digits = BigInt::from(value.digits.magnitude().clone());
    let digits = match u32::try_from(shift) {
        Ok(shift) => digits / power_of_ten(shift),
        Err(_) => digits * power_of_ten(shift.unsigned_abs() as u32),
    };
    (weight, i64::try_from(digits).unwrap_or_default())
}

/// Of a quotient (`select_div_scale`).
pub fn quotient(a: &Finite, b: &Finite) -> u32 {
    let ((a_weight, a_digits), (b_weight, b_digits)) = (leading(a), leading(b));
    let less = i64::from(a_digits / 10_000 <= b_digits / 10_000);
    clamped(SIGNIFICANT_MIN - (a_weight - b_weight - less) * PLACES, &[a, b])
}

/// Of a square root.
pub fn root(value: &Finite) -> u32 {
    let whole = leading(value).0 * PLACES / 2 + 1;
    clamped(SIGNIFICANT_MIN - whole, &[value])
}

/// Of `e` to a power, of which `log10` is given.
pub fn power(log10: f64, operands: &[&Finite]) -> u32 {
    let digits = log10.clamp(-2000.0, 2000.0) as i64;
    clamped(SIGNIFICANT_MIN - digits, operands)
}

/// Of a power with a whole exponent.
pub fn whole_power(base: &Finite) -> u32 {
    clamped(SIGNIFICANT_MIN, &[base])
}

/// Of a natural logarithm.
pub fn logarithm(value: &Finite) -> u32 {
    clamped(SIGNIFICANT_MIN - logarithm_weight(value), &[value])
}

/// Of a logarithm to a base.
pub fn logarithm_to(base: &Finite, value: &Finite) -> u32 {
    let weight = logarithm_weight(value) - logarithm_weight(base);
    clamped(SIGNIFICANT_MIN - weight, &[base, value])
}

/// Where the first digit of a logarithm stands (`estimate_ln_dweight`).
pub fn logarithm_weight(value: &Finite) -> i64 {
    let tenths = |count: i128| Finite::of(count, 1);
    if value.signum() <= 0 {
        return 0;
    }
    if *value >= tenths(9) && *value <= tenths(11) {
        // ln x is about x − 1.
        let near = value.minus(&tenths(10));
        let (weight, digits) = leading(&near);
        let first = (digits / 10_000) as f64;
        return if near.is_zero() { 0 } else { weight * PLACES + first.log10() as i64 };
    }
    let (weight, digits) = leading(value);
    let power = ((weight - 1) * PLACES) as f64;
    let estimate = (digits as f64).ln() + power * std::f64::consts::LN_10;
    estimate.abs().log10() as i64
}
