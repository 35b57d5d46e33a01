//! `numeric` from a whole number of units of its last digit.

use datafusion::arrow::datatypes::i256;

use super::integer;

/// Prints a decimal with all digits of its scale.
pub(crate) fn write(value: i128, scale: i8, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let start = out.len();
    match u64::try_from(value.unsigned_abs()) {
        Ok(small) => integer::write_unsigned(small, out),
        Err(_) => write_wide(value.unsigned_abs(), out),
    }
    place_point(start, scale, out);
}

/// Prints a decimal of up to 76 digits.
pub(crate) fn write_256(value: i256, scale: i8, out: &mut Vec<u8>) {
    let text = value.to_string();
    let digits = match text.strip_prefix('-') {
        Some(digits) => {
            out.push(b'-');
            digits
        }
        None => &text,
    };
    let start = out.len();
    out.extend_from_slice(digits.as_bytes());
    place_point(start, scale, out);
}

/// 39 digits at most, in parts that a `u64` holds: division of 128 bits is slow.
fn write_wide(value: u128, out: &mut Vec<u8>) {
    const PART: u128 = 10_000_000_000_000_000_000;
    let (high, low) = (value / PART, value % PART);
    match u64::try_from(high) {
        Ok(high) => integer::write_unsigned(high, out),
        Err(_) => write_wide(high, out),
    }
    let at = out.len();
    integer::write_unsigned(low as u64, out);
    let missing = 19 - (out.len() - at);
    out.splice(at..at, std::iter::repeat_n(b'0', missing));
}

/// Puts the point into the digits that start at `start`.
fn place_point(start: usize, scale: i8, out: &mut Vec<u8>) {
    let Ok(scale) = usize::try_from(scale) else {
        if out.get(start) != Some(&b'0') {
            out.extend((scale..0).map(|_| b'0'));
        }
        return;
    };
    if scale == 0 {
        return;
    }
    let digits = out.len() - start;
    if digits <= scale {
        out.splice(start..start, std::iter::repeat_n(b'0', scale + 1 - digits));
    }
    let point = out.len() - scale;
    out.insert(point, b'.');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for (value, scale, text) in [
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-1234, 2, "-12.34"),
            (1000, 0, "1000"),
            (12, -3, "12000"),
            (-1, 10, "-0.0000000001"),
            (i128::MAX, 10, "17014118346046923173168730371.5884105727"),
            (100_000_000_000_000_000_000, 0, "100000000000000000000"),
        ] {
            let mut out = b"x".to_vec();
            write(value, scale, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("x{text}"));
        }
        let mut out = Vec::new();
        write_256(i256::from(-105), 1, &mut out);
        assert_eq!(out, b"-10.5");
    }
}
