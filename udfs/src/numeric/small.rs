//! Numbers whose digits fit 128 bits, which nearly all do: a value and its scale. `None` wherever
//! an operation needs more; the caller then takes [`super::Number`].

/// Digits, and how many of them are fractional.
pub type Small = (i128, u32);

/// The digits at a larger scale.
pub fn at((value, scale): Small, wanted: u32) -> Option<i128> {
    match wanted.checked_sub(scale)? {
        0 => Some(value),
        places => value.checked_mul(10i128.checked_pow(places)?),
    }
}

/// The sum.
pub fn plus(a: Small, b: Small) -> Option<Small> {
    let scale = a.1.max(b.1);
    Some((at(a, scale)?.checked_add(at(b, scale)?)?, scale))
}

/// The difference.
pub fn minus(a: Small, b: Small) -> Option<Small> {
    let scale = a.1.max(b.1);
    Some((at(a, scale)?.checked_sub(at(b, scale)?)?, scale))
}

/// The product.
pub fn times(a: Small, b: Small) -> Option<Small> {
    Some((a.0.checked_mul(b.0)?, a.1 + b.1))
}

/// The remainder; the divisor is not 0.
pub fn rest(a: Small, b: Small) -> Option<Small> {
    let scale = a.1.max(b.1);
    Some((at(a, scale)?.checked_rem(at(b, scale)?)?, scale))
}

/// The quotient with PostgreSQL's number of digits (see [`super::scales::quotient`]).
pub fn over(a: Small, b: Small) -> Option<Small> {
    if b.0 == 0 {
        return None;
    }
    let ((a_weight, a_first), (b_weight, b_first)) = (leading(a)?, leading(b)?);
    let weight = a_weight - b_weight - i32::from(a_first <= b_first);
    let scale = (16 - 4 * weight).max(a.1 as i32).max(b.1 as i32).clamp(0, 1000) as u32;
    let (up, down) = (scale + b.1, a.1);
    let mut dividend = a.0;
    let mut divisor = b.0;
    if up >= down {
        dividend = dividend.checked_mul(10i128.checked_pow(up - down)?)?;
    } else {
        divisor = divisor.checked_mul(10i128.checked_pow(down - up)?)?;
    }
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    let up = rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2);
    let away = if (a.0 < 0) == (b.0 < 0) { 1 } else { -1 };
    Some((if up { quotient + away } else { quotient }, scale))
}

/// Weight and value of the first digit of base 10000.
fn leading((value, scale): Small) -> Option<(i32, u128)> {
    if value == 0 {
        return Some((0, 0));
    }
    let value = value.unsigned_abs();
    let exponent = value.ilog10() as i32 - scale as i32;
    let weight = exponent.div_euclid(4);
    let shift = scale as i32 + weight * 4;
    let first = match u32::try_from(shift) {
        Ok(shift) => value / 10u128.checked_pow(shift)?,
        Err(_) => value.checked_mul(10u128.checked_pow(shift.unsigned_abs())?)?,
    };
    Some((weight, first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{Finite, Number};

    #[test]
    fn quotients_are_those_of_numbers() {
        let cases = [
            ((1, 0), (3, 0)),
            ((1, 0), (1, 0)),
            ((1000, 2), (3, 0)),
            ((-100_000, 0), (3, 0)),
            ((1, 3), (3000, 1)),
            ((5, 5), (7, 0)),
            ((0, 2), (7, 0)),
            ((123_456_789_012, 2), (98_765, 4)),
        ];
        for (a, b) in cases {
            let finite = |(value, scale): Small| Number::from(Finite::of(value, scale as i32));
            let (value, scale) = over(a, b).unwrap();
            let exact = finite(a).over(&finite(b)).unwrap();
            assert_eq!(finite((value, scale)).to_string(), exact.to_string(), "{a:?} / {b:?}");
        }
    }
}
