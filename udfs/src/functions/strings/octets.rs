//! Single bytes and bits of `bytea`: `get_byte`, `set_bit`, `bit_count` (manual, 9.5).

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("get_byte(bytea, int4) -> int4", "A byte, counted from 0.", |row| {
            let (bytes, place) = (row.bytes(0), row.int(1));
            Ok(i64::from(bytes.get(within(place, bytes.len())?).copied().unwrap_or(0)).into())
        }),
        function(
            "set_byte(bytea, int4, int4) -> bytea",
            "With another byte at a place, counted from 0.",
            |row| {
                let mut bytes = row.bytes(0).to_vec();
                let place = within(row.int(1), bytes.len())?;
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = row.int(2) as u8;
                }
                Ok(bytes.into())
            },
        ),
        function(
            "get_bit(bytea, int8) -> int4",
            "A bit, counted from 0, the lowest of the first byte first.",
            |row| {
                let bytes = row.bytes(0);
                let place = within(row.int(1), bytes.len().saturating_mul(8))?;
                let byte = bytes.get(place / 8).copied().unwrap_or(0);
                Ok(i64::from(byte >> (place % 8) & 1).into())
            },
        ),
        function(
            "set_bit(bytea, int8, int4) -> bytea",
            "With another bit at a place, counted from 0.",
            with_bit,
        ),
        function("bit_count(bytea) -> int8", "Number of bits that are set.", |row| {
            Ok(row.bytes(0).iter().map(|byte| i64::from(byte.count_ones())).sum::<i64>().into())
        }),
    ]
}

fn within(place: i64, length: usize) -> Result<usize> {
    usize::try_from(place).ok().filter(|place| *place < length).ok_or_else(|| {
        let last = i64::try_from(length).unwrap_or(i64::MAX) - 1;
        ValueError::new("2202E", format!("index {place} out of valid range, 0..{last}"))
    })
}

fn with_bit(row: &Row<'_>) -> Result<crate::functions::Value> {
    let mut bytes = row.bytes(0).to_vec();
    let place = within(row.int(1), bytes.len().saturating_mul(8))?;
    let bit = match row.int(2) {
        0 => false,
        1 => true,
        _ => return Err(ValueError::invalid_parameter("new bit must be 0 or 1")),
    };
    if let Some(byte) = bytes.get_mut(place / 8) {
        *byte = *byte & !(1 << (place % 8)) | u8::from(bit) << (place % 8);
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn bytes_and_bits() {
        check(&[
            ("get_byte(decode('1234567890', 'hex'), 4)", "144"),
            ("set_byte(decode('1234567890', 'hex'), 4, 64)", "\\x1234567840"),
            ("get_bit(decode('1234567890', 'hex'), 30)", "1"),
            ("set_bit(decode('1234567890', 'hex'), 30, 0)", "\\x1234563890"),
            ("bit_count(decode('1234567890', 'hex'))", "15"),
        ]);
        check_errors(&[(
            "get_byte(decode('12', 'hex'), 1)",
            "2202E",
            "index 1 out of valid range, 0..0",
        )]);
    }
}
