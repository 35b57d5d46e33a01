//! `timezone(zone, value)`, which `value AT TIME ZONE zone` means (manual, 9.9.4).

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::calendar::micros;
use super::zone::Zone;
use crate::functions::cache::Cache;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

thread_local! {
    static ZONES: Cache<Zone> = Cache::new();
}

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "timezone(text, timestamptz) -> timestamp",
            "Local time of an instant in a zone.",
            |row| Ok(Value::Micros(named(row.text(0))?.to_local(row.timestamp(1)))),
        ),
        function(
            "timezone(text, timestamp) -> timestamptz",
            "The instant of a local time in a zone.",
            |row| Ok(Value::Micros(named(row.text(0))?.to_utc(row.timestamp(1)))),
        ),
        function(
            "timezone(interval, timestamptz) -> timestamp",
            "Local time of an instant at an offset.",
            |row| Ok(Value::Micros(fixed(row.interval(0))?.to_local(row.timestamp(1)))),
        ),
        function(
            "timezone(interval, timestamp) -> timestamptz",
            "The instant of a local time at an offset.",
            |row| Ok(Value::Micros(fixed(row.interval(0))?.to_utc(row.timestamp(1)))),
        ),
    ]
}

fn named(name: &str) -> Result<Zone> {
    Ok(*ZONES.with(|cache| cache.get(name, Zone::parse))?)
}

fn fixed(offset: IntervalMonthDayNano) -> Result<Zone> {
    if offset.months != 0 || offset.days != 0 {
        return Err(ValueError::invalid_parameter(
            "interval time zone must not include months or days",
        ));
    }
    Ok(Zone::Fixed(i32::try_from(micros(offset) / 1_000_000).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn at_time_zone() {
        check(&[
            (
                "timezone('America/New_York', timestamptz '2024-01-01 12:00+00')",
                "2024-01-01 07:00:00",
            ),
            ("timezone('Europe/Berlin', timestamp '2024-07-01 12:00')", "2024-07-01 12:00:00+02"),
            (
                "timezone(interval '2 hours', timestamp '2024-07-01 12:00')",
                "2024-07-01 12:00:00+02",
            ),
            ("timezone('UTC', timestamptz '2024-07-01 12:00Z')", "2024-07-01 12:00:00"),
        ]);
        check_errors(&[(
            "timezone('Nowhere', timestamp '2024-07-01')",
            "22023",
            "time zone \"Nowhere\" not recognized",
        )]);
    }
}
