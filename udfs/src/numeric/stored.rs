//! The bytes of a `numeric` without precision.
//!
//! ```text
//! class │ weight (3 bytes) │ digits of base 100, each + 1 │ 0 │ scale (2 bytes)
//! ```
//!
//! Bytes sort as the values do: the class says sign and infinity, the weight is that of the first
//! digit, no zeros stand at the end; of a negative number all that is the complement. The scale,
//! which only says how many fractional digits are shown, comes last: equal values differ in it
//! alone, and [`key`] takes its smallest, so that equal values have equal bytes.

use num_bigint::{BigInt, Sign};

use super::small::{self, Small};
use super::{Finite, Number};

const NEGATIVE_INFINITY: u8 = 1;
const NEGATIVE: u8 = 2;
const ZERO: u8 = 3;
const POSITIVE: u8 = 4;
const INFINITY: u8 = 5;
const NAN: u8 = 6;

/// Makes weights positive: numbers go from 10^-16383 to 10^131072.
const BIAS: i32 = 0x0080_0000;
/// Bytes before the digits, and after them: the end and the scale.
const HEAD: usize = 4;
const TAIL: usize = 3;
/// Digits of base 100 that 128 bits hold.
const SMALL_MAX: usize = 18;

/// Appends the bytes of a number.
pub fn write(number: &Number, out: &mut Vec<u8>) {
    match number {
        Number::NegativeInfinity => out.extend([NEGATIVE_INFINITY, 0, 0]),
        Number::Infinity => out.extend([INFINITY, 0, 0]),
        Number::NaN => out.extend([NAN, 0, 0]),
        Number::Finite(value) => match i128::try_from(&value.digits) {
            Ok(small) => write_small((small, value.scale), out),
            Err(_) => write_large(value, out),
        },
    }
}

/// Appends the bytes of a number of 128 bits.
pub fn write_small((value, scale): Small, out: &mut Vec<u8>) {
    if value == 0 {
        return write_zero(scale, out);
    }
    // The point must stand between digits of base 100.
    let odd = scale % 2;
    let Some(mut rest) = value.unsigned_abs().checked_mul(if odd == 1 { 10 } else { 1 }) else {
        return write_large(&Finite::new(value.into(), scale), out);
    };
    let (mut digits, mut count) = ([0u8; 20], 0);
    while rest > 0 {
        // Division of 128 bits is slow: eight digits at once.
        const PART: u128 = 10_000_000_000_000_000;
        let mut part = (rest % PART) as u64;
        rest /= PART;
        let mut places = 0;
        while part > 0 || rest > 0 && places < 8 {
            if let Some(place) = digits.get_mut(count) {
                *place = (part % 100) as u8;
            }
            part /= 100;
            places += 1;
            count += 1;
        }
    }
    let digits = digits.get(..count).unwrap_or_default();
    let weight = count as i32 - 1 - ((scale + odd) / 2) as i32;
    write_digits(value < 0, weight, digits.iter().rev().copied(), scale, out);
}

fn write_zero(scale: u32, out: &mut Vec<u8>) {
    out.push(ZERO);
    out.extend((scale as u16).to_be_bytes());
}

fn write_large(value: &Finite, out: &mut Vec<u8>) {
    if value.is_zero() {
        return write_zero(value.scale, out);
    }
    let odd = value.scale % 2;
    let digits = if odd == 1 { &value.digits * 10u8 } else { value.digits.clone() };
    let (sign, digits) = digits.to_radix_be(100);
    let weight = digits.len() as i32 - 1 - ((value.scale + odd) / 2) as i32;
    write_digits(sign == Sign::Minus, weight, digits.iter().copied(), value.scale, out);
}

fn write_digits(
    negative: bool,
    weight: i32,
    digits: impl DoubleEndedIterator<Item = u8> + Clone,
    scale: u32,
    out: &mut Vec<u8>,
) {
    out.push(if negative { NEGATIVE } else { POSITIVE });
    let start = out.len();
    out.extend_from_slice(&((weight + BIAS) as u32).to_be_bytes()[1..]);
    let from = out.len();
    out.extend(digits.map(|digit| digit + 1));
    // A digit 0 is the byte 1.
    while out.len() > from && out.last() == Some(&1) {
        out.pop();
    }
    out.push(0);
    if negative {
        out.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
    out.extend((scale as u16).to_be_bytes());
}

/// What bytes say.
struct Parts<'a> {
    negative: bool,
    /// Of the last digit of base 100.
    weight: i32,
    digits: &'a [u8],
    scale: u32,
}

impl Parts<'_> {
    fn digit(&self, byte: u8) -> u8 {
        let byte = if self.negative { !byte } else { byte };
        byte.wrapping_sub(1)
    }

    /// Places of ten that the digits must move up; −1 where the last digit is half a digit.
    fn shift(&self) -> i32 {
        2 * self.weight + self.scale as i32
    }
}

fn parts(bytes: &[u8]) -> Option<Parts<'_>> {
    let negative = match *bytes.first()? {
        NEGATIVE => true,
        POSITIVE => false,
        _ => return None,
    };
    let digits = bytes.get(HEAD..bytes.len().checked_sub(TAIL)?)?;
    let weight = bytes
        .get(1..HEAD)?
        .iter()
        .fold(0, |weight, byte| weight << 8 | i32::from(if negative { !*byte } else { *byte }));
    let weight = weight - BIAS - (digits.len() as i32 - 1);
    Some(Parts { negative, weight, digits, scale: scale(bytes) })
}

/// The number of fractional digits.
fn scale(bytes: &[u8]) -> u32 {
    match bytes {
        [.., high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    }
}

/// The number, where 128 bits hold it.
pub fn read_small(bytes: &[u8]) -> Option<Small> {
    if bytes.first() == Some(&ZERO) {
        return Some((0, scale(bytes)));
    }
    let parts = parts(bytes)?;
    if parts.digits.len() > SMALL_MAX {
        return None;
    }
    let digits = parts.digits.iter();
    let value = digits.fold(0i128, |value, byte| value * 100 + i128::from(parts.digit(*byte)));
    let value = match parts.shift() {
        -1 => value / 10,
        shift => small::at((value, 0), u32::try_from(shift).ok()?)?,
    };
    Some((if parts.negative { -value } else { value }, parts.scale))
}

/// The number.
pub fn read(bytes: &[u8]) -> Number {
    if let Some((value, scale)) = read_small(bytes) {
        return Number::Finite(Finite::new(value.into(), scale));
    }
    let Some(parts) = parts(bytes) else {
        return match bytes.first() {
            Some(&NEGATIVE_INFINITY) => Number::NegativeInfinity,
            Some(&INFINITY) => Number::Infinity,
            _ => Number::NaN,
        };
    };
    let digits: Vec<u8> = parts.digits.iter().map(|byte| parts.digit(*byte)).collect();
    let sign = if parts.negative { Sign::Minus } else { Sign::Plus };
    let value = BigInt::from_radix_be(sign, &digits, 100).unwrap_or_default();
    let value = match parts.shift() {
        -1 => value / 10,
        shift => value * super::finite::power_of_ten(shift.unsigned_abs()),
    };
    Number::Finite(Finite::new(value, parts.scale))
}

/// The smallest scale that shows the whole value.
fn scale_min(bytes: &[u8]) -> u32 {
    let Some(parts) = parts(bytes) else { return 0 };
    let last = parts.digits.last().map_or(0, |byte| parts.digit(*byte));
    let places = -2 * parts.weight - i32::from(last.is_multiple_of(10));
    u32::try_from(places).unwrap_or_default()
}

/// Appends the bytes that all equal values have: those without trailing fractional zeros.
pub fn key(bytes: &[u8], out: &mut Vec<u8>) {
    let end = bytes.len().saturating_sub(2);
    out.extend_from_slice(bytes.get(..end).unwrap_or_default());
    out.extend((scale_min(bytes) as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        write(&Number::parse(text).unwrap(), &mut out);
        out
    }

    fn key_of(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        key(&bytes(text), &mut out);
        out
    }

    const ORDERED: [&str; 23] = [
        "-Infinity",
        "-123456789012345678901234567890123456789012345678901234567890.5",
        "-1000",
        "-999.99",
        "-10.5",
        "-10.25",
        "-1.01",
        "-1",
        "-0.001",
        "0",
        "0.0000001",
        "0.001",
        "0.0101",
        "0.1",
        "1",
        "1.01",
        "10.25",
        "10.5",
        "99.99",
        "1000",
        "123456789012345678901234567890123456789012345678901234567890.5",
        "Infinity",
        "NaN",
    ];

    #[test]
    fn bytes_sort_as_values_do_and_read_back() {
        for pair in ORDERED.windows(2) {
            assert!(bytes(pair[0]) < bytes(pair[1]), "{pair:?}");
        }
        let zeros =
            ["1.10", "-1.10", "100", "100.00", "0.00", "-1000.000", "12.5", "1e40", "1e-40"];
        for text in ORDERED.into_iter().chain(zeros) {
            let number = Number::parse(text).unwrap();
            assert_eq!(read(&bytes(text)).to_string(), number.to_string(), "{text}");
        }
        assert_eq!(read(&bytes("100.00")).to_string(), "100.00");
    }

    #[test]
    fn equal_values_have_one_key() {
        for (one, other) in [("1.10", "1.1"), ("100", "100.00"), ("0", "0.000"), ("-5.0", "-5")] {
            assert_ne!(bytes(one), bytes(other));
            assert_eq!(key_of(one), key_of(other), "{one}");
            assert_eq!(read(&key_of(one)).to_string(), read(&key_of(other)).to_string());
        }
        assert_eq!(read(&key_of("1.100")).to_string(), "1.1");
        assert_eq!(read(&key_of("100.00")).to_string(), "100");
        assert_eq!(read(&key_of("0.0500")).to_string(), "0.05");
    }
}
