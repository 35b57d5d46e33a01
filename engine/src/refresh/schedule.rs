//! When a materialized view is refreshed: the value of its option `refresh`.

use std::str::FromStr;

use chrono::{DateTime, Duration, Months, Utc};
use clientele_catalog::definition::Relation;
use clientele_udfs::input;
use clientele_udfs::types::PgType;
use croner::Cron;
use datafusion::arrow::datatypes::IntervalMonthDayNano;
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};

/// Name of the option.
pub(crate) const OPTION: &str = "refresh";

/// When a view is refreshed.
#[derive(Debug, Clone)]
pub(crate) enum Schedule {
    /// By `REFRESH MATERIALIZED VIEW` alone.
    Manual,
    /// As soon as rows that it reads have changed.
    OnCommit,
    /// So long after the last time.
    Every(IntervalMonthDayNano),
    /// At the times of a cron expression, in UTC.
    Cron(Box<Cron>),
}

impl Schedule {
    /// What an option's value says.
    ///
    /// # Errors
    /// 22023.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let words = text.to_lowercase();
        match words.trim() {
            "manual" => return Ok(Self::Manual),
            "on commit" => return Ok(Self::OnCommit),
            _ => {}
        }
        // An interval of PostgreSQL may be a bare number, and so may a field of cron be.
        if text.chars().any(char::is_alphabetic)
            && let Ok(ScalarValue::IntervalMonthDayNano(Some(every))) =
                input::parse(PgType::INTERVAL, Some(text), &input::Context::default())
        {
            let start = DateTime::UNIX_EPOCH;
            return match after(start, every) {
                Some(end) if end - start >= Duration::seconds(1) => Ok(Self::Every(every)),
                _ => Err(invalid(text).with_detail("The interval must be a second or more.")),
            };
        }
        let cron = Cron::from_str(text).map_err(|error| {
            invalid(text).with_detail(format!("{}.", error.to_string().trim_end_matches('.')))
        })?;
        Ok(Self::Cron(Box::new(cron)))
    }

    /// That of a relation.
    pub(crate) fn of(relation: &Relation) -> Self {
        let option = relation.options.iter().find(|(name, _)| name == OPTION);
        option.and_then(|(_, value)| Self::parse(value).ok()).unwrap_or(Self::Manual)
    }

    /// The first time after a refresh that began then; `None`: no time says so.
    pub(crate) fn next(&self, last: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Manual | Self::OnCommit => None,
            Self::Every(every) => after(last, *every),
            Self::Cron(cron) => cron.find_next_occurrence(&last, false).ok(),
        }
    }
}

fn after(start: DateTime<Utc>, every: IntervalMonthDayNano) -> Option<DateTime<Utc>> {
    let months = Months::new(u32::try_from(every.months).ok()?);
    let rest = Duration::days(every.days.into()) + Duration::nanoseconds(every.nanoseconds);
    start.checked_add_months(months)?.checked_add_signed(rest)
}

fn invalid(text: &str) -> Error {
    Error::new("22023", format!("invalid value for option \"{OPTION}\": \"{text}\"")).with_hint(
        "It is 'manual', 'on commit', an interval such as '5 minutes', or a cron expression such as '0 3 * * *'.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn next_times() {
        for (schedule, last, next) in [
            ("5 minutes", "2026-03-04T10:00:30Z", Some("2026-03-04T10:05:30Z")),
            ("1 month", "2026-01-31T00:00:00Z", Some("2026-02-28T00:00:00Z")),
            ("0 3 * * *", "2026-03-04T10:00:30Z", Some("2026-03-05T03:00:00Z")),
            ("*/15 * * * MON-FRI", "2026-03-06T23:50:00Z", Some("2026-03-09T00:00:00Z")),
            ("@daily", "2026-03-04T10:00:30Z", Some("2026-03-05T00:00:00Z")),
            ("On Commit", "2026-03-04T10:00:30Z", None),
            ("manual", "2026-03-04T10:00:30Z", None),
        ] {
            let found = Schedule::parse(schedule).ok().and_then(|one| one.next(at(last)));
            assert_eq!(found, next.map(at), "{schedule}");
        }
    }

    #[test]
    fn what_is_no_schedule() {
        for text in ["", "often", "-5 minutes", "0 seconds", "10 milliseconds", "61 * * * *", "5"] {
            assert_eq!(Schedule::parse(text).unwrap_err().sqlstate, "22023", "{text}");
        }
    }
}
