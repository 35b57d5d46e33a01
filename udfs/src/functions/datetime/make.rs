//! `make_date`, `make_time`, `make_timestamp`, `make_timestamptz`, `make_interval` (manual, 9.9).

use super::calendar::{Civil, DAY, date, interval, month_length};
use super::zone::Zone;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("make_date(year int4, month int4, day int4) -> date", "A date from its fields.", |row| {
            Ok(Value::Date(date(civil(row)?.days())?))
        }),
        function("make_time(hour int4, min int4, sec float8) -> time", "A time of day from its fields.", |row| {
            Ok(Value::Micros(time(row, 0)?))
        }),
        function(
            "make_timestamp(year int4, month int4, mday int4, hour int4, min int4, sec float8) -> timestamp",
            "A timestamp from its fields.",
            |row| Ok(Value::Micros(timestamp(row)?)),
        ),
        function(
            "make_timestamptz(year int4, month int4, mday int4, hour int4, min int4, sec float8) -> timestamptz",
            "An instant from its fields, in the session's zone.",
            |row| Ok(Value::Micros(row.zone().to_utc(timestamp(row)?))),
        ).stable(),
        function(
            "make_timestamptz(year int4, month int4, mday int4, hour int4, min int4, sec float8, timezone text) -> timestamptz",
            "An instant from its fields, in a zone.",
            |row| Ok(Value::Micros(Zone::parse(row.text(6))?.to_utc(timestamp(row)?))),
        ),
        function(
            "make_interval(years int4 DEFAULT 0, months int4 DEFAULT 0, weeks int4 DEFAULT 0, days int4 DEFAULT 0, hours int4 DEFAULT 0, mins int4 DEFAULT 0, secs float8 DEFAULT 0.0) -> interval",
            "An interval from its fields.",
            make_interval,
        ),
    ]
}

/// A negative year counts before Christ; there is no year 0.
fn civil(row: &Row<'_>) -> Result<Civil> {
    let (given, month, day) = (row.int(0), row.int(1), row.int(2));
    let year = if given < 0 { given + 1 } else { given };
    let valid =
        given != 0 && (1..=12).contains(&month) && (1..=month_length(year, month)).contains(&day);
    if !valid {
        let message = format!("date field value out of range: {given}-{month:02}-{day:02}");
        return Err(ValueError::new("22008", message));
    }
    Ok(Civil { year, month, day, micros: 0 })
}

fn time(row: &Row<'_>, first: usize) -> Result<i64> {
    let (hour, minute, second) = (row.int(first), row.int(first + 1), row.float(first + 2));
    let micros =
        hour * 3_600_000_000 + minute * 60_000_000 + (second * 1e6).round_ties_even() as i64;
    let valid =
        (0..=24).contains(&hour) && (0..60).contains(&minute) && (0.0..=60.0).contains(&second);
    if !valid || micros > DAY {
        let message = format!("time field value out of range: {hour}:{minute:02}:{second:02}");
        return Err(ValueError::new("22008", message));
    }
    Ok(micros)
}

fn timestamp(row: &Row<'_>) -> Result<i64> {
    let date = civil(row)?;
    Civil { micros: time(row, 3)?, ..date }.timestamp()
}

fn make_interval(row: &Row<'_>) -> Result<Value> {
    let seconds = row.float(6);
    if !seconds.is_finite() || seconds.abs() > 9e12 {
        return Err(ValueError::new("22008", "interval out of range"));
    }
    let micros =
        row.int(4) * 3_600_000_000 + row.int(5) * 60_000_000 + (seconds * 1e6).round() as i64;
    Ok(interval(row.int(0) * 12 + row.int(1), row.int(2) * 7 + row.int(3), micros)?.into())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn made() {
        check(&[
            ("make_date(2024,2,29)", "2024-02-29"),
            ("make_date(-44,3,15)", "0044-03-15 BC"),
            ("make_timestamp(2024,1,2,3,4,5.5)", "2024-01-02 03:04:05.5"),
            ("make_timestamptz(2024,1,2,3,4,5.5,'UTC')", "2024-01-02 04:04:05.5+01"),
            ("make_time(8, 15, 23.5)", "08:15:23.5"),
            ("make_interval(0, 0, 0, 10)", "10 days"),
            ("make_interval(1, 2, 1, 1, 1, 1, 1.5)", "1 year 2 mons 8 days 01:01:01.5"),
        ]);
        check_errors(&[
            ("make_date(2024,13,1)", "22008", "date field value out of range: 2024-13-01"),
            ("make_date(2023,2,29)", "22008", "date field value out of range: 2023-02-29"),
        ]);
    }
}
