//! [`Finite`]: digits and how many of them are fractional.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};

use crate::functions::decimal::{Decimal, overflow};
use crate::{Result, ValueError};

/// Digits before and after the point that `numeric` holds (manual, 8.1.2).
const WHOLE_MAX: i64 = 131_072;
const FRACTION_MAX: i64 = 16_383;

/// `digits / 10^scale`.
#[derive(Debug, Clone)]
pub struct Finite {
    /// All digits.
    pub digits: BigInt,
    /// How many of them are fractional: what is shown.
    pub scale: u32,
}

/// `10^exponent`.
pub(crate) fn power_of_ten(exponent: u32) -> BigInt {
    match 10i128.checked_pow(exponent) {
        Some(power) => power.into(),
        None => BigInt::from(10).pow(exponent),
    }
}

/// `a / b`, rounded half away from zero; `b` is not 0.
fn divided(a: &BigInt, b: &BigInt) -> BigInt {
    let (quotient, rest) = (a / b, a % b);
    if (rest * 2u8).magnitude() < b.magnitude() {
        return quotient;
    }
    if (a.sign() == Sign::Minus) == (b.sign() == Sign::Minus) { quotient + 1 } else { quotient - 1 }
}

impl Finite {
    /// Makes one.
    pub fn new(digits: BigInt, scale: u32) -> Self {
        Self { digits, scale }
    }

    /// `value / 10^scale`; a negative scale is written out.
    pub fn of(value: i128, scale: i32) -> Self {
        match u32::try_from(scale) {
            Ok(scale) => Self::new(value.into(), scale),
            Err(_) => Self::new(BigInt::from(value) * power_of_ten(scale.unsigned_abs()), 0),
        }
    }

    /// Reads digits with an optional point and exponent, without sign; `whole_text` is for errors.
    pub(super) fn parse(unsigned: &str, whole_text: &str) -> Result<Self> {
        let invalid = || ValueError::invalid_text("numeric", whole_text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, crate::input::numeric::exponent(exponent, whole_text)?)
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let scale = i64::try_from(fraction.len()).map_err(|_| overflow())? - exponent;
        let significant = digits.trim_start_matches('0').len();
        let places = i64::try_from(significant).map_err(|_| overflow())?;
        if scale > FRACTION_MAX || significant > 0 && places - scale > WHOLE_MAX {
            return Err(overflow());
        }
        let digits = match digits.parse::<i128>() {
            Ok(small) => small.into(),
            Err(_) => digits.parse::<BigInt>().map_err(|_| invalid())?,
        };
        if scale >= 0 || significant == 0 {
            return Ok(Self::new(digits, u32::try_from(scale.max(0)).map_err(|_| overflow())?));
        }
        let zeros = u32::try_from(-scale).map_err(|_| overflow())?;
        Ok(Self::new(digits * power_of_ten(zeros), 0))
    }

    /// Itself, where `numeric` can hold it.
    ///
    /// # Errors
    /// `value overflows numeric format` (22003).
    pub fn checked(self) -> Result<Self> {
        // 10^131072 has 435 412 bits.
        if self.digits.bits() > 435_000 && self.exponent() >= WHOLE_MAX {
            return Err(overflow());
        }
        let most = FRACTION_MAX as u32;
        Ok(if self.scale > most { self.rounded(i64::from(most)) } else { self })
    }

    /// −1, 0 or 1.
    pub fn signum(&self) -> i64 {
        match self.digits.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.digits.sign() == Sign::NoSign
    }

    /// Digits at another scale, rounded half away from zero.
    pub fn at(&self, scale: u32) -> BigInt {
        match scale.cmp(&self.scale) {
            Ordering::Equal => self.digits.clone(),
            Ordering::Greater => &self.digits * power_of_ten(scale - self.scale),
            Ordering::Less => divided(&self.digits, &power_of_ten(self.scale - scale)),
        }
    }

    /// Rounded half away from zero to so many fractional digits; negative ones round before the point.
    pub fn rounded(&self, places: i64) -> Self {
        match u32::try_from(places) {
            Ok(scale) => Self::new(self.at(scale), scale),
            Err(_) => self.before_point(places, divided),
        }
    }

    /// Cut towards zero.
    pub fn truncated(&self, places: i64) -> Self {
        match u32::try_from(places) {
            Ok(scale) if scale >= self.scale => Self::new(self.at(scale), scale),
            Ok(scale) => Self::new(&self.digits / power_of_ten(self.scale - scale), scale),
            Err(_) => self.before_point(places, |a, b| a / b),
        }
    }

    fn before_point(&self, places: i64, divide: impl Fn(&BigInt, &BigInt) -> BigInt) -> Self {
        let zeros = u32::try_from(-places).unwrap_or(u32::MAX);
        if i64::from(zeros) > self.exponent() + 1 {
            return Self::new(BigInt::ZERO, 0);
        }
        let quotient = divide(&self.digits, &power_of_ten(self.scale + zeros));
        Self::new(quotient * power_of_ten(zeros), 0)
    }

    /// Without trailing fractional zeros.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        if self.is_zero() {
            return Self::new(BigInt::ZERO, 0);
        }
        while self.scale > 0 {
            let shorter = &self.digits / 10u8;
            if &shorter * 10u8 != self.digits {
                break;
            }
            (self.digits, self.scale) = (shorter, self.scale - 1);
        }
        self
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { digits: -self.digits, ..self }
    }

    /// Without its sign.
    #[must_use]
    pub fn magnitude(self) -> Self {
        if self.signum() < 0 { self.negated() } else { self }
    }

    /// The sum, exact.
    pub fn plus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self::new(self.at(scale) + other.at(scale), scale)
    }

    /// The difference, exact.
    pub fn minus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self::new(self.at(scale) - other.at(scale), scale)
    }

    /// The product, exact.
    pub fn times(&self, other: &Self) -> Self {
        Self::new(&self.digits * &other.digits, self.scale + other.scale)
    }

    /// The quotient at a scale; the divisor is not 0.
    pub fn over(&self, other: &Self, scale: u32) -> Self {
        let (up, down) = (scale + other.scale, self.scale);
        let quotient = if up >= down {
            divided(&(&self.digits * power_of_ten(up - down)), &other.digits)
        } else {
            divided(&self.digits, &(&other.digits * power_of_ten(down - up)))
        };
        Self::new(quotient, scale)
    }

    /// The quotient, cut to a whole number; the divisor is not 0.
    pub fn whole_over(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self::new(self.at(scale) / other.at(scale), 0)
    }

    /// The remainder, with the sign of the dividend; the divisor is not 0.
    pub fn rest(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self::new(self.at(scale) % other.at(scale), scale)
    }

    /// The power of ten of the first digit; of 0 it is 0.
    pub fn exponent(&self) -> i64 {
        if self.is_zero() {
            return 0;
        }
        let length = match i128::try_from(&self.digits) {
            Ok(small) => i64::from(small.unsigned_abs().ilog10()) + 1,
            Err(_) => self.digits.magnitude().to_string().len() as i64,
        };
        length - 1 - i64::from(self.scale)
    }

    /// As a whole number of 64 bits, where it is one; the scale is 0.
    pub fn whole(&self) -> Option<i64> {
        i64::try_from(self.at(0)).ok()
    }

    /// With 128 bits, where they are enough.
    pub fn narrow(&self) -> Option<Decimal> {
        let value = i128::try_from(&self.digits).ok()?;
        Some(Decimal { value, scale: i8::try_from(self.scale).ok()? })
    }
}

impl PartialEq for Finite {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Finite {}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at(scale).cmp(&other.at(scale))
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.signum() < 0 { "-" } else { "" };
        let digits = self.digits.magnitude().to_string();
        let scale = self.scale as usize;
        if scale == 0 {
            return write!(formatter, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(formatter, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::Number;

    fn finite(text: &str) -> Finite {
        Number::parse(text).unwrap().finite().unwrap().clone()
    }

    #[test]
    fn scales_are_kept_and_changed_as_postgresql_does() {
        let long = "1234567890123456789012345678901234567890.10";
        for (text, shown) in [
            (long, long),
            ("1.10", "1.10"),
            ("-0.00", "0.00"),
            ("1e3", "1000"),
            ("1.50e1", "15.0"),
            ("1e-5", "0.00001"),
            ("0e5", "0"),
        ] {
            assert_eq!(finite(text).to_string(), shown, "{text}");
        }
        assert_eq!(finite("2.5").rounded(0).to_string(), "3");
        assert_eq!(finite("-2.5").rounded(0).to_string(), "-3");
        assert_eq!(finite("1250").rounded(-2).to_string(), "1300");
        assert_eq!(finite("50").rounded(-2).to_string(), "100");
        assert_eq!(finite("5").rounded(-2).to_string(), "0");
        assert_eq!(finite("1299").truncated(-2).to_string(), "1200");
        assert_eq!(finite("1.2").truncated(3).to_string(), "1.200");
        assert_eq!(finite("1.200").trimmed().to_string(), "1.2");
        assert!(Number::parse("1e131073").is_err());
        assert!(Number::parse("1 2").is_err());
    }
}
