//! Days, civil dates and times of day: proleptic Gregorian, as PostgreSQL counts (manual, B.6).

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use crate::{Result, ValueError};

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;
/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Days from the Julian epoch (4714-11-24 BC) to 1970-01-01.
pub const JULIAN_EPOCH: i64 = 2_440_588;
/// First and last day of a `date`, since 1970 (4713-01-01 BC, 5874897-12-31).
const DATE_RANGE: std::ops::RangeInclusive<i64> = -2_440_588..=2_145_031_948;
/// First microsecond of a timestamp (4714-11-24 BC) and the end (294247-01-10).
const TIMESTAMP_RANGE: std::ops::Range<i64> = -210_866_803_200_000_000..i64::MAX;

/// A date and time of day, field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Civil {
    /// Year; 0 is 1 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// Microseconds of the day.
    pub micros: i64,
}

impl Civil {
    /// Fields of a local timestamp in microseconds.
    pub fn of(timestamp: i64) -> Self {
        let (year, month, day) = civil(timestamp.div_euclid(DAY));
        Self { year, month, day, micros: timestamp.rem_euclid(DAY) }
    }

    /// Midnight of a day since 1970.
    pub fn of_day(days: i64) -> Self {
        let (year, month, day) = civil(days);
        Self { year, month, day, micros: 0 }
    }

    /// Back to microseconds.
    ///
    /// # Errors
    /// `timestamp out of range` (22008).
    pub fn timestamp(self) -> Result<i64> {
        let days = days(self.year, self.month, self.day);
        let micros = days.checked_mul(DAY).and_then(|day| day.checked_add(self.micros));
        in_range(micros)
    }

    /// Hour of the day.
    pub fn hour(self) -> i64 {
        self.micros / 3_600_000_000
    }

    /// Minute of the hour.
    pub fn minute(self) -> i64 {
        self.micros / 60_000_000 % 60
    }

    /// Microseconds of the minute.
    pub fn minute_micros(self) -> i64 {
        self.micros % 60_000_000
    }

    /// The day since 1970.
    pub fn days(self) -> i64 {
        days(self.year, self.month, self.day)
    }

    /// Day of the year, from 1.
    pub fn day_of_year(self) -> i64 {
        self.days() - days(self.year, 1, 1) + 1
    }

    /// Year and week of ISO 8601.
    pub fn iso_week(self) -> (i64, i64) {
        let thursday = self.days() - iso_weekday(self.days()) + 4;
        let (year, ..) = civil(thursday);
        (year, (thursday - days(year, 1, 1)) / 7 + 1)
    }
}

/// A timestamp that PostgreSQL can hold; the infinities are no results.
///
/// # Errors
/// `timestamp out of range` (22008).
pub fn in_range(micros: Option<i64>) -> Result<i64> {
    micros
        .filter(|micros| TIMESTAMP_RANGE.contains(micros))
        .ok_or_else(|| ValueError::new("22008", "timestamp out of range"))
}

/// A `date` from days since 1970.
///
/// # Errors
/// `date out of range` (22008).
pub fn date(days: i64) -> Result<i32> {
    if !DATE_RANGE.contains(&days) {
        return Err(ValueError::new("22008", "date out of range"));
    }
    i32::try_from(days).map_err(|_| ValueError::new("22008", "date out of range"))
}

/// A `date` as timestamp: its midnight; infinity stays infinite.
///
/// # Errors
/// `date out of range for timestamp` (22008).
pub fn midnight(date: i32) -> Result<i64> {
    match date {
        i32::MAX => Ok(i64::MAX),
        i32::MIN => Ok(i64::MIN),
        date => in_range(i64::from(date).checked_mul(DAY))
            .map_err(|_| ValueError::new("22008", "date out of range for timestamp")),
    }
}

/// Whether a timestamp is one of the infinities.
pub fn is_infinite(timestamp: i64) -> bool {
    timestamp == i64::MAX || timestamp == i64::MIN
}

/// Days since 1970 of a civil date; months and days beyond their range run over.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Days of a month.
pub fn month_length(year: i64, month: i64) -> i64 {
    days(year, month + 1, 1) - days(year, month, 1)
}

/// Monday = 1 … Sunday = 7.
pub fn iso_weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// Sunday = 0 … Saturday = 6.
pub fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// Adds months (the day is cut to the month's length) and days to a local timestamp.
///
/// # Errors
/// `timestamp out of range` (22008).
pub fn add_months_days(timestamp: i64, months: i32, days_more: i32) -> Result<i64> {
    let mut fields = Civil::of(timestamp);
    let month = fields.year * 12 + fields.month - 1 + i64::from(months);
    fields.year = month.div_euclid(12);
    fields.month = month.rem_euclid(12) + 1;
    fields.day = fields.day.min(month_length(fields.year, fields.month));
    fields.day += i64::from(days_more);
    fields.timestamp()
}

/// An interval of months, days and microseconds.
///
/// # Errors
/// `interval out of range` (22008).
pub fn interval(months: i64, days: i64, micros: i64) -> Result<IntervalMonthDayNano> {
    let parts = (i32::try_from(months), i32::try_from(days), micros.checked_mul(1000));
    match parts {
        (Ok(months), Ok(days), Some(nanos)) => Ok(IntervalMonthDayNano::new(months, days, nanos)),
        _ => Err(ValueError::new("22008", "interval out of range")),
    }
}

/// Microseconds of an interval's time part.
pub fn micros(interval: IntervalMonthDayNano) -> i64 {
    interval.nanoseconds / 1000
}

/// Length of an interval with months of 30 days, for comparison.
pub fn length(interval: IntervalMonthDayNano) -> i128 {
    let days = i128::from(interval.months) * 30 + i128::from(interval.days);
    days * i128::from(DAY) + i128::from(micros(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_civil_dates_agree() {
        for day in (-2_440_588..2_932_896).step_by(997) {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month, date), day);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(days(-4713, 11, 24), -JULIAN_EPOCH);
        assert_eq!((iso_weekday(0), weekday(0)), (4, 4));
        assert_eq!(Civil::of(days(2024, 12, 30) * DAY).iso_week(), (2025, 1));
    }
}
