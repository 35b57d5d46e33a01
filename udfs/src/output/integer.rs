//! Whole numbers, two digits at a time.

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// The two digits of a number below 100.
#[inline]
pub(crate) fn pair(value: u64) -> [u8; 2] {
    let at = (value % 100) as usize * 2;
    [PAIRS[at], PAIRS[at + 1]]
}

/// Prints a signed number.
#[inline]
pub(crate) fn write(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    write_unsigned(value.unsigned_abs(), out);
}

/// Prints an unsigned number.
pub(crate) fn write_unsigned(mut value: u64, out: &mut Vec<u8>) {
    let mut buffer = [0u8; 20];
    let mut start = buffer.len();
    while value >= 100 {
        start -= 2;
        buffer[start..start + 2].copy_from_slice(&pair(value));
        value /= 100;
    }
    if value >= 10 {
        start -= 2;
        buffer[start..start + 2].copy_from_slice(&pair(value));
    } else {
        start -= 1;
        buffer[start] = b'0' + value as u8;
    }
    out.extend_from_slice(&buffer[start..]);
}

/// Prints two digits, with a leading zero.
#[inline]
pub(crate) fn write_pair(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&pair(value.unsigned_abs()));
}

/// Prints a row's place, kept as `block << 16 | offset`.
pub(crate) fn write_tid(value: i64, out: &mut Vec<u8>) {
    out.push(b'(');
    write(value >> 16, out);
    out.push(b',');
    write(value & 0xffff, out);
    out.push(b')');
}

#[cfg(test)]
mod tests {
    #[test]
    fn like_the_standard_library() {
        let mut values = vec![0, 9, 10, 99, 100, 101, i64::MAX, i64::MIN, -1];
        values
            .extend((0..2_000).map(|step: i64| {
                step.wrapping_mul(0x9e37_79b9_7f4a_7c15u64 as i64) >> (step % 60)
            }));
        for value in values {
            let mut out = Vec::new();
            super::write(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
