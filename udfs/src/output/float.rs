//! Floating-point numbers: the shortest digits that read back the same, in PostgreSQL's layout
//! (src/common/d2s.c and f2s.c): fixed notation for exponents −4 to 14 (5 for `real`), else
//! `1e+20`.

use std::io::Write;

/// Prints a `double precision`.
pub(crate) fn write_f64(value: f64, out: &mut Vec<u8>) {
    if !special(value, out) {
        layout(&format_args!("{value:e}"), 15, out);
    }
}

/// Prints a `real`.
pub(crate) fn write_f32(value: f32, out: &mut Vec<u8>) {
    if !special(f64::from(value), out) {
        layout(&format_args!("{value:e}"), 6, out);
    }
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

/// Lays out `d.ddde±x`, Rust's shortest scientific form. `fixed_end` is the first exponent that
/// takes scientific notation.
fn layout(scientific: &std::fmt::Arguments<'_>, fixed_end: i32, out: &mut Vec<u8>) {
    let mut buffer = [0u8; 40];
    let mut space = buffer.as_mut_slice();
    if space.write_fmt(*scientific).is_err() {
        return;
    }
    let unused = space.len();
    let text = &buffer[..buffer.len() - unused];
    let at = text.iter().position(|byte| *byte == b'e').unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(at);
    let exponent = std::str::from_utf8(exponent).ok().and_then(|text| text.get(1..)?.parse().ok()).unwrap_or(0);
    let mantissa = match mantissa.split_first() {
        Some((b'-', rest)) => {
            out.push(b'-');
            rest
        }
        _ => mantissa,
    };
    if exponent < -4 || exponent >= fixed_end {
        out.extend_from_slice(mantissa);
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        if exponent.abs() < 10 {
            out.push(b'0');
        }
        super::integer::write(i64::from(exponent.abs()), out);
        return;
    }
    fixed(mantissa, exponent, out);
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
            (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (0.1, "0.1"), (-1.5, "-1.5"), (1e20, "1e+20"), (1e-5, "1e-05"),
            (0.0001, "0.0001"), (1e14, "100000000000000"), (1e15, "1e+15"), (123456789012345.0, "123456789012345"),
            (1234567890123456.0, "1.234567890123456e+15"), (1.7976931348623157e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"), (f64::NAN, "NaN"), (f64::NEG_INFINITY, "-Infinity"), (100.25, "100.25"),
        ] {
            let mut out = Vec::new();
            write_f64(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        for (value, text) in [(1e6f32, "1e+06"), (1_234_567.0, "1.234567e+06"), (123_456.0, "123456"), (0.1, "0.1"), (3.402_823_5e38, "3.4028235e+38")] {
            let mut out = Vec::new();
            write_f32(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn what_is_printed_reads_back() {
        let mut bits = 1u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(bits);
            let mut out = Vec::new();
            write_f64(value, &mut out);
            let read: f64 = String::from_utf8(out).unwrap().parse().unwrap();
            assert!(read == value || value.is_nan());
        }
    }
}
