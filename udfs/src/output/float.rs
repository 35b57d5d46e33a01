//! Floating-point numbers: the shortest digits that read back the same, in PostgreSQL's layout
//! (src/common/d2s.c and f2s.c): fixed notation for exponents −4 to 14 (5 for `real`), else
//! `1e+20`.

use std::io::Write;

/// Prints a `double precision`.
pub(crate) fn write_f64(value: f64, out: &mut Vec<u8>) {
    if special(value, out) {
        return;
    }
    let mut scientific = Scientific::default();
    scientific.set(&format_args!("{value:e}"));
    let exact = |value| exact(value, 53);
    let neighbours = [exact(value.next_down()), exact(value.next_up())];
    let mut digits = scientific.digits();
    while scientific.is_middle(exact(value), neighbours) {
        digits += 1;
        scientific.set(&format_args!("{value:.*e}", digits - 1));
    }
    // Of two nearest decimals PostgreSQL prints the even one, as exact formatting does; Rust's
    // shortest form takes the larger. With fewer digits there are never two.
    if digits >= 15 {
        scientific.set(&format_args!("{value:.*e}", digits - 1));
    }
    scientific.write(15, out);
}

/// Prints a `real`.
pub(crate) fn write_f32(value: f32, out: &mut Vec<u8>) {
    if special(f64::from(value), out) {
        return;
    }
    let mut scientific = Scientific::default();
    scientific.set(&format_args!("{value:e}"));
    let exact = |value: f32| exact(f64::from(value), 24);
    let neighbours = [exact(value.next_down()), exact(value.next_up())];
    let mut digits = scientific.digits();
    while scientific.is_middle(exact(value), neighbours) {
        digits += 1;
        scientific.set(&format_args!("{value:.*e}", digits - 1));
    }
    if digits >= 6 {
        scientific.set(&format_args!("{value:.*e}", digits - 1));
    }
    scientific.write(6, out);
}

/// A whole number so large that the next float is 2 or more away: only there can the middle
/// between two floats have few digits. `mantissa` is the number of bits of one.
fn exact(value: f64, mantissa: i32) -> Option<u128> {
    let magnitude = value.abs();
    (magnitude >= 2f64.powi(mantissa) && magnitude < 1e38).then_some(magnitude as u128)
}

fn special(value: f64, out: &mut Vec<u8>) -> bool {
    let text: &[u8] = if value.is_nan() {
        b"NaN"
    } else if value == f64::INFINITY {
        b"Infinity"
    } else if value == f64::NEG_INFINITY {
        b"-Infinity"
    } else if value == 0.0 {
        if value.is_sign_negative() { b"-0" } else { b"0" }
    } else {
        return false;
    };
    out.extend_from_slice(text);
    true
}

/// `d.ddde±x`, Rust's scientific form.
#[derive(Debug, Default)]
struct Scientific {
    buffer: [u8; 32],
    length: usize,
}

impl Scientific {
    fn set(&mut self, text: &std::fmt::Arguments<'_>) {
        let mut space = self.buffer.as_mut_slice();
        // 17 digits, a sign, a point and an exponent always fit.
        let unused = if space.write_fmt(*text).is_ok() { space.len() } else { 32 };
        self.length = 32 - unused;
    }

    /// Mantissa without sign, exponent, and whether there is a sign.
    fn parts(&self) -> (&[u8], i32, bool) {
        let text = self.buffer.get(..self.length).unwrap_or_default();
        let at = text.iter().position(|byte| *byte == b'e').unwrap_or(text.len());
        let (mantissa, exponent) = text.split_at(at);
        let exponent =
            std::str::from_utf8(exponent).ok().and_then(|text| text.get(1..)?.parse().ok());
        match mantissa.strip_prefix(b"-") {
            Some(mantissa) => (mantissa, exponent.unwrap_or(0), true),
            None => (mantissa, exponent.unwrap_or(0), false),
        }
    }

    fn digits(&self) -> usize {
        self.parts().0.iter().filter(|byte| **byte != b'.').count()
    }

    /// Whether the digits stand exactly between two floats. Reading rounds them to the even one,
    /// which is why they were chosen, but PostgreSQL does not rely on it (d2s.c, `acceptBounds`).
    fn is_middle(&self, value: Option<u128>, neighbours: [Option<u128>; 2]) -> bool {
        let (Some(value), [Some(below), Some(above)]) = (value, neighbours) else { return false };
        let (mantissa, exponent, _) = self.parts();
        let digits = mantissa.iter().filter(|byte| **byte != b'.');
        let number = digits.fold(0u128, |number, digit| number * 10 + u128::from(digit - b'0'));
        let zeros = u32::try_from(exponent + 1)
            .ok()
            .and_then(|whole| whole.checked_sub(self.digits() as u32));
        let number = zeros.and_then(|zeros| 10u128.checked_pow(zeros)?.checked_mul(number));
        let doubled = number.and_then(|number| number.checked_mul(2));
        doubled.is_some_and(|doubled| doubled == value + below || doubled == value + above)
    }

    /// Prints in fixed notation, or in scientific from the exponent `fixed_end`.
    fn write(&self, fixed_end: i32, out: &mut Vec<u8>) {
        let (mantissa, exponent, negative) = self.parts();
        if negative {
            out.push(b'-');
        }
        if (-4..fixed_end).contains(&exponent) {
            fixed(mantissa, exponent, out);
            return;
        }
        out.extend_from_slice(mantissa);
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        if exponent.abs() < 10 {
            out.push(b'0');
        }
        super::integer::write(i64::from(exponent.abs()), out);
    }
}

fn fixed(mantissa: &[u8], exponent: i32, out: &mut Vec<u8>) {
    let mut digits = mantissa.iter().copied().filter(|byte| *byte != b'.');
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend((exponent..-1).map(|_| b'0'));
        out.extend(digits);
        return;
    }
    out.extend((0..=exponent).map(|_| digits.next().unwrap_or(b'0')));
    if let Some(first) = digits.next() {
        out.extend([b'.', first]);
        out.extend(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (1e20, "1e+20"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (123456789012345.0, "123456789012345"),
            (1234567890123456.0, "1.234567890123456e+15"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (100.25, "100.25"),
            (570_219_885_299_746.2, "570219885299746.2"),
        ] {
            let mut out = Vec::new();
            write_f64(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        for (value, text) in [
            (1e6f32, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (123_456.0, "123456"),
            (0.1, "0.1"),
            (3.402_823_5e38, "3.4028235e+38"),
            (39_266_872.0, "3.9266872e+07"),
            (2.55e9, "2.5500001e+09"),
        ] {
            let mut out = Vec::new();
            write_f32(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn what_is_printed_reads_back() {
        let mut bits = 1u64;
        for _ in 0..20_000 {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(bits);
            let mut out = Vec::new();
            write_f64(value, &mut out);
            let read: f64 = String::from_utf8(out).unwrap().parse().unwrap();
            assert!(read == value || value.is_nan());
        }
    }
}
