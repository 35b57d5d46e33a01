//! `overlaps`, which `(a, b) OVERLAPS (c, d)` means (manual, 9.9).

use crate::Result;
use crate::functions::argument::Row;
use crate::functions::arithmetic::dates::{add, add_zoned};
use crate::functions::function::{Function, function};
use crate::functions::value::Value;

pub(super) fn functions() -> Vec<Function> {
    const TEXT: &str = "Whether two periods have an instant in common.";
    vec![
        function("overlaps(timestamp, timestamp, timestamp, timestamp) -> bool", TEXT, |row| {
            Ok(overlaps([0, 1, 2, 3].map(|place| instant(row, place))))
        })
        .nulls(),
        function("overlaps(timestamp, interval, timestamp, interval) -> bool", TEXT, |row| {
            let ends = [ended(row, 0, false)?, ended(row, 2, false)?];
            Ok(overlaps([instant(row, 0), ends[0], instant(row, 2), ends[1]]))
        })
        .nulls(),
        function(
            "overlaps(timestamptz, timestamptz, timestamptz, timestamptz) -> bool",
            TEXT,
            |row| Ok(overlaps([0, 1, 2, 3].map(|place| instant(row, place)))),
        )
        .nulls(),
        function("overlaps(timestamptz, interval, timestamptz, interval) -> bool", TEXT, |row| {
            let ends = [ended(row, 0, true)?, ended(row, 2, true)?];
            Ok(overlaps([instant(row, 0), ends[0], instant(row, 2), ends[1]]))
        })
        .nulls()
        .stable(),
        function("overlaps(timestamp, timestamp, timestamp, interval) -> bool", TEXT, |row| {
            let end = ended(row, 2, false)?;
            Ok(overlaps([instant(row, 0), instant(row, 1), instant(row, 2), end]))
        })
        .nulls(),
        function("overlaps(timestamp, interval, timestamp, timestamp) -> bool", TEXT, |row| {
            let end = ended(row, 0, false)?;
            Ok(overlaps([instant(row, 0), end, instant(row, 2), instant(row, 3)]))
        })
        .nulls(),
        function("overlaps(time, time, time, time) -> bool", TEXT, |row| {
            Ok(overlaps([0, 1, 2, 3].map(|place| (!row.is_null(place)).then(|| row.time(place)))))
        })
        .nulls(),
    ]
}

fn instant(row: &Row<'_>, place: usize) -> Option<i64> {
    (!row.is_null(place)).then(|| row.timestamp(place))
}

fn ended(row: &Row<'_>, place: usize, zoned: bool) -> Result<Option<i64>> {
    let Some(start) = instant(row, place).filter(|_| !row.is_null(place + 1)) else {
        return Ok(None);
    };
    let span = row.interval(place + 1);
    match zoned {
        true => add_zoned(start, span, row.zone()).map(Some),
        false => add(start, span).map(Some),
    }
}

/// Periods are half open; an instant alone is a period (SQL:2003, 8.14).
fn overlaps([start, end, other_start, other_end]: [Option<i64>; 4]) -> Value {
    let (Some(first), Some(second)) = (period(start, end), period(other_start, other_end)) else {
        return Value::Null;
    };
    let (early, late) = if first.0 <= second.0 { (first, second) } else { (second, first) };
    if early.0 == late.0 {
        return Value::Bool(true);
    }
    match early.1 {
        Some(end) => Value::Bool(late.0 < end),
        None => Value::Null,
    }
}

/// Start and end in order; a NULL is the later of the two.
fn period(start: Option<i64>, end: Option<i64>) -> Option<(i64, Option<i64>)> {
    match (start, end) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some((one, None)),
        (Some(start), Some(end)) => Some((start.min(end), Some(start.max(end)))),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn periods() {
        check(&[
            (
                "overlaps(timestamp '2024-01-01', timestamp '2024-01-10', timestamp '2024-01-05', timestamp '2024-02-01')",
                "t",
            ),
            (
                "overlaps(timestamp '2024-01-01', timestamp '2024-01-05', timestamp '2024-01-05', timestamp '2024-02-01')",
                "f",
            ),
            (
                "overlaps(timestamp '2024-01-05', timestamp '2024-01-05', timestamp '2024-01-05', timestamp '2024-02-01')",
                "t",
            ),
            (
                "overlaps(timestamp '2024-01-01', interval '5 days', timestamp '2024-01-05', interval '1 day')",
                "t",
            ),
        ]);
    }
}
