//! `to_char` of dates, times and intervals (manual, 9.8).

use super::names::{DAYS, MONTHS, ROMAN_MONTHS, ordinal};
use super::template::{Case, Field, Node};
use crate::functions::datetime::calendar::{Civil, JULIAN_EPOCH, iso_weekday, weekday};
use crate::{Result, ValueError};

/// What is written.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Date and time of day; of an interval the fields as they are.
    pub fields: Civil,
    /// Hours, which an interval may have more than 24 of.
    pub hour: i64,
    /// Seconds east of UTC and abbreviation, of a `timestamptz`.
    pub zone: Option<(i32, String)>,
    /// Whether it is an interval: no calendar.
    pub is_interval: bool,
}

impl Moment {
    /// A local timestamp.
    pub fn of(local: i64, zone: Option<(i32, String)>) -> Self {
        let fields = Civil::of(local);
        Self { fields, hour: fields.hour(), zone, is_interval: false }
    }

    /// An interval.
    pub fn of_interval(months: i64, days: i64, micros: i64) -> Self {
        let fields = Civil {
            year: months / 12,
            month: months % 12,
            day: days,
            micros: micros % 3_600_000_000,
        };
        Self { fields, hour: micros / 3_600_000_000, zone: None, is_interval: true }
    }

    fn seconds_micros(&self) -> i64 {
        self.fields.minute_micros()
    }
}

/// Writes a moment by a template.
///
/// # Errors
/// `invalid format specification for an interval value` (22007).
pub fn write(moment: &Moment, template: &[Node]) -> Result<String> {
    let mut text = String::new();
    for node in template {
        match node {
            Node::Literal(letter) => text.push(*letter),
            Node::Field { field, case, bare, ordinal: suffix, .. } => {
                let part = value(moment, *field, *case, *bare)?;
                text.push_str(&part);
                match suffix {
                    Some(Case::Upper) => text.push_str(&ordinal(&part).to_uppercase()),
                    Some(_) => text.push_str(ordinal(&part)),
                    None => {}
                }
            }
        }
    }
    Ok(text)
}

fn value(moment: &Moment, field: Field, case: Case, bare: bool) -> Result<String> {
    let number = |value: i64, width: usize| pad(value, if bare { 0 } else { width });
    let date = moment.fields;
    Ok(match field {
        Field::Hour24 => number(moment.hour, 2),
        Field::Hour12 => number(if moment.hour % 12 == 0 { 12 } else { moment.hour % 12 }, 2),
        Field::Minute => number(date.minute(), 2),
        Field::Second => number(moment.seconds_micros() / 1_000_000, 2),
        Field::Millisecond => pad(moment.seconds_micros() % 1_000_000 / 1000, 3),
        Field::Microsecond => pad(moment.seconds_micros() % 1_000_000, 6),
        Field::Fraction(digits) => {
            let power = 10i64.pow(6 - digits.min(6));
            pad(moment.seconds_micros() % 1_000_000 / power, digits as usize)
        }
        Field::SecondOfDay => {
            (moment.hour * 3600 + date.minute() * 60 + moment.seconds_micros() / 1_000_000)
                .to_string()
        }
        Field::Meridiem(periods) => letters(meridiem(moment.hour, periods), case),
        Field::Zone => letters(moment.zone.as_ref().map_or("", |(_, name)| name), case),
        Field::ZoneHour => zone_hour(moment, 2),
        Field::ZoneMinute => pad(i64::from(offset(moment).abs() / 60 % 60), 2),
        Field::Offset => zone_offset(moment, bare),
        Field::Fixed => String::new(),
        Field::Day => number(date.day, 2),
        Field::Month => number(date.month, 2),
        Field::Year(4) => number(shown_year(moment, date.year), 4),
        Field::Year(digits) => last_digits(shown_year(moment, date.year), digits, bare),
        Field::YearComma => {
            let year = shown_year(moment, date.year);
            format!("{},{:03}", year / 1000, year % 1000)
        }
        Field::RomanMonth => roman_month(moment, case, bare),
        other if moment.is_interval => interval_only(moment, other, bare)?,
        other => calendar(moment, other, case, bare),
    })
}

/// Fields that an interval has no answer to, save a few that PostgreSQL counts from its days.
fn interval_only(moment: &Moment, field: Field, bare: bool) -> Result<String> {
    let number = |value: i64, width: usize| pad(value, if bare { 0 } else { width });
    match field {
        Field::DayOfYear => {
            Ok(number(moment.fields.year * 360 + moment.fields.month * 30 + moment.fields.day, 3))
        }
        Field::Century => Ok(number(moment.fields.year / 100, 2)),
        Field::Quarter if moment.fields.month == 0 => Ok(String::new()),
        Field::Quarter => Ok(((moment.fields.month - 1) / 3 + 1).to_string()),
        _ => Err(ValueError::new("22007", "invalid format specification for an interval value")
            .with_hint("Intervals are not tied to specific calendar dates.")),
    }
}

fn calendar(moment: &Moment, field: Field, case: Case, bare: bool) -> String {
    let date = moment.fields;
    let days = date.days();
    let number = |value: i64, width: usize| pad(value, if bare { 0 } else { width });
    let name = |name: &str, width: usize| {
        let name = letters(name, case);
        if bare { name } else { format!("{name:<width$}") }
    };
    match field {
        Field::Era(periods) => letters(era(date.year, periods), case),
        Field::MonthName => name(at(&MONTHS, date.month - 1), 9),
        Field::MonthShort => letters(&at(&MONTHS, date.month - 1)[..3], case),
        Field::DayName => name(at(&DAYS, weekday(days)), 9),
        Field::DayShort => letters(&at(&DAYS, weekday(days))[..3], case),
        Field::DayOfYear => number(date.day_of_year(), 3),
        Field::IsoDayOfYear => number((date.iso_week().1 - 1) * 7 + iso_weekday(days), 3),
        Field::Weekday => (weekday(days) + 1).to_string(),
        Field::IsoWeekday => iso_weekday(days).to_string(),
        Field::Week => number((date.day_of_year() - 1) / 7 + 1, 2),
        Field::IsoWeek => number(date.iso_week().1, 2),
        Field::WeekOfMonth => ((date.day - 1) / 7 + 1).to_string(),
        Field::Quarter => ((date.month - 1) / 3 + 1).to_string(),
        Field::Century => {
            let century =
                if date.year > 0 { (date.year - 1) / 100 + 1 } else { date.year / 100 - 1 };
            if (-99..=99).contains(&century) { number(century, 2) } else { century.to_string() }
        }
        Field::IsoYear(4) => number(shown_year(moment, date.iso_week().0), 4),
        Field::IsoYear(digits) => last_digits(shown_year(moment, date.iso_week().0), digits, bare),
        Field::Julian => (days + JULIAN_EPOCH).to_string(),
        _ => String::new(),
    }
}

fn at(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("         ")
}

/// Years before Christ count down from 1.
fn shown_year(moment: &Moment, year: i64) -> i64 {
    if moment.is_interval || year > 0 { year } else { 1 - year }
}

fn last_digits(year: i64, digits: usize, bare: bool) -> String {
    let power = [1, 10, 100, 1000].get(digits).copied().unwrap_or(10_000);
    pad(year % power, if bare { 0 } else { digits })
}

/// Zero-padded; the sign takes a place of its own.
fn pad(value: i64, width: usize) -> String {
    if value < 0 {
        return format!("-{:0width$}", value.unsigned_abs());
    }
    format!("{value:0width$}")
}

fn letters(name: &str, case: Case) -> String {
    match case {
        Case::Upper => name.to_uppercase(),
        Case::Lower => name.to_lowercase(),
        Case::Title => name.to_owned(),
    }
}

fn meridiem(hour: i64, periods: bool) -> &'static str {
    match (hour.rem_euclid(24) >= 12, periods) {
        (false, false) => "am",
        (false, true) => "a.m.",
        (true, false) => "pm",
        (true, true) => "p.m.",
    }
}

fn era(year: i64, periods: bool) -> &'static str {
    match (year > 0, periods) {
        (true, false) => "ad",
        (true, true) => "a.d.",
        (false, false) => "bc",
        (false, true) => "b.c.",
    }
}

fn offset(moment: &Moment) -> i32 {
    moment.zone.as_ref().map_or(0, |(seconds, _)| *seconds)
}

fn zone_hour(moment: &Moment, width: usize) -> String {
    let seconds = offset(moment);
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:0width$}", seconds.abs() / 3600)
}

fn zone_offset(moment: &Moment, bare: bool) -> String {
    let hours = zone_hour(moment, if bare { 0 } else { 2 });
    match offset(moment).abs() / 60 % 60 {
        0 => hours,
        minutes => format!("{hours}:{minutes:02}"),
    }
}

fn roman_month(moment: &Moment, case: Case, bare: bool) -> String {
    let month = moment.fields.month;
    if moment.is_interval && month == 0 {
        return String::new();
    }
    let name = letters(
        at(
            &ROMAN_MONTHS,
            month.rem_euclid(12).checked_sub(1).map_or(0, |month| month.rem_euclid(12)),
        ),
        case,
    );
    if bare { name } else { format!("{name:<4}") }
}
