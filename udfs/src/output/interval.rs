//! `interval` in postgres style (src/backend/utils/adt/datetime.c, `EncodeInterval`).

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::integer;
use super::temporal::write_fraction;

/// Prints `1 year 2 mons -3 days +04:05:06.789`.
pub(crate) fn write(value: IntervalMonthDayNano, out: &mut Vec<u8>) {
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
            write(IntervalMonthDayNano::new(months, days, micros * 1_000), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
