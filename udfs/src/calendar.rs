//! The proleptic Gregorian calendar in whole numbers, for the years that PostgreSQL knows (4713 BC
//! to 294276, dates to 5874897), and the zone offsets of those years.
//!
//! Years are astronomical: 0 is 1 BC.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// Microseconds in a day.
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;
/// Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's own epoch.
pub(crate) const EPOCH_2000_MICROS: i64 = 946_684_800_000_000;
/// Days from 1970-01-01 to 2000-01-01.
pub(crate) const EPOCH_2000_DAYS: i32 = 10_957;
/// First day that `date` and `timestamp` hold: 4714-11-24 BC.
pub(crate) const DAYS_MIN: i64 = -2_440_588;
/// First day beyond what `date` holds: 5874898-01-01.
pub(crate) const DATE_DAYS_END: i64 = 2_145_042_906;
/// First day beyond what `timestamp` holds in microseconds since 1970: 294247-01-10.
pub(crate) const TIMESTAMP_DAYS_END: i64 = 106_751_991;

/// Days since 1970-01-01 of a date (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub(crate) fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01.
pub(crate) fn civil(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

/// Whether February has 29 days.
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days in a month, 0 for a month that is none.
pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// Seconds east of Greenwich at an instant, microseconds since 1970 UTC.
pub(crate) fn offset_at(zone: Tz, micros: i64) -> i64 {
    if zone == Tz::UTC {
        return 0;
    }
    let known = within_known_years(micros.div_euclid(1_000_000));
    DateTime::from_timestamp(known, 0).map_or(0, |instant| {
        i64::from(zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc())
    })
}

/// Seconds east of Greenwich of a local time, microseconds since 1970 as if it were UTC.
///
/// A time that a clock change skips counts as before the change, one that occurs twice as after
/// it (PostgreSQL's `DetermineTimeZoneOffset`).
pub(crate) fn offset_of_local(zone: Tz, local_micros: i64) -> i64 {
    if zone == Tz::UTC {
        return 0;
    }
    let offset_if = |offset: i64| offset_at(zone, local_micros.saturating_sub(offset * 1_000_000));
    let before = offset_at(zone, local_micros.saturating_sub(DAY_MICROS));
    let after = offset_at(zone, local_micros.saturating_add(DAY_MICROS));
    if before == after && offset_if(before) == before {
        return before;
    }
    let fits = |offset: i64| offset_if(offset) == offset;
    if fits(after) { after } else { before }
}

/// A second with the same place in the week and the year, in years whose clock changes the zone
/// database lists one by one.
fn within_known_years(seconds: i64) -> i64 {
    const YEAR_2090: i64 = 3_786_912_000;
    if seconds < YEAR_2090 {
        return seconds.max(-377_705_116_800);
    }
    let (year, _, _) = civil(seconds.div_euclid(86_400));
    let start = days(year, 1, 1);
    let twin = (2050..2078)
        .find(|twin| is_leap(*twin) == is_leap(year) && (days(*twin, 1, 1) - start) % 7 == 0)
        .unwrap_or(2050);
    seconds - (start - days(twin, 1, 1)) * 86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for (year, month, day, number) in [
            (1970, 1, 1, 0),
            (2000, 1, 1, i64::from(EPOCH_2000_DAYS)),
            (2000, 2, 29, 11_016),
            (-4713, 11, 24, DAYS_MIN),
            (5_874_898, 1, 1, DATE_DAYS_END),
            (294_247, 1, 10, TIMESTAMP_DAYS_END),
        ] {
            assert_eq!(days(year, month, day), number);
            assert_eq!(civil(number), (year, month, day));
        }
        for number in (DAYS_MIN..4_000_000).step_by(97) {
            let (year, month, day) = civil(number);
            assert_eq!(days(year, month, day), number);
            assert!(day >= 1 && day <= days_in_month(year, month));
        }
    }

    #[test]
    fn clock_changes() {
        let micros = |day: i64, hour: i64, minute: i64| {
            (day * 86_400 + hour * 3_600 + minute * 60) * 1_000_000
        };
        let spring = days(2024, 3, 10);
        let autumn = days(2024, 11, 3);
        let zone = Tz::America__New_York;
        assert_eq!(offset_of_local(zone, micros(spring, 1, 59)), -18_000);
        assert_eq!(offset_of_local(zone, micros(spring, 2, 30)), -18_000);
        assert_eq!(offset_of_local(zone, micros(spring, 3, 0)), -14_400);
        assert_eq!(offset_of_local(zone, micros(autumn, 0, 59)), -14_400);
        assert_eq!(offset_of_local(zone, micros(autumn, 1, 30)), -18_000);
        assert_eq!(offset_at(zone, micros(days(9999, 7, 1), 0, 0)), -14_400);
        assert_eq!(offset_at(zone, micros(days(9999, 12, 1), 0, 0)), -18_000);
    }
}
