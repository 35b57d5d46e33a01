//! How dates of birth go wrong: day and month swapped, one digit off, the year mistyped.

use chrono::{Datelike, NaiveDate};

/// What makes of one date the other, the likeliest slip first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateCloseness {
    /// The same day.
    Equal,
    /// Day and month are swapped.
    Swapped,
    /// One digit of `YYYYMMDD` differs, or two neighbouring digits are swapped.
    OneSlip,
    /// Same day and month of another year, at most ten years apart.
    OtherYear,
    /// Same year and month, or same year and day.
    SamePart,
    /// Nothing of these; at most ten years apart.
    Near,
    /// Farther apart.
    Far,
}

const YEARS_NEAR: i32 = 10;
/// Ten years with their leap days.
const DAYS_NEAR: i64 = 3653;

/// What makes of one date the other.
pub fn date_closeness(a: NaiveDate, b: NaiveDate) -> DateCloseness {
    let days = (a - b).num_days().abs();
    let same_day_and_month = (a.month(), a.day()) == (b.month(), b.day());
    if days == 0 {
        DateCloseness::Equal
    } else if a.year() == b.year() && (a.month(), a.day()) == (b.day(), b.month()) {
        DateCloseness::Swapped
    } else if one_slip(&digits(a), &digits(b)) {
        DateCloseness::OneSlip
    } else if same_day_and_month && (a.year() - b.year()).abs() <= YEARS_NEAR {
        DateCloseness::OtherYear
    } else if a.year() == b.year() && (a.month() == b.month() || a.day() == b.day()) {
        DateCloseness::SamePart
    } else if days <= DAYS_NEAR {
        DateCloseness::Near
    } else {
        DateCloseness::Far
    }
}

/// From 1.0 for the same day through 0.95, 0.9, 0.8 and 0.7 for the slips of [`DateCloseness`];
/// below, from 0.6 down to 0.0 in proportion to the days within ten years.
pub fn date_similarity(a: NaiveDate, b: NaiveDate) -> f64 {
    match date_closeness(a, b) {
        DateCloseness::Equal => 1.0,
        DateCloseness::Swapped => 0.95,
        DateCloseness::OneSlip => 0.9,
        DateCloseness::OtherYear => 0.8,
        DateCloseness::SamePart => 0.7,
        DateCloseness::Near => 0.6 * (1.0 - (a - b).num_days().abs() as f64 / DAYS_NEAR as f64),
        DateCloseness::Far => 0.0,
    }
}

fn digits(date: NaiveDate) -> Vec<u8> {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day()).into_bytes()
}

fn one_slip(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let other: Vec<usize> = (0..a.len()).filter(|place| a[*place] != b[*place]).collect();
    match other[..] {
        [_] => true,
        [first, second] => second == first + 1 && a[first] == b[second] && a[second] == b[first],
        _ => false,
    }
}
