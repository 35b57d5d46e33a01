//! Value → bytes for the types of fixed length.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use crate::calendar::{EPOCH_2000_DAYS, EPOCH_2000_MICROS};

/// Sends a `date`: days since 2000, infinities as they are.
pub(crate) fn date(days: i32, out: &mut Vec<u8>) {
    let sent = match days {
        i32::MAX | i32::MIN => days,
        days => days.saturating_sub(EPOCH_2000_DAYS),
    };
    out.extend_from_slice(&sent.to_be_bytes());
}

/// Sends a `timestamp`: microseconds since 2000, infinities as they are.
pub(crate) fn timestamp(micros: i64, out: &mut Vec<u8>) {
    let sent = match micros {
        i64::MAX | i64::MIN => micros,
        micros => micros.saturating_sub(EPOCH_2000_MICROS),
    };
    out.extend_from_slice(&sent.to_be_bytes());
}

/// Sends an `interval`: microseconds, days, months.
pub(crate) fn interval(value: IntervalMonthDayNano, out: &mut Vec<u8>) {
    out.extend_from_slice(&(value.nanoseconds / 1_000).to_be_bytes());
    out.extend_from_slice(&value.days.to_be_bytes());
    out.extend_from_slice(&value.months.to_be_bytes());
}

/// Sends a row's place, kept as `block << 16 | offset`.
pub(crate) fn tid(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&((value >> 16) as u32).to_be_bytes());
    out.extend_from_slice(&(value as u16).to_be_bytes());
}
