//! `age` (manual, 9.9): the difference in years, months, days and time, as people count.

use super::calendar::{Civil, DAY, interval, is_infinite, month_length};
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "age(timestamp, timestamp) -> interval",
            "Years, months, days and time between two timestamps.",
            |row| between(row.timestamp(0), row.timestamp(1)),
        ),
        function(
            "age(timestamptz, timestamptz) -> interval",
            "Years, months, days and time between two instants, in the session's zone.",
            |row| {
                let zone = row.zone();
                between(zone.to_local(row.timestamp(0)), zone.to_local(row.timestamp(1)))
            },
        )
        .stable(),
        function(
            "age(timestamp) -> interval",
            "Years, months, days and time until today's midnight.",
            |row| between(today(row.zone()), row.timestamp(0)),
        )
        .stable(),
        function(
            "age(timestamptz) -> interval",
            "Years, months, days and time until today's midnight.",
            |row| between(today(row.zone()), row.zone().to_local(row.timestamp(0))),
        )
        .stable(),
    ]
}

fn today(zone: &super::zone::Zone) -> i64 {
    let now = zone.to_local(chrono::Utc::now().timestamp_micros());
    now - now.rem_euclid(DAY)
}

/// `timestamp_age` of timestamp.c: field by field, borrowing days from the month that the earlier
/// side names.
fn between(later: i64, earlier: i64) -> Result<Value> {
    if is_infinite(later) || is_infinite(earlier) {
        return Err(ValueError::new("22008", "interval out of range"));
    }
    let (a, b) = (Civil::of(later), Civil::of(earlier));
    let sign = if later < earlier { -1 } else { 1 };
    let mut time = sign * (a.micros - b.micros);
    let mut days = sign * (a.day - b.day);
    let mut months = sign * ((a.year - b.year) * 12 + a.month - b.month);
    if time < 0 {
        time += DAY;
        days -= 1;
    }
    let month = if sign < 0 { a } else { b };
    while days < 0 {
        days += month_length(month.year, month.month);
        months -= 1;
    }
    Ok(interval(sign * months, sign * days, sign * time)?.into())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn ages() {
        check(&[
            ("age(timestamp '2024-03-15', timestamp '2023-01-10')", "1 year 2 mons 5 days"),
            ("age(timestamp '2001-04-10', timestamp '1957-06-13')", "43 years 9 mons 27 days"),
            (
                "age(timestamp '2023-01-10', timestamp '2024-03-15 12:00')",
                "-1 years -2 mons -5 days -12:00:00",
            ),
            ("age(date '2024-03-01', date '2024-01-31')", "1 mon 1 day"),
        ]);
    }
}
