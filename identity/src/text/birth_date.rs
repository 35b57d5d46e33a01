//! `birth_date`: the day a living person was born.

use chrono::{Datelike, NaiveDate};

/// Nobody alive is older; earlier dates are placeholders gone wrong.
const EARLIEST_YEAR: i32 = 1880;

/// Says why a text is no date of birth. Whether it lies in the future is for a caller with a clock
/// to say.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    let day = parse(value).ok_or("it is not a date")?;
    match day.year() < EARLIEST_YEAR {
        true => Err(format!("it is before {EARLIEST_YEAR}-01-01")),
        false => Ok(()),
    }
}

/// `YYYY-MM-DD` (ISO 8601).
pub fn normalize(value: &str) -> Option<String> {
    parse(value).map(|day| day.format("%Y-%m-%d").to_string())
}

/// Reads `1980-02-29`, `19800229`, `1980/2/29`, `29.02.1980`, `29/02/1980`, `29-2-1980`, and
/// `02/29/1980`, where the second number can be no month. A time behind is cut.
pub fn parse(value: &str) -> Option<NaiveDate> {
    let day = value.trim().split([' ', 'T']).next()?;
    if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        return NaiveDate::parse_from_str(day, "%Y%m%d").ok();
    }
    let numbers: Vec<&str> = day.split(['-', '/', '.']).collect();
    let [first, second, third] = numbers[..] else { return None };
    if first.len() == 4 {
        return date(first, second, third);
    }
    match third.len() {
        4 => date(third, second, first).or_else(|| date(third, first, second)),
        _ => None,
    }
}

fn date(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let number = |text: &str| {
        let digits = (1..=4).contains(&text.len()) && text.bytes().all(|one| one.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok())?
    };
    NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, number(month)?, number(day)?)
}
