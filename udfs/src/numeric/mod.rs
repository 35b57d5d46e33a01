//! `numeric` at full precision: as many digits as PostgreSQL holds, a display scale of each value's
//! own, `NaN` and the infinities (src/backend/utils/adt/numeric.c).
//!
//! ```text
//! numeric(12,2)  ─▶ Decimal128(12, 2)   one scale for the column, arithmetic of the processor
//! numeric        ─▶ LargeBinary         [`stored`]: bytes that sort as the values do
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`Number`] | a value: finite, infinite or not a number |
//! | [`Finite`] | digits and a scale |
//! | [`stored`] | the bytes of a column without precision |
//! | [`column`] | columns of either kind, read as numbers |
//! | [`scales`] | how many fractional digits PostgreSQL gives to a result |
//! | [`roots`] | `sqrt`, `exp`, `ln`, `power` to any number of digits |
//! | [`small`] | the same arithmetic where 128 bits are enough |

pub mod column;
pub mod finite;
pub mod roots;
pub mod scales;
pub mod small;
pub mod stored;

use std::cmp::Ordering;
use std::fmt;

pub use finite::Finite;

use crate::functions::decimal::{Decimal, division_by_zero, overflow};
use crate::{Result, ValueError};

/// A value of type `numeric`.
#[derive(Debug, Clone)]
pub enum Number {
    /// `-Infinity`.
    NegativeInfinity,
    /// Digits and a scale.
    Finite(Finite),
    /// `Infinity`.
    Infinity,
    /// `NaN`: equal to itself, greater than everything else.
    NaN,
}

use Number::{Infinity, NaN, NegativeInfinity};

impl From<Finite> for Number {
    fn from(value: Finite) -> Self {
        Self::Finite(value)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Finite(Finite::new(value.into(), 0))
    }
}

impl From<Decimal> for Number {
    fn from(value: Decimal) -> Self {
        Self::Finite(Finite::of(value.value, value.scale.into()))
    }
}

impl Number {
    /// Reads what `numeric_in` accepts.
    ///
    /// # Errors
    /// `invalid input syntax for type numeric: "…"` (22P02), too many digits (22003).
    pub fn parse(text: &str) -> Result<Self> {
        let number = crate::input::text::trim(text);
        let (negative, unsigned) = match number.as_bytes() {
            [b'-', ..] => (true, &number[1..]),
            [b'+', ..] => (false, &number[1..]),
            _ => (false, number),
        };
        let is = |word: &str| unsigned.eq_ignore_ascii_case(word);
        if is("infinity") || is("inf") {
            return Ok(if negative { NegativeInfinity } else { Infinity });
        }
        if is("nan") && unsigned.len() == number.len() {
            return Ok(NaN);
        }
        let value = Finite::parse(unsigned, text)?;
        Ok(Self::Finite(if negative { value.negated() } else { value }))
    }

    /// The number that a float shows with so many significant digits, as PostgreSQL casts it.
    pub fn from_f64(value: f64, digits: usize) -> Result<Self> {
        if value.is_nan() {
            return Ok(NaN);
        }
        if value.is_infinite() {
            return Ok(if value > 0.0 { Infinity } else { NegativeInfinity });
        }
        Ok(match Self::parse(&format!("{value:.*e}", digits - 1))? {
            Self::Finite(value) => Self::Finite(value.trimmed()),
            other => other,
        })
    }

    /// The nearest float.
    pub fn to_f64(&self) -> f64 {
        match self {
            NegativeInfinity => f64::NEG_INFINITY,
            Infinity => f64::INFINITY,
            NaN => f64::NAN,
            Self::Finite(value) => value.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// Digits and scale; `None` for what is not finite.
    pub fn finite(&self) -> Option<&Finite> {
        match self {
            Self::Finite(value) => Some(value),
            _ => None,
        }
    }

    /// −1, 0 or 1; of `NaN` 1.
    pub fn signum(&self) -> i64 {
        match self {
            NegativeInfinity => -1,
            Infinity | NaN => 1,
            Self::Finite(value) => value.signum(),
        }
    }

    /// Applies to finite numbers; the others stay.
    pub fn map(self, apply: impl FnOnce(Finite) -> Finite) -> Self {
        match self {
            Self::Finite(value) => Self::Finite(apply(value)),
            other => other,
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            NegativeInfinity => Infinity,
            Infinity => NegativeInfinity,
            NaN => NaN,
            Self::Finite(value) => Self::Finite(value.negated()),
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// Too many digits (22003).
    pub fn plus(&self, other: &Self) -> Result<Self> {
        Ok(match (self, other) {
            (NaN, _) | (_, NaN) | (Infinity, NegativeInfinity) | (NegativeInfinity, Infinity) => {
                NaN
            }
            (Infinity, _) | (_, Infinity) => Infinity,
            (NegativeInfinity, _) | (_, NegativeInfinity) => NegativeInfinity,
            (Self::Finite(a), Self::Finite(b)) => Self::Finite(a.plus(b).checked()?),
        })
    }

    /// The product.
    ///
    /// # Errors
    /// Too many digits (22003).
    pub fn times(&self, other: &Self) -> Result<Self> {
        Ok(match (self, other) {
            (NaN, _) | (_, NaN) => NaN,
            (Self::Finite(a), Self::Finite(b)) => Self::Finite(a.times(b).checked()?),
            (a, b) => match a.signum() * b.signum() {
                0 => NaN,
                1 => Infinity,
                _ => NegativeInfinity,
            },
        })
    }

    /// The quotient, with PostgreSQL's number of digits.
    ///
    /// # Errors
    /// `division by zero` (22012).
    pub fn over(&self, other: &Self) -> Result<Self> {
        Ok(match (self, other) {
            (NaN, _) | (_, NaN) => NaN,
            (_, b) if b.signum() == 0 => return Err(division_by_zero()),
            (Self::Finite(a), Self::Finite(b)) => {
                Self::Finite(a.over(b, scales::quotient(a, b)).checked()?)
            }
            (Self::Finite(_), _) => Self::from(0),
            (_, Self::Finite(b)) if b.signum() < 0 => self.clone().negated(),
            (_, Self::Finite(_)) => self.clone(),
            _ => NaN,
        })
    }

    /// The remainder, with the sign of the dividend.
    ///
    /// # Errors
    /// `division by zero` (22012).
    pub fn rest(&self, other: &Self) -> Result<Self> {
        Ok(match (self, other) {
            (NaN, _) | (_, NaN) => NaN,
            (_, b) if b.signum() == 0 => return Err(division_by_zero()),
            (Self::Finite(a), Self::Finite(b)) => Self::Finite(a.rest(b)),
            (Self::Finite(a), _) => Self::Finite(a.clone()),
            _ => NaN,
        })
    }

    /// As a number of 38 digits.
    ///
    /// # Errors
    /// More digits, or not finite (22003).
    pub fn narrow(&self) -> Result<Decimal> {
        self.finite().and_then(Finite::narrow).ok_or_else(overflow)
    }

    /// As the nearest whole number, for a type of this name.
    ///
    /// # Errors
    /// `cannot convert NaN to integer` (0A000), out of range (22003).
    pub fn to_i64(&self, type_name: &str) -> Result<i64> {
        let refused = |what: &str| {
            Err(ValueError::new("0A000", format!("cannot convert {what} to {type_name}")))
        };
        match self {
            NaN => refused("NaN"),
            Infinity | NegativeInfinity => refused("infinity"),
            Self::Finite(value) => {
                value.rounded(0).whole().ok_or_else(|| ValueError::out_of_range(type_name))
            }
        }
    }

    fn rank(&self) -> u8 {
        match self {
            NegativeInfinity => 0,
            Self::Finite(_) => 1,
            Infinity => 2,
            NaN => 3,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NegativeInfinity => formatter.write_str("-Infinity"),
            Infinity => formatter.write_str("Infinity"),
            NaN => formatter.write_str("NaN"),
            Self::Finite(value) => value.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn what_is_not_finite_follows_postgresql_s_table() {
        let add = |a: &str, b: &str| number(a).plus(&number(b)).unwrap().to_string();
        let multiply = |a: &str, b: &str| number(a).times(&number(b)).unwrap().to_string();
        let divide = |a: &str, b: &str| number(a).over(&number(b)).map(|value| value.to_string());
        assert_eq!(add("inf", "-inf"), "NaN");
        assert_eq!(add("1", "-Infinity"), "-Infinity");
        assert_eq!(multiply("inf", "0"), "NaN");
        assert_eq!(multiply("-inf", "-2"), "Infinity");
        assert_eq!(divide("1", "inf").unwrap(), "0");
        assert_eq!(divide("inf", "-3").unwrap(), "-Infinity");
        assert_eq!(divide("nan", "0").unwrap(), "NaN");
        assert_eq!(divide("inf", "0").unwrap_err().sqlstate, "22012");
        assert!(number("nan") > number("inf") && number("nan") == number("NaN"));
    }

    /// What PostgreSQL 15 answers.
    #[test]
    fn quotients_have_postgresql_s_digits() {
        for (a, b, quotient) in [
            ("1", "3", "0.33333333333333333333"),
            ("1", "1", "1.00000000000000000000"),
            ("10.00", "3", "3.3333333333333333"),
            ("100000", "3", "33333.333333333333"),
            ("1000000", "7", "142857.142857142857"),
            ("0.001", "7", "0.00014285714285714286"),
            ("7.0", "2", "3.5000000000000000"),
            ("9223372036854775808", "2", "4611686018427387904"),
        ] {
            assert_eq!(number(a).over(&number(b)).unwrap().to_string(), quotient, "{a} / {b}");
        }
    }
}
