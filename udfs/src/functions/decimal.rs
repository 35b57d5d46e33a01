//! Numbers of 128 bits in functions: an integer and a number of fractional digits. Those of
//! `numeric` at large are [`crate::numeric::Number`].

use std::cmp::Ordering;

use datafusion::arrow::datatypes::i256;

use crate::{Result, ValueError};

/// `value / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    /// All digits.
    pub value: i128,
    /// How many of them are fractional.
    pub scale: i8,
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self { value: value.into(), scale: 0 }
    }
}

/// `value overflows numeric format` (22003).
pub fn overflow() -> ValueError {
    ValueError::new("22003", "value overflows numeric format")
}

/// `10^exponent`, saturating at the largest power that 256 bits hold.
pub fn power_of_ten(exponent: u32) -> i256 {
    (0..exponent.min(76)).fold(i256::ONE, |power, _| power.wrapping_mul(i256::from_i128(10)))
}

/// `a / b`, rounded half away from zero as `numeric` rounds; `b` is not 0.
pub fn divide_rounded(a: i256, b: i256) -> i256 {
    let (quotient, rest) = (a.wrapping_div(b), a.wrapping_rem(b));
    let twice = rest.wrapping_abs().wrapping_mul(i256::from_i128(2));
    if twice < b.wrapping_abs() {
        return quotient;
    }
    let away = if (a < i256::ZERO) == (b < i256::ZERO) { i256::ONE } else { i256::MINUS_ONE };
    quotient.wrapping_add(away)
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { value: 0, scale: 0 };

    /// Makes one from wide digits.
    ///
    /// # Errors
    /// More than 38 digits (22003).
    pub fn from_wide(value: i256, scale: i8) -> Result<Self> {
        Ok(Self { value: value.to_i128().ok_or_else(overflow)?, scale })
    }

    /// Parses digits with an optional sign, point and exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if fraction.starts_with(['+', '-'])
            || !digits.ends_with(|digit: char| digit.is_ascii_digit())
        {
            return None;
        }
        let value = digits.parse::<i128>().ok()?;
        let scale = i32::try_from(fraction.len()).ok()? - exponent;
        if scale >= 0 {
            return Some(Self { value, scale: i8::try_from(scale).ok()? });
        }
        let factor = 10i128.checked_pow(u32::try_from(-scale).ok()?)?;
        Some(Self { value: value.checked_mul(factor)?, scale: 0 })
    }

    /// The nearest decimal of a float with 15 significant digits, as PostgreSQL casts it.
    pub fn from_f64(value: f64) -> Option<Self> {
        Self::parse(&format!("{value:.14e}")).map(Self::trimmed)
    }

    /// Digits at another scale, rounded half away from zero.
    pub fn wide_at(self, scale: i8) -> i256 {
        let value = i256::from_i128(self.value);
        let difference = i32::from(scale) - i32::from(self.scale);
        let power = power_of_ten(difference.unsigned_abs());
        if difference >= 0 { value.wrapping_mul(power) } else { divide_rounded(value, power) }
    }

    /// At another scale, rounded half away from zero.
    ///
    /// # Errors
    /// More than 38 digits (22003).
    pub fn at(self, scale: i8) -> Result<Self> {
        Self::from_wide(self.wide_at(scale), scale)
    }

    /// Digits for a column of this precision and scale.
    ///
    /// # Errors
    /// `numeric field overflow` (22003).
    pub fn fit(self, precision: u8, scale: i8) -> Result<i128> {
        let value = self.wide_at(scale);
        if value.wrapping_abs() >= power_of_ten(precision.into()) {
            return Err(overflow());
        }
        value.to_i128().ok_or_else(overflow)
    }

    /// Cut towards zero at a scale.
    pub fn truncated(self, scale: i8) -> Self {
        if scale >= self.scale {
            return self;
        }
        let power = 10i128.checked_pow(u32::from((self.scale - scale).unsigned_abs()));
        let value = power.map_or(0, |power| self.value / power);
        Self { value, scale }.at(scale.max(0)).unwrap_or(Self::ZERO)
    }

    /// Without trailing fractional zeros.
    pub fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.value % 10 == 0 {
            self.value /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.value == 0
    }

    /// The quotient at a scale.
    ///
    /// # Errors
    /// `division by zero` (22012), more than 38 digits (22003).
    pub fn divide(self, other: Self, scale: i8) -> Result<Self> {
        if other.is_zero() {
            return Err(division_by_zero());
        }
        let exponent = i32::from(scale) + i32::from(other.scale) - i32::from(self.scale);
        let power = power_of_ten(exponent.unsigned_abs());
        let (mut a, mut b) = (i256::from_i128(self.value), i256::from_i128(other.value));
        if exponent >= 0 {
            a = a.checked_mul(power).ok_or_else(overflow)?;
        } else {
            b = b.checked_mul(power).ok_or_else(overflow)?;
        }
        Self::from_wide(divide_rounded(a, b), scale)
    }

    /// The product, exact.
    ///
    /// # Errors
    /// More than 38 digits (22003).
    pub fn multiply(self, other: Self) -> Result<Self> {
        let product = i256::from_i128(self.value).wrapping_mul(i256::from_i128(other.value));
        Self::from_wide(product, self.scale.saturating_add(other.scale))
    }

    /// The sum, exact.
    ///
    /// # Errors
    /// More than 38 digits (22003).
    pub fn plus(self, other: Self) -> Result<Self> {
        let scale = self.scale.max(other.scale);
        Self::from_wide(self.wide_at(scale).wrapping_add(other.wide_at(scale)), scale)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.wide_at(scale).cmp(&other.wide_at(scale))
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.value < 0 { "-" } else { "" };
        let digits = self.value.unsigned_abs().to_string();
        if self.scale <= 0 {
            let zeros = if self.value == 0 { 0 } else { usize::from(self.scale.unsigned_abs()) };
            return write!(formatter, "{sign}{digits}{}", "0".repeat(zeros));
        }
        let scale = usize::from(self.scale.unsigned_abs());
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(formatter, "{sign}{whole}.{fraction}")
    }
}

/// `division by zero` (22012).
pub fn division_by_zero() -> ValueError {
    ValueError::new("22012", "division by zero")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_parse_round_and_print() {
        let cases = [
            ("1.50", 2, "1.50"),
            ("-0.005", 2, "-0.01"),
            ("12e2", 0, "1200"),
            ("2.5", 0, "3"),
            ("0", 3, "0.000"),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(
                Decimal::parse(text).unwrap().at(scale).unwrap().to_string(),
                expected,
                "{text}"
            );
        }
        assert_eq!(
            Decimal::parse("1")
                .unwrap()
                .divide(Decimal::parse("3.0").unwrap(), 20)
                .unwrap()
                .to_string(),
            "0.33333333333333333333"
        );
        assert!(Decimal::parse("1.-5").is_none());
    }
}
