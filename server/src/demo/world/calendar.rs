//! The two years in which everything happens, and when in them how much happens.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Weekday};

use super::random::{ONE, Share};

/// The end of the data, 1 November 2026 0:00 UTC. It is fixed: the same data come out on any day.
pub(crate) const END: i64 = 1_793_491_200;
/// Days that the data cover.
pub(crate) const DAYS: i64 = 730;
/// Their beginning, 1 November 2024 0:00 UTC.
pub(crate) const START: i64 = END - DAYS * DAY;
/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;
/// Seconds of an hour.
pub(crate) const HOUR: i64 = 3_600;

/// How much is sold in a month, January first.
const MONTHS: [u64; 12] = [85, 78, 88, 94, 97, 100, 90, 74, 98, 104, 132, 165];
/// On a day of the week, Monday first.
const WEEKDAYS: [u64; 7] = [92, 90, 95, 98, 108, 130, 87];
/// In an hour of the day.
const HOURS: [u64; 24] = [
    12, 6, 3, 2, 2, 4, 14, 30, 52, 74, 92, 100, 104, 96, 88, 90, 98, 110, 116, 108, 100, 88, 60, 30,
];

/// When how much happens.
pub(crate) struct Calendar {
    /// Sum of the weights of all hours up to and with each.
    ends: Vec<u64>,
}

impl Calendar {
    /// Seasons, weekdays, hours, the days after Thanksgiving, and growth over the two years.
    pub(crate) fn new() -> Self {
        let mut sum = 0;
        let mut ends = Vec::new();
        for day in 0..DAYS {
            let weight = day_weight(day);
            for hour in HOURS {
                sum += weight * hour;
                ends.push(sum);
            }
        }
        Self { ends }
    }

    /// The second by which that share of all has happened; never decreases with the share.
    pub(crate) fn at(&self, share: Share) -> i64 {
        let sum = self.ends.last().copied().unwrap_or_default();
        let point = ((u128::from(share.min(ONE - 1)) * u128::from(sum)) >> 32) as u64;
        let hour = self.ends.partition_point(|end| *end <= point);
        let end_of = |hour: usize| self.ends.get(hour).copied().unwrap_or_default();
        let begin = hour.checked_sub(1).map_or(0, end_of);
        let width = (end_of(hour) - begin).max(1);
        START + hour as i64 * HOUR + ((point - begin) * HOUR as u64 / width) as i64
    }
}

fn day_weight(day: i64) -> u64 {
    let date = date_of(START + day * DAY);
    let season = MONTHS.get(date.month0() as usize).copied().unwrap_or(100);
    let weekday = WEEKDAYS.get(date.weekday().num_days_from_monday() as usize).copied();
    let growth = 700 + 600 * day as u64 / DAYS as u64;
    season * weekday.unwrap_or(100) * growth * bargain(date) / 1000
}

/// Black Friday, the weekend after it, Cyber Monday, and the quiet days of Christmas; 10: as usual.
fn bargain(date: NaiveDate) -> u64 {
    let black_friday = NaiveDate::from_weekday_of_month_opt(date.year(), 11, Weekday::Thu, 4)
        .unwrap_or_default()
        + TimeDelta::days(1);
    match (date - black_friday).num_days() {
        0 => 27,
        1 | 2 => 16,
        3 => 21,
        _ if date.month() == 12 && matches!(date.day(), 24..=26) => 3,
        _ => 10,
    }
}

/// The day of a second since 1970.
pub(crate) fn date_of(second: i64) -> NaiveDate {
    DateTime::from_timestamp(second, 0).unwrap_or_default().date_naive()
}

/// Whether shops of stone are open.
pub(crate) fn shops_are_open(second: i64) -> bool {
    (9..19).contains(&(second.rem_euclid(DAY) / HOUR)) && date_of(second).weekday() != Weekday::Sun
}
