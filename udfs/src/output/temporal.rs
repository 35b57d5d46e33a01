//! Dates and times in ISO style.

use chrono_tz::Tz;

use super::integer::{write_pair, write_unsigned};
use crate::calendar::{self, DAY_MICROS};

/// Prints a `date`, days since 1970.
pub(crate) fn write_date(days: i32, out: &mut Vec<u8>) {
    match days {
        i32::MAX => out.extend_from_slice(b"infinity"),
        i32::MIN => out.extend_from_slice(b"-infinity"),
        days => {
            if write_day(i64::from(days), out) {
                out.extend_from_slice(b" BC");
            }
        }
    }
}

/// Prints year, month and day; true when the year is before Christ.
fn write_day(days: i64, out: &mut Vec<u8>) -> bool {
    let (year, month, day) = calendar::civil(days);
    let before_christ = year <= 0;
    let shown = if before_christ { 1 - year } else { year }.unsigned_abs();
    if shown < 10_000 {
        write_pair((shown / 100) as i64, out);
        write_pair((shown % 100) as i64, out);
    } else {
        write_unsigned(shown, out);
    }
    out.push(b'-');
    write_pair(i64::from(month), out);
    out.push(b'-');
    write_pair(i64::from(day), out);
    before_christ
}

/// Prints a `time`, microseconds of the day.
pub(crate) fn write_time(micros: i64, out: &mut Vec<u8>) {
    let seconds = micros / 1_000_000;
    write_pair(seconds / 3_600, out);
    out.push(b':');
    write_pair(seconds / 60 % 60, out);
    out.push(b':');
    write_pair(seconds % 60, out);
    write_fraction(micros % 1_000_000, out);
}

/// Prints microseconds as a fraction without trailing zeros; nothing for 0.
pub(crate) fn write_fraction(micros: i64, out: &mut Vec<u8>) {
    if micros == 0 {
        return;
    }
    out.push(b'.');
    write_pair(micros / 10_000, out);
    write_pair(micros / 100 % 100, out);
    write_pair(micros % 100, out);
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

/// Prints a `timestamp`, microseconds since 1970.
pub(crate) fn write_timestamp(micros: i64, out: &mut Vec<u8>) {
    write_moment(micros, None, out);
}

/// Prints a `timestamp with time zone` on a zone's wall clock.
pub(crate) fn write_timestamptz(micros: i64, zone: Tz, out: &mut Vec<u8>) {
    match micros {
        i64::MAX | i64::MIN => write_moment(micros, None, out),
        micros => write_moment(micros, Some(calendar::offset_at(zone, micros)), out),
    }
}

fn write_moment(micros: i64, offset: Option<i64>, out: &mut Vec<u8>) {
    match micros {
        i64::MAX => return out.extend_from_slice(b"infinity"),
        i64::MIN => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let local = micros.saturating_add(offset.unwrap_or(0) * 1_000_000);
    let before_christ = write_day(local.div_euclid(DAY_MICROS), out);
    out.push(b' ');
    write_time(local.rem_euclid(DAY_MICROS), out);
    if let Some(offset) = offset {
        write_offset(offset, out);
    }
    if before_christ {
        out.extend_from_slice(b" BC");
    }
}

/// Prints seconds east of Greenwich: `+00`, `-04`, `+05:30`.
pub(crate) fn write_offset(seconds: i64, out: &mut Vec<u8>) {
    out.push(if seconds < 0 { b'-' } else { b'+' });
    let seconds = seconds.abs();
    write_pair(seconds / 3_600, out);
    if seconds % 3_600 != 0 {
        out.push(b':');
        write_pair(seconds / 60 % 60, out);
    }
    if seconds % 60 != 0 {
        out.push(b':');
        write_pair(seconds % 60, out);
    }
}
