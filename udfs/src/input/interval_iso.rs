//! `interval` in ISO 8601: `P1Y2M3DT4H5M6.7S`, `P0001-02-03T04:05:06`
//! (src/backend/utils/adt/datetime.c, `DecodeISO8601Interval`).

use super::interval::{Amount, Refusal, clock};
use super::units::Unit;

/// Reads either of the two formats.
pub(crate) fn decode(text: &str) -> Result<Amount, Refusal> {
    let body = text.strip_prefix('P').filter(|body| !body.is_empty()).ok_or(Refusal::Syntax)?;
    let (date, time) = match body.split_once('T') {
        Some((date, time)) => (date, time),
        None => (body, ""),
    };
    let mut amount = Amount::default();
    if date.get(1..).is_some_and(|date| date.contains('-'))
        && !date.ends_with(|last: char| last.is_ascii_alphabetic())
    {
        dashed(date, &mut amount)?;
    } else {
        designated(date, date_unit, &mut amount)?;
    }
    if time.contains(':') {
        clock(time, &mut amount)?;
    } else {
        designated(time, time_unit, &mut amount)?;
    }
    Ok(amount)
}

fn date_unit(designator: char) -> Option<Unit> {
    Some(match designator {
        'Y' => Unit::Months(12),
        'M' => Unit::Months(1),
        'W' => Unit::Days(7),
        'D' => Unit::Days(1),
        _ => return None,
    })
}

fn time_unit(designator: char) -> Option<Unit> {
    Some(match designator {
        'H' => Unit::Micros(3_600_000_000),
        'M' => Unit::Micros(60_000_000),
        'S' => Unit::Micros(1_000_000),
        _ => return None,
    })
}

/// Numbers, each followed by its designator.
fn designated(
    text: &str,
    unit: fn(char) -> Option<Unit>,
    amount: &mut Amount,
) -> Result<(), Refusal> {
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_alphabetic()) {
        let (number, after) = rest.split_at_checked(at).ok_or(Refusal::Syntax)?;
        let mut letters = after.chars();
        let unit = letters.next().and_then(unit).ok_or(Refusal::Syntax)?;
        add(number, unit, amount)?;
        rest = letters.as_str();
    }
    if rest.is_empty() { Ok(()) } else { Err(Refusal::Syntax) }
}

/// Years, months and days between hyphens.
fn dashed(text: &str, amount: &mut Amount) -> Result<(), Refusal> {
    let mut parts = text.split('-');
    for unit in ['Y', 'M', 'D'] {
        if let (Some(part), Some(unit)) = (parts.next(), date_unit(unit)) {
            add(part, unit, amount)?;
        }
    }
    if parts.next().is_none() { Ok(()) } else { Err(Refusal::Syntax) }
}

fn add(number: &str, unit: Unit, amount: &mut Amount) -> Result<(), Refusal> {
    let value: f64 = number.parse().map_err(|_| Refusal::Syntax)?;
    if !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Syntax);
    }
    if value.abs() > f64::from(i32::MAX) {
        return Err(Refusal::Field);
    }
    amount.add(value.trunc() as i64, value.fract(), unit)
}
