//! `date`, `time`, `timestamp`, `timestamptz`: `+` and `-` with one another and with `interval`
//! (manual, 9.9). Months and days of an interval are added to local time, in the session's zone.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use crate::functions::Value;
use crate::functions::argument::Row;
use crate::functions::datetime::calendar::{
    DAY, add_months_days, date, in_range, interval, is_infinite, micros, midnight,
};
use crate::functions::datetime::zone::Zone;
use crate::functions::function::{Function, function};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    [days(), plus(), minus(), times()].concat()
}

fn days() -> Vec<Function> {
    vec![
        function("date_pli(date, int4) -> date", "Adds days.", |row| {
            add_days(row.date(0), row.int(1))
        })
        .operator("+"),
        function("integer_pl_date(int4, date) -> date", "Adds days.", |row| {
            add_days(row.date(1), row.int(0))
        })
        .operator("+"),
        function("date_mii(date, int4) -> date", "Subtracts days.", |row| {
            add_days(row.date(0), -row.int(1))
        })
        .operator("-"),
        function("date_mi(date, date) -> int4", "Days between two dates.", |row| {
            let (a, b) = (row.date(0), row.date(1));
            if [a, b].iter().any(|date| matches!(*date, i32::MAX | i32::MIN)) {
                return Err(ValueError::new("22008", "cannot subtract infinite dates"));
            }
            Ok((i64::from(a) - i64::from(b)).into())
        })
        .operator("-"),
        function("datetime_pl(date, time) -> timestamp", "The time on the date.", |row| {
            at(row.date(0), row.time(1))
        })
        .operator("+"),
        function("timedate_pl(time, date) -> timestamp", "The time on the date.", |row| {
            at(row.date(1), row.time(0))
        })
        .operator("+"),
    ]
}

fn plus() -> Vec<Function> {
    vec![
        function("date_pl_interval(date, interval) -> timestamp", "Adds an interval.", |row| {
            shift(midnight(row.date(0))?, row.interval(1))
        })
        .operator("+"),
        function("interval_pl_date(interval, date) -> timestamp", "Adds an interval.", |row| {
            shift(midnight(row.date(1))?, row.interval(0))
        })
        .operator("+"),
        function(
            "timestamp_pl_interval(timestamp, interval) -> timestamp",
            "Adds an interval.",
            |row| shift(row.timestamp(0), row.interval(1)),
        )
        .operator("+"),
        function(
            "interval_pl_timestamp(interval, timestamp) -> timestamp",
            "Adds an interval.",
            |row| shift(row.timestamp(1), row.interval(0)),
        )
        .operator("+"),
        function(
            "timestamptz_pl_interval(timestamptz, interval) -> timestamptz",
            "Adds an interval.",
            |row| shift_zoned(row.timestamp(0), row.interval(1), row.zone()),
        )
        .operator("+")
        .stable(),
        function(
            "interval_pl_timestamptz(interval, timestamptz) -> timestamptz",
            "Adds an interval.",
            |row| shift_zoned(row.timestamp(1), row.interval(0), row.zone()),
        )
        .operator("+")
        .stable(),
    ]
}

fn minus() -> Vec<Function> {
    vec![
        function(
            "date_mi_interval(date, interval) -> timestamp",
            "Subtracts an interval.",
            |row| shift(midnight(row.date(0))?, negated(row.interval(1))?),
        )
        .operator("-"),
        function(
            "timestamp_mi_interval(timestamp, interval) -> timestamp",
            "Subtracts an interval.",
            |row| shift(row.timestamp(0), negated(row.interval(1))?),
        )
        .operator("-"),
        function(
            "timestamptz_mi_interval(timestamptz, interval) -> timestamptz",
            "Subtracts an interval.",
            |row| shift_zoned(row.timestamp(0), negated(row.interval(1))?, row.zone()),
        )
        .operator("-")
        .stable(),
        function(
            "timestamp_mi(timestamp, timestamp) -> interval",
            "Days and time between two timestamps.",
            between,
        )
        .operator("-"),
        function(
            "timestamptz_mi(timestamptz, timestamptz) -> interval",
            "Days and time between two timestamps.",
            between,
        )
        .operator("-"),
    ]
}

fn times() -> Vec<Function> {
    vec![
        function(
            "time_pl_interval(time, interval) -> time",
            "Adds an interval's time, around midnight.",
            |row| Ok(Value::Micros((row.time(0) + micros(row.interval(1)) % DAY).rem_euclid(DAY))),
        )
        .operator("+"),
        function(
            "interval_pl_time(interval, time) -> time",
            "Adds an interval's time, around midnight.",
            |row| Ok(Value::Micros((row.time(1) + micros(row.interval(0)) % DAY).rem_euclid(DAY))),
        )
        .operator("+"),
        function(
            "time_mi_interval(time, interval) -> time",
            "Subtracts an interval's time, around midnight.",
            |row| Ok(Value::Micros((row.time(0) - micros(row.interval(1)) % DAY).rem_euclid(DAY))),
        )
        .operator("-"),
        function("time_mi_time(time, time) -> interval", "Time between two times of day.", |row| {
            Ok(interval(0, 0, row.time(0) - row.time(1))?.into())
        })
        .operator("-"),
    ]
}

fn add_days(day: i32, more: i64) -> Result<Value> {
    if matches!(day, i32::MAX | i32::MIN) {
        return Ok(Value::Date(day));
    }
    Ok(Value::Date(date(i64::from(day) + more)?))
}

fn at(date: i32, time: i64) -> Result<Value> {
    let start = midnight(date)?;
    if is_infinite(start) {
        return Ok(Value::Micros(start));
    }
    Ok(Value::Micros(in_range(start.checked_add(time))?))
}

fn negated(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    super::intervals::negate(interval)
}

/// Adds an interval to a local timestamp.
///
/// # Errors
/// `timestamp out of range` (22008).
pub fn add(timestamp: i64, interval: IntervalMonthDayNano) -> Result<i64> {
    if is_infinite(timestamp) {
        return Ok(timestamp);
    }
    let shifted = add_months_days(timestamp, interval.months, interval.days)?;
    in_range(shifted.checked_add(micros(interval)))
}

/// Adds an interval to an instant: months and days in the zone, time after that.
///
/// # Errors
/// `timestamp out of range` (22008).
pub fn add_zoned(instant: i64, interval: IntervalMonthDayNano, zone: &Zone) -> Result<i64> {
    if is_infinite(instant) {
        return Ok(instant);
    }
    let shifted = if interval.months == 0 && interval.days == 0 {
        instant
    } else {
        zone.to_utc(add_months_days(zone.to_local(instant), interval.months, interval.days)?)
    };
    in_range(shifted.checked_add(micros(interval)))
}

fn shift(timestamp: i64, interval: IntervalMonthDayNano) -> Result<Value> {
    Ok(Value::Micros(add(timestamp, interval)?))
}

fn shift_zoned(instant: i64, interval: IntervalMonthDayNano, zone: &Zone) -> Result<Value> {
    Ok(Value::Micros(add_zoned(instant, interval, zone)?))
}

fn between(row: &Row<'_>) -> Result<Value> {
    let (a, b) = (row.timestamp(0), row.timestamp(1));
    if is_infinite(a) || is_infinite(b) {
        return Err(ValueError::new("22008", "cannot subtract infinite timestamps"));
    }
    let micros =
        a.checked_sub(b).ok_or_else(|| ValueError::new("22008", "interval out of range"))?;
    Ok(interval(0, micros / DAY, micros % DAY)?.into())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn dates_and_intervals() {
        check(&[
            ("date_pli(date '2024-02-28', 2)", "2024-03-01"),
            ("date_mi(date '2024-03-01', date '2024-02-01')", "29"),
            ("date_pl_interval(date '2024-01-31', interval '1 month')", "2024-02-29 00:00:00"),
            (
                "timestamp_mi_interval(timestamp '2024-01-01', interval '1 hour')",
                "2023-12-31 23:00:00",
            ),
            (
                "timestamp_mi(timestamp '2024-03-01', timestamp '2024-02-01 12:00')",
                "28 days 12:00:00",
            ),
            ("time_pl_interval(time '23:30', interval '1 hour')", "00:30:00"),
            ("time_mi_time(time '01:00', time '02:30')", "-01:30:00"),
            ("datetime_pl(date '2024-01-01', time '10:30')", "2024-01-01 10:30:00"),
        ]);
        check_errors(&[("date_pli(date '2024-02-28', 2147483647)", "22008", "date out of range")]);
    }
}
