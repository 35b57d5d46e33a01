//! `to_timestamp` and `to_date` with a template (manual, 9.8).

use super::names::{DAYS, MONTHS, ROMAN_MONTHS};
use super::template::{Field, Node};
use crate::functions::datetime::calendar::{
    Civil, JULIAN_EPOCH, SECOND, civil, days, iso_weekday, month_length,
};
use crate::{Result, ValueError};

/// What was read, field by field.
#[derive(Debug, Clone, Default)]
struct Found {
    year: Option<i64>,
    short_year: bool,
    century: Option<i64>,
    before_christ: bool,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    julian: Option<i64>,
    week: Option<i64>,
    week_of_month: Option<i64>,
    weekday: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_weekday: Option<i64>,
    iso_day_of_year: Option<i64>,
    hour: i64,
    twelve_hours: bool,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    second_of_day: Option<i64>,
    micros: i64,
    zone: Option<(i64, i64, i64)>,
}

/// Reads a text by a template: the local timestamp, and seconds east of UTC when it has a zone.
///
/// # Errors
/// `invalid value "x" for "MM"` (22007), `date/time field value out of range: "x"` (22008).
pub fn read(text: &str, template: &[Node]) -> Result<(i64, Option<i64>)> {
    let mut found = Found::default();
    let mut rest = text;
    let mut skipped = 0i32;
    let fixed = template.iter().any(|node| matches!(node, Node::Field { field: Field::Fixed, .. }));
    for (index, node) in template.iter().enumerate() {
        match node {
            Node::Field { field: Field::Fixed, .. } => {}
            Node::Field { field, keyword, bare, ordinal, .. } => {
                if !fixed {
                    let trimmed = rest.trim_start();
                    skipped += i32::try_from(rest.len() - trimmed.len()).unwrap_or_default();
                    rest = trimmed;
                }
                if rest.is_empty() {
                    break;
                }
                let open = *bare || ordinal.is_some() || ends_number(template.get(index + 1));
                rest = field_value(&mut found, *field, keyword, open, rest)?;
                if ordinal.is_some() {
                    rest = rest.get(2..).unwrap_or("");
                }
                skipped = skipped.max(0);
            }
            Node::Literal(letter) => rest = skip(rest, *letter, &mut skipped, fixed),
        }
    }
    found.timestamp(text)
}

/// A separator takes one separator or nothing; another character takes one character.
fn skip<'a>(rest: &'a str, letter: char, skipped: &mut i32, fixed: bool) -> &'a str {
    let Some(first) = rest.chars().next() else { return rest };
    let separates = |letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric();
    let after = &rest[first.len_utf8()..];
    if separates(letter) && !fixed {
        if separates(first) {
            return after;
        }
        *skipped -= 1;
        return rest;
    }
    if *skipped > 0 {
        *skipped -= 1;
        return rest;
    }
    after
}

fn ends_number(next: Option<&Node>) -> bool {
    match next {
        None => true,
        Some(Node::Field { field, .. }) => !field.is_number(),
        Some(Node::Literal(letter)) => !letter.is_ascii_digit(),
    }
}

fn field_value<'a>(
    found: &mut Found,
    field: Field,
    keyword: &str,
    open: bool,
    rest: &'a str,
) -> Result<&'a str> {
    let number = |width: usize| integer(rest, width, open, keyword);
    match field {
        Field::Hour12 => {
            let (value, rest) = number(2)?;
            found.hour = value;
            found.twelve_hours = true;
            Ok(rest)
        }
        Field::Hour24 => {
            let (value, rest) = number(2)?;
            found.hour = value;
            Ok(rest)
        }
        Field::Minute => {
            let (value, rest) = number(2)?;
            found.minute = value;
            Ok(rest)
        }
        Field::Second => {
            let (value, rest) = number(2)?;
            found.second = value;
            Ok(rest)
        }
        Field::Millisecond => fraction(found, rest, 3),
        Field::Microsecond => fraction(found, rest, 6),
        Field::Fraction(digits) => fraction(found, rest, digits as usize),
        Field::SecondOfDay => store(&mut found.second_of_day, number(5)?),
        Field::Day => store(&mut found.day, number(2)?),
        Field::Month => store(&mut found.month, number(2)?),
        Field::Year(_) | Field::YearComma => year(found, field, keyword, open, rest),
        Field::IsoYear(digits) => {
            let (value, after) = number(digits)?;
            found.iso_year = Some(if digits < 4 { full_year(value, digits) } else { value });
            Ok(after)
        }
        Field::Century => store(&mut found.century, number(2)?),
        Field::DayOfYear => store(&mut found.day_of_year, number(3)?),
        Field::IsoDayOfYear => store(&mut found.iso_day_of_year, number(3)?),
        Field::Weekday => store(&mut found.weekday, number(1)?),
        Field::IsoWeekday => store(&mut found.iso_weekday, number(1)?),
        Field::IsoWeek => store(&mut found.iso_week, number(2)?),
        Field::Week => store(&mut found.week, number(2)?),
        Field::WeekOfMonth => store(&mut found.week_of_month, number(1)?),
        Field::Quarter => Ok(number(1)?.1),
        Field::Julian => store(&mut found.julian, integer(rest, 9, true, keyword)?),
        Field::MonthName | Field::MonthShort | Field::RomanMonth => {
            month_name(found, field, keyword, rest)
        }
        Field::DayName => Ok(name(rest, &DAYS, keyword, usize::MAX)?.1),
        Field::DayShort => Ok(name(rest, &DAYS, keyword, 3)?.1),
        Field::Meridiem(periods) => meridiem(found, keyword, periods, rest),
        Field::Era(periods) => era(found, keyword, periods, rest),
        Field::ZoneHour => zone_hour(found, rest, keyword),
        Field::ZoneMinute => zone_minute(found, number(2)?),
        Field::Zone | Field::Offset => Err(ValueError::new(
            "0A000",
            format!("formatting field \"{keyword}\" is only supported in to_char"),
        )),
        Field::Fixed => Ok(rest),
    }
}

fn store<'a>(place: &mut Option<i64>, (value, rest): (i64, &'a str)) -> Result<&'a str> {
    *place = Some(value);
    Ok(rest)
}

fn month_name<'a>(
    found: &mut Found,
    field: Field,
    keyword: &str,
    rest: &'a str,
) -> Result<&'a str> {
    let (index, after) = match field {
        Field::MonthName => name(rest, &MONTHS, keyword, usize::MAX)?,
        Field::MonthShort => name(rest, &MONTHS, keyword, 3)?,
        _ => {
            // The longest first: VIII before V.
            let best = ROMAN_MONTHS
                .iter()
                .enumerate()
                .filter(|(_, roman)| starts(rest, roman))
                .max_by_key(|(_, roman)| roman.len());
            let (index, roman) = best.ok_or_else(|| no_match(rest, keyword))?;
            (index, rest.get(roman.len()..).unwrap_or(""))
        }
    };
    found.month = i64::try_from(index).ok().map(|index| index + 1);
    Ok(after)
}

fn starts(text: &str, head: &str) -> bool {
    text.get(..head.len()).is_some_and(|given| given.eq_ignore_ascii_case(head))
}

fn name<'a>(
    rest: &'a str,
    names: &[&str],
    keyword: &str,
    width: usize,
) -> Result<(usize, &'a str)> {
    let heads = names.iter().map(|name| name.get(..width.min(name.len())).unwrap_or(name));
    let best = heads.enumerate().find(|(_, head)| starts(rest, head));
    let (index, head) = best.ok_or_else(|| no_match(rest, keyword))?;
    Ok((index, rest.get(head.len()..).unwrap_or("")))
}

fn no_match(rest: &str, keyword: &str) -> ValueError {
    let word: String = rest.chars().take_while(|letter| !letter.is_whitespace()).collect();
    ValueError::new("22007", format!("invalid value \"{word}\" for \"{keyword}\""))
        .with_detail("The given value did not match any of the allowed values for this field.")
}

fn meridiem<'a>(found: &mut Found, keyword: &str, periods: bool, rest: &'a str) -> Result<&'a str> {
    let names = if periods { ["A.M.", "P.M."] } else { ["AM", "PM"] };
    let (index, after) = name(rest, &names, keyword, usize::MAX)?;
    found.afternoon = Some(index == 1);
    found.twelve_hours = true;
    Ok(after)
}

fn era<'a>(found: &mut Found, keyword: &str, periods: bool, rest: &'a str) -> Result<&'a str> {
    let names = if periods { ["A.D.", "B.C."] } else { ["AD", "BC"] };
    let (index, after) = name(rest, &names, keyword, usize::MAX)?;
    found.before_christ = index == 1;
    Ok(after)
}

fn zone_minute<'a>(found: &mut Found, (value, after): (i64, &'a str)) -> Result<&'a str> {
    let (sign, hours, _) = found.zone.unwrap_or((1, 0, 0));
    found.zone = Some((sign, hours, value));
    Ok(after)
}

fn zone_hour<'a>(found: &mut Found, rest: &'a str, keyword: &str) -> Result<&'a str> {
    let (sign, digits) = match rest.split_at_checked(1) {
        Some(("-", digits)) => (-1, digits),
        Some(("+" | " ", digits)) => (1, digits),
        _ => (1, rest),
    };
    let (hours, after) = integer(digits, 2, false, keyword)?;
    found.zone = Some((sign, hours, found.zone.map_or(0, |(_, _, minutes)| minutes)));
    Ok(after)
}

fn year<'a>(
    found: &mut Found,
    field: Field,
    keyword: &str,
    open: bool,
    rest: &'a str,
) -> Result<&'a str> {
    if field == Field::YearComma {
        let bad = || ValueError::new("22007", "invalid input string for \"Y,YYY\"");
        let (thousands, tail) = rest.split_once(',').ok_or_else(bad)?;
        let (hundreds, after) = integer(tail, 3, false, keyword)?;
        found.year = Some(thousands.trim().parse::<i64>().map_err(|_| bad())? * 1000 + hundreds);
        return Ok(after);
    }
    let Field::Year(digits) = field else { return Ok(rest) };
    let (value, after) = integer(rest, digits, open, keyword)?;
    let given = rest.trim_start().len() - after.len();
    // Short years are of 1970 to 2069; four digits after a short pattern are taken as they are.
    found.short_year = digits < 4;
    found.year = Some(if digits < 4 && given < 4 { full_year(value, digits) } else { value });
    Ok(after)
}

fn full_year(year: i64, _digits: usize) -> i64 {
    match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        100..520 => year + 2000,
        520..1000 => year + 1000,
        _ => year,
    }
}

/// Digits: as many as there are where something else follows, else the width of the field.
fn integer<'a>(rest: &'a str, width: usize, open: bool, keyword: &str) -> Result<(i64, &'a str)> {
    let text = rest.trim_start();
    let signed = usize::from(text.starts_with(['-', '+']));
    let digits = text.bytes().skip(signed).take_while(u8::is_ascii_digit).count();
    let length = if open { signed + digits } else { width.min(signed + digits) };
    let head = text.get(..length).unwrap_or("");
    let invalid = |detail: &str| {
        let shown: String = text.chars().take(width).collect();
        ValueError::new("22007", format!("invalid value \"{shown}\" for \"{keyword}\""))
            .with_detail(detail)
    };
    let value = head.parse().map_err(|_| invalid("Value must be an integer."))?;
    if !open && length < width {
        let detail =
            format!("Field requires {width} characters, but only {length} could be parsed.");
        return Err(invalid(&detail).with_hint(
            "If your source string is not fixed-width, try using the \"FM\" modifier.",
        ));
    }
    Ok((value, text.get(length..).unwrap_or("")))
}

fn fraction<'a>(found: &mut Found, rest: &'a str, width: usize) -> Result<&'a str> {
    let digits = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
    let head = rest.get(..digits).unwrap_or("");
    found.micros = format!("{head:0<6}").parse().unwrap_or_default();
    Ok(rest.get(digits..).unwrap_or(""))
}

impl Found {
    fn timestamp(self, text: &str) -> Result<(i64, Option<i64>)> {
        let out_of_range =
            || ValueError::new("22008", format!("date/time field value out of range: \"{text}\""));
        let (mut hour, mut minute, mut second) = (self.hour, self.minute, self.second);
        if let Some(seconds) = self.second_of_day {
            (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        }
        if self.twelve_hours {
            if !(1..=12).contains(&hour) {
                let message = format!("hour \"{hour}\" is invalid for the 12-hour clock");
                return Err(ValueError::new("22007", message)
                    .with_hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            hour = match self.afternoon {
                Some(true) if hour < 12 => hour + 12,
                Some(false) if hour == 12 => 0,
                _ => hour,
            };
        }
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
            return Err(out_of_range());
        }
        let (year, month, day) = self.date().ok_or_else(out_of_range)?;
        let micros = (hour * 3600 + minute * 60 + second) * SECOND + self.micros;
        let local = Civil { year, month, day, micros }.timestamp()?;
        let zone = self.zone.map(|(sign, hours, minutes)| sign * (hours * 3600 + minutes * 60));
        Ok((local, zone))
    }

    /// Year, month and day; `None` when there is no such day.
    fn date(&self) -> Option<(i64, i64, i64)> {
        if let Some(julian) = self.julian {
            return Some(civil(julian - JULIAN_EPOCH));
        }
        if let Some(date) = self.iso_date() {
            return date;
        }
        let year = self.full_year();
        if let Some(week) = self.week {
            return Some(civil(days(year, 1, 1) + (week - 1) * 7));
        }
        if let (Some(day), None) = (self.day_of_year, self.month) {
            let length = days(year + 1, 1, 1) - days(year, 1, 1);
            return (1..=length).contains(&day).then(|| civil(days(year, 1, day)));
        }
        let month = self.month.unwrap_or(1);
        let day = self.day.or(self.week_of_month.map(|week| (week - 1) * 7 + 1)).unwrap_or(1);
        let valid = (1..=12).contains(&month) && (1..=month_length(year, month)).contains(&day);
        valid.then_some((year, month, day))
    }

    fn iso_date(&self) -> Option<Option<(i64, i64, i64)>> {
        let year = self.iso_year.or(self.iso_week.and(self.year))?;
        let fourth = days(year, 1, 4);
        let monday = fourth - iso_weekday(fourth) + 1;
        let day = match (self.iso_day_of_year, self.iso_week) {
            (Some(day), _) => day - 1,
            (None, week) => (week.unwrap_or(1) - 1) * 7 + self.iso_weekday.unwrap_or(1) - 1,
        };
        Some((0..371).contains(&day).then(|| civil(monday + day)))
    }

    fn full_year(&self) -> i64 {
        let year = match (self.year, self.century) {
            (Some(year), Some(century)) if self.short_year => {
                (century - 1) * 100 + year.rem_euclid(100)
            }
            (Some(year), _) => year,
            (None, Some(century)) => (century - 1) * 100 + 1,
            // Like PostgreSQL, whose year 0 of a text without year is 1 BC.
            (None, None) => 0,
        };
        if self.before_christ && year > 0 { 1 - year } else { year }
    }
}
