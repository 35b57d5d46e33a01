//! `sqrt`, `exp`, `ln`, `log` and `power` of numbers, right to the last digit that is shown: fixed
//! point of as many digits as the result needs, and some more.

use num_bigint::BigInt;

use super::Number::{Infinity, NaN, NegativeInfinity};
use super::finite::power_of_ten;
use super::{Finite, Number, scales};
use crate::functions::decimal::overflow;
use crate::{Result, ValueError};

/// Digits that are computed and not shown.
const GUARD: u32 = 15;
/// Decimal digits of the largest number.
const DIGITS_MAX: f64 = 131_072.0;
/// Most digits that a whole power is computed with exactly.
const EXACT_MAX: f64 = 4_000.0;
/// Most fractional digits that are shown.
const SCALE_MAX: f64 = 1_000.0;

/// Fixed point: `value / 10^places`.
#[derive(Clone, Copy)]
struct Fixed {
    places: u32,
}

impl Fixed {
    fn one(self) -> BigInt {
        power_of_ten(self.places)
    }

    fn multiply(self, a: &BigInt, b: &BigInt) -> BigInt {
        a * b / self.one()
    }

    fn divide(self, a: &BigInt, b: &BigInt) -> BigInt {
        a * self.one() / b
    }

    /// artanh(1/n) for a whole n.
    fn artanh_of_one_over(self, n: u32) -> BigInt {
        let square = n * n;
        let (mut term, mut sum, mut odd) = (self.one() / n, BigInt::ZERO, 1u32);
        while term != BigInt::ZERO {
            sum += &term / odd;
            term /= square;
            odd += 2;
        }
        sum
    }

    fn ln_two(self) -> BigInt {
        self.artanh_of_one_over(26) * 18 - self.artanh_of_one_over(4801) * 2
            + self.artanh_of_one_over(8749) * 8
    }

    /// e to the power.
    fn exp(self, exponent: &BigInt) -> BigInt {
        let ln_two = self.ln_two();
        let twos = (exponent * 2 + &ln_two) / (&ln_two * 2);
        let rest = exponent - &twos * &ln_two;
        let (mut term, mut sum, mut index) = (self.one(), self.one(), 1u32);
        while term != BigInt::ZERO {
            term = self.multiply(&term, &rest) / index;
            sum += &term;
            index += 1;
        }
        match i64::try_from(twos).unwrap_or_default() {
            up if up >= 0 => sum << up.unsigned_abs(),
            down => sum >> down.unsigned_abs(),
        }
    }

    /// The natural logarithm of a positive number.
    fn ln(self, number: &Finite) -> BigInt {
        let divisor = power_of_ten(number.scale);
        let twos = number.digits.bits() as i64 - divisor.bits() as i64;
        let scaled = &number.digits * self.one();
        let mut mantissa = match twos {
            up if up >= 0 => scaled / (divisor << up.unsigned_abs()),
            down => (scaled << down.unsigned_abs()) / divisor,
        };
        let mut twos = twos;
        if &mantissa * 4 < self.one() * 3 {
            (mantissa, twos) = (mantissa * 2, twos - 1);
        }
        // ln m = 2 artanh((m − 1) / (m + 1))
        let ratio = self.divide(&(&mantissa - self.one()), &(&mantissa + self.one()));
        let square = self.multiply(&ratio, &ratio);
        let (mut term, mut sum, mut odd) = (ratio, BigInt::ZERO, 1u32);
        while term != BigInt::ZERO {
            sum += &term / odd;
            term = self.multiply(&term, &square);
            odd += 2;
        }
        sum * 2 + self.ln_two() * twos
    }

    fn of(self, number: &Finite) -> BigInt {
        number.at(self.places)
    }

    fn result(self, value: BigInt, scale: u32) -> Finite {
        Finite::new(value, self.places).rounded(scale.into())
    }
}

fn fixed(scale: u32, whole_digits: f64) -> Fixed {
    Fixed { places: scale + whole_digits.max(0.0) as u32 + GUARD }
}

/// The square root.
///
/// # Errors
/// `cannot take square root of a negative number` (2201F).
pub fn sqrt(number: &Number) -> Result<Number> {
    match number {
        NaN => Ok(NaN),
        number if number.signum() < 0 => {
            Err(ValueError::new("2201F", "cannot take square root of a negative number"))
        }
        Number::Finite(value) => Ok(root(value, scales::root(value)).into()),
        other => Ok(other.clone()),
    }
}

/// The square root of what is not negative, at a scale.
pub fn root(value: &Finite, scale: u32) -> Finite {
    // One digit more than asked for, then rounded.
    let wide = scale + 1;
    Finite::new(value.at(2 * wide.max(value.scale)).sqrt(), wide.max(value.scale))
        .rounded(scale.into())
}

/// e to a power.
///
/// # Errors
/// `value overflows numeric format` (22003).
pub fn exp(number: &Number) -> Result<Number> {
    let value = match number {
        NegativeInfinity => return Ok(Number::from(0)),
        Number::Finite(value) => value,
        other => return Ok(other.clone()),
    };
    let log10 = number.to_f64() * std::f64::consts::LOG10_E;
    let scale = scales::power(log10, &[value]);
    if log10 > DIGITS_MAX {
        return Err(overflow());
    }
    if log10 < -SCALE_MAX - 1.0 {
        return Ok(Finite::new(BigInt::ZERO, scale).into());
    }
    let fixed = fixed(scale, log10);
    let exponent = fixed.of(value);
    Ok(fixed.result(fixed.exp(&exponent), scale).into())
}

fn logarithmic(number: &Number) -> Result<()> {
    match number {
        NaN => Ok(()),
        number if number.signum() > 0 => Ok(()),
        number => {
            let what = if number.signum() == 0 { "zero" } else { "a negative number" };
            Err(ValueError::new("2201E", format!("cannot take logarithm of {what}")))
        }
    }
}

/// The natural logarithm.
///
/// # Errors
/// `cannot take logarithm of zero` and of a negative number (2201E).
pub fn ln(number: &Number) -> Result<Number> {
    logarithmic(number)?;
    let Number::Finite(value) = number else { return Ok(number.clone()) };
    let scale = scales::logarithm(value);
    let fixed = fixed(scale, 0.0);
    Ok(fixed.result(fixed.ln(value), scale).into())
}

/// The logarithm to a base.
///
/// # Errors
/// As [`ln`]; `division by zero` (22012) of base 1.
pub fn log(base: &Number, number: &Number) -> Result<Number> {
    if matches!(base, NaN) || matches!(number, NaN) {
        return Ok(NaN);
    }
    logarithmic(base)?;
    logarithmic(number)?;
    match (base, number) {
        (Number::Finite(base), Number::Finite(value)) => {
            let scale = scales::logarithm_to(base, value);
            let small = -scales::logarithm_weight(base).min(scales::logarithm_weight(value));
            let fixed = fixed(scale, 2.0 * small.max(0) as f64);
            let divisor = fixed.ln(base);
            if divisor == BigInt::ZERO {
                return Err(crate::functions::decimal::division_by_zero());
            }
            Ok(fixed.result(fixed.divide(&fixed.ln(value), &divisor), scale).into())
        }
        (Number::Finite(_), _) => Ok(Infinity),
        (_, Number::Finite(_)) => Ok(Number::from(0)),
        _ => Ok(NaN),
    }
}

fn undefined() -> ValueError {
    ValueError::new("2201F", "zero raised to a negative power is undefined")
}

fn complex() -> ValueError {
    ValueError::new(
        "2201F",
        "a negative number raised to a non-integer power yields a complex result",
    )
}

/// A power.
///
/// # Errors
/// A result that is complex or undefined (2201F), or too large (22003).
pub fn power(base: &Number, exponent: &Number) -> Result<Number> {
    let one = |number: &Number| *number == Number::from(1);
    match (base, exponent) {
        // The POSIX rules for pow(), as numeric_power has them.
        (NaN, exponent) if exponent.signum() == 0 && !matches!(exponent, NaN) => Ok(1.into()),
        (base, NaN) if one(base) => Ok(1.into()),
        (NaN, _) | (_, NaN) => Ok(NaN),
        (base, exponent) if base.signum() == 0 && exponent.signum() < 0 => Err(undefined()),
        (Number::Finite(base), Number::Finite(exponent)) => finite_power(base, exponent),
        (base, Number::Finite(exponent)) => infinite_power(base, exponent),
        (base, _) if one(base) || *base == Number::from(-1) => Ok(1.into()),
        (base, _) if base.signum() == 0 => Ok(0.into()),
        (base, exponent) => {
            let magnitude = if base.signum() < 0 { base.clone().negated() } else { base.clone() };
            let grows = magnitude > Number::from(1);
            Ok(if grows == (exponent.signum() > 0) { Infinity } else { 0.into() })
        }
    }
}

fn infinite_power(base: &Number, exponent: &Finite) -> Result<Number> {
    let whole = exponent.truncated(0) == *exponent;
    match exponent.signum() {
        0 => Ok(1.into()),
        _ if !whole && base.signum() < 0 => Err(complex()),
        -1 => Ok(0.into()),
        _ if base.signum() < 0 && exponent.at(0).bit(0) => Ok(NegativeInfinity),
        _ => Ok(Infinity),
    }
}

fn finite_power(base: &Finite, exponent: &Finite) -> Result<Number> {
    let whole = (exponent.truncated(0) == *exponent).then(|| i32::try_from(exponent.at(0)).ok());
    if let Some(Some(times)) = whole {
        return whole_power(base, times).map(Number::from);
    }
    if base.is_zero() {
        return Ok(Finite::new(BigInt::ZERO, 16).into());
    }
    if base.signum() < 0 && whole.is_none() {
        return Err(complex());
    }
    let odd = base.signum() < 0 && exponent.at(0).bit(0);
    let magnitude = base.clone().magnitude();
    let log10 = log10_of_power(&magnitude, exponent);
    if log10 > DIGITS_MAX {
        return Err(overflow());
    }
    if log10 < -SCALE_MAX * 3.01 {
        return Ok(Finite::new(BigInt::ZERO, SCALE_MAX as u32).into());
    }
    let result = by_logarithm(&magnitude, exponent, scales::power(log10, &[base, exponent]));
    Ok(if odd { result.negated() } else { result }.checked()?.into())
}

/// log10 of a power of a positive number.
fn log10_of_power(base: &Finite, exponent: &Finite) -> f64 {
    let fixed = fixed(17, -scales::logarithm_weight(base) as f64);
    let logarithm = Finite::new(fixed.ln(base), fixed.places);
    Number::Finite(logarithm.times(exponent)).to_f64() * std::f64::consts::LOG10_E
}

/// e to the product of the exponent and the logarithm of a positive base.
fn by_logarithm(base: &Finite, exponent: &Finite, scale: u32) -> Finite {
    let log10 = log10_of_power(base, exponent);
    let more = exponent.exponent().max(0) as f64;
    let fixed = fixed(scale, log10.max(0.0) + more);
    let product = Finite::new(fixed.ln(base), fixed.places).times(exponent);
    fixed.result(fixed.exp(&product.at(fixed.places)), scale)
}

fn whole_power(base: &Finite, times: i32) -> Result<Finite> {
    let scale = scales::whole_power(base);
    if base.is_zero() || times == 0 {
        return Ok(Finite::of(i128::from(times == 0), 0).rounded(scale.into()));
    }
    let exponent = Finite::of(times.into(), 0);
    let magnitude = base.clone().magnitude().trimmed();
    let log10 = log10_of_power(&magnitude, &exponent);
    if log10 > DIGITS_MAX {
        return Err(overflow());
    }
    if log10 < -f64::from(scale) - 1.0 {
        return Ok(Finite::new(BigInt::ZERO, scale));
    }
    let count = times.unsigned_abs();
    let digits = magnitude.digits.bits() as f64 * std::f64::consts::LOG10_2 * f64::from(count);
    let exact = digits < EXACT_MAX || magnitude.scale == 0 && times > 0;
    let result = if exact {
        let power = Finite::new(magnitude.digits.pow(count), magnitude.scale * count);
        let one = Finite::of(1, 0);
        if times < 0 { one.over(&power, scale) } else { power.rounded(scale.into()) }
    } else {
        by_logarithm(&magnitude, &exponent, scale)
    };
    let negative = base.signum() < 0 && count % 2 == 1;
    (if negative { result.negated() } else { result }).checked()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    /// What PostgreSQL 15 answers.
    #[test]
    fn postgresql_s_digits() {
        for (value, root) in [
            ("2", "1.414213562373095"),
            ("0.0001", "0.01000000000000000"),
            ("123456789", "11111.11106055556"),
            ("1e20", "10000000000.00000"),
        ] {
            assert_eq!(sqrt(&number(value)).unwrap().to_string(), root, "{value}");
        }
        for (value, result) in [
            ("1", "2.7182818284590452"),
            ("-20", "0.000000002061153622438558"),
            ("100", "26881171418161354484126255515800135873611119"),
            ("0", "1.0000000000000000"),
        ] {
            assert_eq!(exp(&number(value)).unwrap().to_string(), result, "{value}");
        }
        for (value, result) in [
            ("2", "0.6931471805599453"),
            ("10", "2.3025850929940457"),
            ("1.0000001", "0.00000009999999500000033"),
            ("1e-20", "-46.05170185988091368036"),
        ] {
            assert_eq!(ln(&number(value)).unwrap().to_string(), result, "{value}");
        }
        for (base, value, result) in [
            ("10", "100", "2.0000000000000000"),
            ("2.0", "64.0", "6.0000000000000000"),
            ("10", "3", "0.4771212547196624"),
        ] {
            let found = log(&number(base), &number(value)).unwrap().to_string();
            assert_eq!(found, result, "{value}");
        }
    }

    #[test]
    fn powers_are_postgresql_s() {
        for (base, exponent, result) in [
            ("2", "10", "1024.0000000000000000"),
            ("3", "-50", "0.0000000000000000"),
            ("1.5", "2", "2.2500000000000000"),
            ("2", "100", "1267650600228229401496703205376.0000000000000000"),
            ("2", "0.5", "1.4142135623730950"),
            ("10", "-3", "0.0010000000000000"),
            ("1.0001", "10000", "2.7181459268252249"),
            ("0", "0", "1.0000000000000000"),
            ("0", "2.5", "0.0000000000000000"),
            ("7", "-1", "0.1428571428571429"),
            ("1.25", "40", "7523.1638452626400510"),
            ("2.000000000000000000000", "2", "4.000000000000000000000"),
            ("2.5", "2.5", "9.8821176880261854"),
            ("100", "-0.5", "0.10000000000000000"),
            ("-2", "3", "-8.0000000000000000"),
            ("NaN", "0", "1"),
            ("Infinity", "-1", "0"),
            ("-Infinity", "3", "-Infinity"),
        ] {
            let found = power(&number(base), &number(exponent)).unwrap().to_string();
            assert_eq!(found, result, "{base} ^ {exponent}");
        }
        assert_eq!(power(&number("0"), &number("-1")).unwrap_err().sqlstate, "2201F");
        assert_eq!(power(&number("-8"), &number("0.333")).unwrap_err().sqlstate, "2201F");
        assert_eq!(power(&number("10"), &number("131073")).unwrap_err().sqlstate, "22003");
    }
}
