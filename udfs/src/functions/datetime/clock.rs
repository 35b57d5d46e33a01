//! Functions that look at the clock, and `isfinite` (manual, 9.9). `now()` and its kin belong to
//! the transaction, hence to the engine.

use chrono::Utc;
use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::calendar::is_infinite;
use crate::functions::formatting::{template, write_datetime};
use crate::functions::function::{Function, function};
use crate::functions::value::Value;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "clock_timestamp() -> timestamptz",
            "The time now; it changes within a statement.",
            |_| Ok(Value::Micros(Utc::now().timestamp_micros())),
        )
        .volatile(),
        function("timeofday() -> text", "The time now, as text.", |row| {
            let (now, zone) = (Utc::now().timestamp_micros(), row.zone());
            let zone_now = Some((zone.offset_at(now), zone.abbreviation(now)));
            let moment = write_datetime::Moment::of(zone.to_local(now), zone_now);
            let nodes = template::parse("Dy Mon DD HH24:MI:SS.US YYYY TZ");
            Ok(write_datetime::write(&moment, &nodes)?.into())
        })
        .volatile(),
        function("isfinite(date) -> bool", "Whether it is not plus or minus infinity.", |row| {
            Ok((!matches!(row.date(0), i32::MAX | i32::MIN)).into())
        }),
        function(
            "isfinite(timestamp) -> bool; isfinite(timestamptz) -> bool",
            "Whether it is not plus or minus infinity.",
            |row| Ok((!is_infinite(row.timestamp(0))).into()),
        ),
        function("isfinite(interval) -> bool", "True: an interval is always finite.", |row| {
            Ok((row.interval(0) != IntervalMonthDayNano::MAX).into())
        }),
    ]
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn finite() {
        check(&[
            ("isfinite(date '2024-01-01')", "t"),
            ("isfinite(date 'infinity')", "f"),
            ("isfinite(timestamp '-infinity')", "f"),
        ]);
    }
}
