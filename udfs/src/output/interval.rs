//! `interval` in postgres style and in that of ISO 8601 (src/backend/utils/adt/datetime.c,
//! `EncodeInterval`).

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::temporal::write_fraction;
use super::{IntervalStyle, integer};

/// Prints an interval.
pub(crate) fn write(value: IntervalMonthDayNano, style: IntervalStyle, out: &mut Vec<u8>) {
    match style {
        IntervalStyle::Postgres => write_postgres(value, out),
        IntervalStyle::Iso8601 => write_iso(value, out),
    }
}

/// Prints `P1Y2M-3DT4H5M6.789S`.
fn write_iso(value: IntervalMonthDayNano, out: &mut Vec<u8>) {
    let micros = value.nanoseconds / 1_000;
    let start = out.len();
    out.push(b'P');
    write_iso_part(i64::from(value.months / 12), b'Y', out);
    write_iso_part(i64::from(value.months % 12), b'M', out);
    write_iso_part(i64::from(value.days), b'D', out);
    if micros != 0 {
        out.push(b'T');
        write_iso_part(micros / 3_600_000_000, b'H', out);
        write_iso_part(micros / 60_000_000 % 60, b'M', out);
        write_iso_seconds(micros % 60_000_000, out);
    } else if out.len() == start + 1 {
        out.extend_from_slice(b"T0S");
    }
}

fn write_iso_part(amount: i64, unit: u8, out: &mut Vec<u8>) {
    if amount != 0 {
        integer::write(amount, out);
        out.push(unit);
    }
}

fn write_iso_seconds(micros: i64, out: &mut Vec<u8>) {
    if micros == 0 {
        return;
    }
    if micros < 0 {
        out.push(b'-');
    }
    integer::write_unsigned(micros.unsigned_abs() / 1_000_000, out);
    write_fraction(micros.abs() % 1_000_000, out);
    out.push(b'S');
}

/// Prints `1 year 2 mons -3 days +04:05:06.789`.
fn write_postgres(value: IntervalMonthDayNano, out: &mut Vec<u8>) {
    let micros = value.nanoseconds / 1_000;
    let start = out.len();
    let mut after_negative = false;
    for (amount, unit) in
        [(value.months / 12, "year"), (value.months % 12, "mon"), (value.days, "day")]
    {
        if amount == 0 {
            continue;
        }
        if out.len() > start {
            out.push(b' ');
        }
        if after_negative && amount > 0 {
            out.push(b'+');
        }
        integer::write(i64::from(amount), out);
        out.push(b' ');
        out.extend_from_slice(unit.as_bytes());
        if amount != 1 {
            out.push(b's');
        }
        after_negative = amount < 0;
    }
    if micros == 0 && out.len() > start {
        return;
    }
    if out.len() > start {
        out.push(b' ');
    }
    if micros < 0 {
        out.push(b'-');
    } else if after_negative {
        out.push(b'+');
    }
    write_clock(micros.unsigned_abs(), out);
}

/// Prints hours (as many digits as it takes), minutes and seconds.
fn write_clock(micros: u64, out: &mut Vec<u8>) {
    let seconds = micros / 1_000_000;
    let hours = seconds / 3_600;
    if hours < 10 {
        out.push(b'0');
    }
    integer::write_unsigned(hours, out);
    out.push(b':');
    out.extend_from_slice(&integer::pair(seconds / 60 % 60));
    out.push(b':');
    out.extend_from_slice(&integer::pair(seconds % 60));
    write_fraction((micros % 1_000_000) as i64, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_style() {
        for (months, days, micros, text) in [
            (0, 0, 0, "00:00:00"),
            (14, 3, 14_706_789_000, "1 year 2 mons 3 days 04:05:06.789"),
            (-1, 1, 0, "-1 mons +1 day"),
            (-14, -3, -1_000_000, "-1 years -2 mons -3 days -00:00:01"),
            (0, -1, 3_600_000_000, "-1 days +01:00:00"),
            (1, 0, -500_000, "1 mon -00:00:00.5"),
            (0, 0, 360_000_000_000, "100:00:00"),
            (-1, 0, 60_000_000, "-1 mons +00:01:00"),
            (12, -1, 60_000_000, "1 year -1 days +00:01:00"),
        ] {
            let mut out = Vec::new();
            write_postgres(IntervalMonthDayNano::new(months, days, micros * 1_000), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn iso_8601_style() {
        for (months, days, micros, text) in [
            (0, 0, 0, "PT0S"),
            (14, 3, 14_706_789_000, "P1Y2M3DT4H5M6.789S"),
            (-14, -3, -3_661_500_000, "P-1Y-2M-3DT-1H-1M-1.5S"),
            (0, 1, 0, "P1D"),
            (1, 0, -500_000, "P1MT-0.5S"),
            (0, 0, 360_000_000_000, "PT100H"),
        ] {
            let mut out = Vec::new();
            write_iso(IntervalMonthDayNano::new(months, days, micros * 1_000), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
