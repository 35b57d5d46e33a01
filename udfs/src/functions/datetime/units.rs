//! Names of date/time fields, with PostgreSQL's synonyms (manual, 9.9.1).

use crate::{Result, ValueError};

/// A field of a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `microseconds`.
    Microseconds,
    /// `milliseconds`.
    Milliseconds,
    /// `second`.
    Second,
    /// `minute`.
    Minute,
    /// `hour`.
    Hour,
    /// `day`.
    Day,
    /// `week`.
    Week,
    /// `month`.
    Month,
    /// `quarter`.
    Quarter,
    /// `year`.
    Year,
    /// `decade`.
    Decade,
    /// `century`.
    Century,
    /// `millennium`.
    Millennium,
    /// `dow`.
    Weekday,
    /// `isodow`.
    IsoWeekday,
    /// `doy`.
    DayOfYear,
    /// `isoyear`.
    IsoYear,
    /// `julian`.
    Julian,
    /// `epoch`.
    Epoch,
    /// `timezone`.
    Zone,
    /// `timezone_hour`.
    ZoneHour,
    /// `timezone_minute`.
    ZoneMinute,
}

const NAMES: &[(Unit, &[&str])] = &[
    (
        Unit::Microseconds,
        &["microseconds", "microsecond", "us", "usec", "usecs", "usecond", "useconds"],
    ),
    (
        Unit::Milliseconds,
        &["milliseconds", "millisecond", "ms", "msec", "msecs", "msecond", "mseconds"],
    ),
    (Unit::Second, &["second", "seconds", "s", "sec", "secs"]),
    (Unit::Minute, &["minute", "minutes", "m", "min", "mins"]),
    (Unit::Hour, &["hour", "hours", "h", "hr", "hrs"]),
    (Unit::Day, &["day", "days", "d"]),
    (Unit::Week, &["week", "weeks", "w"]),
    (Unit::Month, &["month", "months", "mon", "mons"]),
    (Unit::Quarter, &["quarter", "qtr"]),
    (Unit::Year, &["year", "years", "y", "yr", "yrs"]),
    (Unit::Decade, &["decade", "decades", "dec", "decs"]),
    (Unit::Century, &["century", "centuries", "c", "cent"]),
    (Unit::Millennium, &["millennium", "millennia", "mil", "mils"]),
    (Unit::Weekday, &["dow"]),
    (Unit::IsoWeekday, &["isodow"]),
    (Unit::DayOfYear, &["doy"]),
    (Unit::IsoYear, &["isoyear"]),
    (Unit::Julian, &["julian", "jd", "j"]),
    (Unit::Epoch, &["epoch"]),
    (Unit::Zone, &["timezone"]),
    (Unit::ZoneHour, &["timezone_hour", "timezone_h"]),
    (Unit::ZoneMinute, &["timezone_minute", "timezone_m"]),
];

impl Unit {
    /// Finds a unit by name, in any case.
    pub fn find(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(unit, _)| *unit)
    }

    /// Finds a unit by name.
    ///
    /// # Errors
    /// `unit "x" not recognized for type timestamp without time zone` (22023).
    pub fn parse(name: &str, type_name: &str) -> Result<Self> {
        Self::find(name).ok_or_else(|| {
            let name = name.to_ascii_lowercase();
            ValueError::invalid_parameter(format!(
                "unit \"{name}\" not recognized for type {type_name}"
            ))
        })
    }
}

/// `unit "x" not supported for type interval` (0A000).
pub fn unsupported(name: &str, type_name: &str) -> ValueError {
    let name = name.to_ascii_lowercase();
    ValueError::new("0A000", format!("unit \"{name}\" not supported for type {type_name}"))
}
