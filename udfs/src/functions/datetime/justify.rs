//! `justify_hours`, `justify_days`, `justify_interval` (manual, 9.9).

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::calendar::{DAY, interval, micros};
use crate::Result;
use crate::functions::function::{Function, function};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("justify_hours(interval) -> interval", "Makes days of 24 hours.", |row| {
            Ok(hours(row.interval(0))?.into())
        }),
        function("justify_days(interval) -> interval", "Makes months of 30 days.", |row| {
            Ok(days(row.interval(0))?.into())
        }),
        function(
            "justify_interval(interval) -> interval",
            "Makes days of 24 hours and months of 30 days, all of one sign.",
            |row| Ok(both(row.interval(0))?.into()),
        ),
    ]
}

fn hours(span: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    let (mut days, mut time) = (i64::from(span.days) + micros(span) / DAY, micros(span) % DAY);
    align(&mut days, &mut time, DAY);
    interval(span.months.into(), days, time)
}

fn days(span: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    let (mut months, mut days) =
        (i64::from(span.months) + i64::from(span.days) / 30, i64::from(span.days) % 30);
    align(&mut months, &mut days, 30);
    interval(months, days, micros(span))
}

fn both(span: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    let (mut days, mut time) = (i64::from(span.days) + micros(span) / DAY, micros(span) % DAY);
    let (mut months, _) = (i64::from(span.months) + days / 30, ());
    days %= 30;
    if months > 0 && (days < 0 || days == 0 && time < 0) {
        (days, months) = (days + 30, months - 1);
    } else if months < 0 && (days > 0 || days == 0 && time > 0) {
        (days, months) = (days - 30, months + 1);
    }
    align(&mut days, &mut time, DAY);
    interval(months, days, time)
}

/// Gives the smaller unit the sign of the larger one.
fn align(large: &mut i64, small: &mut i64, size: i64) {
    if *large > 0 && *small < 0 {
        *small += size;
        *large -= 1;
    } else if *large < 0 && *small > 0 {
        *small -= size;
        *large += 1;
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn justified() {
        check(&[
            ("justify_interval(interval '35 days 25 hours')", "1 mon 6 days 01:00:00"),
            ("justify_hours(interval '27 hours')", "1 day 03:00:00"),
            ("justify_days(interval '35 days')", "1 mon 5 days"),
            ("justify_interval(interval '1 mon -1 hour')", "29 days 23:00:00"),
        ]);
    }
}
