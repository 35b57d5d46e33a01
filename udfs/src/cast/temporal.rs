//! Casts among `date`, `time`, `timestamp`, `timestamptz` and `interval`, in the session's zone.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, IntervalMonthDayNanoArray, PrimitiveArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType,
};

use super::udf::Call;
use crate::calendar::{DATE_DAYS_END, DAY_MICROS, DAYS_MIN, TIMESTAMP_DAYS_END};
use crate::input::time::rounded as rounded_time;
use crate::input::timestamp::{local, rounded, utc};
use crate::{Result, ValueError};

/// Casts one temporal type to another; `infinity` stays what it is.
pub(super) fn converted(array: &ArrayRef, call: &Call) -> Result<ArrayRef> {
    match (array.data_type(), call.to.oid) {
        (DataType::Date32, 1114 | 1184) => from_date(array, call),
        (DataType::Timestamp(_, zone), 1082 | 1083 | 1114 | 1184) => {
            from_timestamp(array, zone.is_some(), call)
        }
        (DataType::Time64(_), 1083) => {
            let array: &PrimitiveArray<Time64MicrosecondType> = array.as_primitive();
            let digits = digits(call);
            let times: Time64MicrosecondArray = array.unary(|micros| rounded_time(micros, digits));
            Ok(Arc::new(times))
        }
        (DataType::Time64(_), 1186) => {
            let array: &PrimitiveArray<Time64MicrosecondType> = array.as_primitive();
            let intervals: IntervalMonthDayNanoArray =
                array.unary(|micros| IntervalMonthDayNano::new(0, 0, micros * 1_000));
            Ok(Arc::new(intervals))
        }
        (DataType::Interval(_), 1083) => {
            let array: &PrimitiveArray<IntervalMonthDayNanoType> = array.as_primitive();
            let times: Time64MicrosecondArray =
                array.unary(|value| (value.nanoseconds / 1_000).rem_euclid(DAY_MICROS));
            Ok(Arc::new(times))
        }
        (DataType::Interval(_), 1186) => Ok(Arc::clone(array)),
        _ => {
            let (from, to) = (call.from.sql_name(), call.to.sql_name());
            Err(ValueError::new("42846", format!("cannot cast type {from} to {to}")))
        }
    }
}

/// Fractional digits that the target keeps.
fn digits(call: &Call) -> i32 {
    if (0..6).contains(&call.to.modifier) { call.to.modifier } else { 6 }
}

fn from_date(array: &ArrayRef, call: &Call) -> Result<ArrayRef> {
    let array: &PrimitiveArray<Date32Type> = array.as_primitive();
    let zoned = call.to.oid == 1184;
    let timestamps: TimestampMicrosecondArray = array.try_unary(|days| match days {
        i32::MAX => Ok(i64::MAX),
        i32::MIN => Ok(i64::MIN),
        days if !(DAYS_MIN..TIMESTAMP_DAYS_END).contains(&i64::from(days)) => {
            Err(ValueError::new("22008", "date out of range for timestamp"))
        }
        days => {
            let midnight = i64::from(days) * DAY_MICROS;
            Ok(if zoned { utc(midnight, call.ctx.time_zone) } else { midnight })
        }
    })?;
    Ok(Arc::new(timestamps.with_data_type(call.to.arrow())))
}

fn from_timestamp(array: &ArrayRef, zoned: bool, call: &Call) -> Result<ArrayRef> {
    let array: &PrimitiveArray<TimestampMicrosecondType> = array.as_primitive();
    let zone = call.ctx.time_zone;
    let on_the_wall = |micros: i64| if zoned { local(micros, zone) } else { micros };
    match call.to.oid {
        1082 => {
            let dates: Date32Array = array.try_unary(|micros| to_date(micros, on_the_wall))?;
            Ok(Arc::new(dates))
        }
        1083 => {
            let digits = digits(call);
            // What is infinite has no time of day: NULL (timestamp.c, `timestamp_time`).
            let times: Time64MicrosecondArray = array.unary_opt(|micros| match micros {
                i64::MAX | i64::MIN => None,
                micros => Some(rounded_time(on_the_wall(micros).rem_euclid(DAY_MICROS), digits)),
            });
            Ok(Arc::new(times))
        }
        to => {
            let digits = digits(call);
            let timestamps: TimestampMicrosecondArray = array.unary(|micros| match micros {
                i64::MAX | i64::MIN => micros,
                micros if to == 1114 => rounded(on_the_wall(micros), digits),
                micros if zoned => rounded(micros, digits),
                micros => rounded(utc(micros, zone), digits),
            });
            Ok(Arc::new(timestamps.with_data_type(call.to.arrow())))
        }
    }
}

fn to_date(micros: i64, on_the_wall: impl Fn(i64) -> i64) -> Result<i32> {
    match micros {
        i64::MAX => return Ok(i32::MAX),
        i64::MIN => return Ok(i32::MIN),
        _ => {}
    }
    let days = on_the_wall(micros).div_euclid(DAY_MICROS);
    match i32::try_from(days) {
        Ok(kept) if (DAYS_MIN..DATE_DAYS_END).contains(&days) => Ok(kept),
        _ => Err(ValueError::new("22008", "timestamp out of range")),
    }
}
