//! `anniversary(date, day)`: the first anniversary on a day or after it.

use chrono::{Datelike, NaiveDate};
use datafusion::arrow::datatypes::Date32Type;

use crate::functions::function::{Function, function};
use crate::functions::value::Value;

pub(super) fn functions() -> Vec<Function> {
    vec![function(
        "anniversary(of date, day date) -> date",
        "The first anniversary of a date on a day or after it; the 28th where there is no 29th of February.",
        |row| {
            let date = |argument| Date32Type::to_naive_date_opt(row.date(argument));
            let next = date(0).zip(date(1)).and_then(|(of, day)| anniversary(of, day));
            Ok(next.map_or(Value::Null, |next| Value::Date(Date32Type::from_naive_date(next))))
        },
    )]
}

fn anniversary(of: NaiveDate, day: NaiveDate) -> Option<NaiveDate> {
    // As `date + interval '1 year'` has it (manual, 9.9): the month's last day.
    let in_year =
        |year| of.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, of.month(), 28));
    let this = in_year(day.year())?;
    if this >= day { Some(this) } else { in_year(day.year() + 1) }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn anniversaries() {
        check(&[
            ("anniversary(date '1990-05-04', date '2026-05-04')", "2026-05-04"),
            ("anniversary(date '1990-05-04', date '2026-05-05')", "2027-05-04"),
            ("anniversary(date '2000-02-29', date '2025-02-01')", "2025-02-28"),
            ("anniversary(date '2000-02-29', date '2024-02-01')", "2024-02-29"),
            ("anniversary(date '2000-02-29', date '2025-03-01')", "2026-02-28"),
            ("anniversary(date '1990-12-31', date '2026-01-01')", "2026-12-31"),
            ("anniversary(date 'infinity', date '2026-01-01')", "NULL"),
            ("anniversary(NULL, date '2026-01-01')", "NULL"),
        ]);
    }
}
