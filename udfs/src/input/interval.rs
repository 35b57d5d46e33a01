//! `interval`: `1 year 2 mons 3 days 04:05:06`, `@ 1 hour ago`, `1-2`, `P1DT2H`
//! (src/backend/utils/adt/datetime.c, `DecodeInterval`; manual §8.5.4).

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::decoder::micros;
use super::tokens::{self, Kind};
use super::{interval_iso, units};
use crate::{Result, ValueError};
use units::Unit;

/// Why a text is no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Syntax,
    /// One number is too large.
    Field,
    /// The whole is too large.
    Whole,
}

/// Reads an interval. Its time part counts nanoseconds, so it holds 292 years.
pub(crate) fn parse(text: &str) -> Result<IntervalMonthDayNano> {
    let read = match decode(text) {
        Err(Refusal::Syntax) => interval_iso::decode(text),
        other => other,
    };
    let read = read.and_then(Amount::finish);
    read.map_err(|refusal| match refusal {
        Refusal::Syntax => {
            ValueError { sqlstate: "22007", ..ValueError::invalid_text("interval", text) }
        }
        Refusal::Field => {
            ValueError::new("22015", format!("interval field value out of range: \"{text}\""))
        }
        Refusal::Whole => ValueError::new("22008", "interval out of range"),
    })
}

/// An interval under construction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amount {
    months: i64,
    days: i64,
    micros: i64,
}

impl Amount {
    /// Adds so many units; a fraction spills into the smaller units as in PostgreSQL, where a month
    /// has 30 days and a day 24 hours.
    pub(crate) fn add(
        &mut self,
        whole: i64,
        fraction: f64,
        unit: Unit,
    ) -> std::result::Result<(), Refusal> {
        let add = |place: &mut i64, factor: i64| {
            let product = whole.checked_mul(factor).ok_or(Refusal::Field)?;
            *place = place.checked_add(product).ok_or(Refusal::Field)?;
            Ok(())
        };
        match unit {
            Unit::Micros(factor) => {
                add(&mut self.micros, factor)?;
                self.add_micros(fraction * factor as f64)
            }
            Unit::Days(factor) => {
                add(&mut self.days, factor)?;
                self.add_days(fraction * factor as f64)
            }
            Unit::Months(1) => {
                add(&mut self.months, 1)?;
                self.add_days(fraction * 30.0)
            }
            Unit::Months(factor) => {
                add(&mut self.months, factor)?;
                let months = (fraction * factor as f64).round_ties_even() as i64;
                self.months = self.months.checked_add(months).ok_or(Refusal::Field)?;
                Ok(())
            }
        }
    }

    fn add_days(&mut self, days: f64) -> std::result::Result<(), Refusal> {
        let whole = days.trunc();
        self.days = self.days.checked_add(whole as i64).ok_or(Refusal::Field)?;
        self.add_micros((days - whole) * 86_400e6)
    }

    fn add_micros(&mut self, micros: f64) -> std::result::Result<(), Refusal> {
        let rounded = micros.round_ties_even() as i64;
        self.micros = self.micros.checked_add(rounded).ok_or(Refusal::Field)?;
        Ok(())
    }

    fn negated(self) -> Self {
        let negated = i64::saturating_neg;
        Self {
            months: negated(self.months),
            days: negated(self.days),
            micros: negated(self.micros),
        }
    }

    fn finish(self) -> std::result::Result<IntervalMonthDayNano, Refusal> {
        let months = i32::try_from(self.months).map_err(|_| Refusal::Field)?;
        let days = i32::try_from(self.days).map_err(|_| Refusal::Field)?;
        let nanos = self.micros.checked_mul(1_000).ok_or(Refusal::Whole)?;
        Ok(IntervalMonthDayNano::new(months, days, nanos))
    }
}

/// Reads the fields from the last to the first, since a unit stands after its number.
fn decode(text: &str) -> std::result::Result<Amount, Refusal> {
    let fields = tokens::split(text).ok_or(Refusal::Syntax)?;
    let mut amount = Amount::default();
    let (mut unit, mut ago, mut seen) = (None, false, Vec::new());
    for (kind, field) in fields.iter().rev() {
        match kind {
            Kind::Word if field == "ago" => ago = true,
            Kind::Word | Kind::Special => unit = Some(units::find(field).ok_or(Refusal::Syntax)?),
            Kind::Time => {
                clock(field, &mut amount)?;
                once(&mut seen, "time")?;
                unit = Some(("day", Unit::Days(1)));
            }
            Kind::Signed if field.contains(':') => {
                let mut part = Amount::default();
                clock(field.get(1..).unwrap_or_default(), &mut part)?;
                let part = if field.starts_with('-') { part.negated() } else { part };
                amount.add(part.micros, 0.0, Unit::Micros(1))?;
                once(&mut seen, "time")?;
                unit = Some(("day", Unit::Days(1)));
            }
            Kind::Number | Kind::Date | Kind::Signed => {
                let (name, counted) = *unit.get_or_insert(("second", Unit::Micros(1_000_000)));
                let name = number(field, name, counted, &mut amount)?;
                if name == "month" && unit.is_some_and(|(stated, _)| stated != name) {
                    unit = Some(("month", Unit::Months(1)));
                }
                once(&mut seen, name)?;
            }
        }
    }
    if seen.is_empty() {
        return Err(Refusal::Syntax);
    }
    Ok(if ago { amount.negated() } else { amount })
}

/// No part may be said twice.
fn once(seen: &mut Vec<&'static str>, name: &'static str) -> std::result::Result<(), Refusal> {
    let within = |whole: &str, part: &str| {
        let seconds = || matches!(part, "second" | "millisecond" | "microsecond");
        match whole {
            "time" => {
                matches!(part, "time" | "hour" | "minute" | "seconds and fraction") || seconds()
            }
            "seconds and fraction" => part == whole || seconds(),
            _ => whole == part,
        }
    };
    if seen.iter().any(|other| within(other, name) || within(name, other)) {
        return Err(Refusal::Syntax);
    }
    seen.push(name);
    Ok(())
}

/// `12`, `-1.5`, or `1-2`, which is years and months; returns the part that it set.
fn number(
    field: &str,
    name: &'static str,
    unit: Unit,
    amount: &mut Amount,
) -> std::result::Result<&'static str, Refusal> {
    let (negative, digits) = match field.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, field.strip_prefix('+').unwrap_or(field)),
    };
    let sign = if negative { -1 } else { 1 };
    if let Some((years, months)) = digits.split_once('-') {
        let (years, months) = (whole(years)?, whole(months)?);
        if months >= 12 {
            return Err(Refusal::Field);
        }
        amount.add(sign * years, 0.0, Unit::Months(12))?;
        amount.add(sign * months, 0.0, Unit::Months(1))?;
        return Ok("month");
    }
    let (digits, fraction) = match digits.find('.') {
        Some(at) => digits.split_at_checked(at).ok_or(Refusal::Syntax)?,
        None => (digits, ""),
    };
    let fraction = fraction_of_one(fraction)?;
    amount.add(sign * whole(digits)?, sign as f64 * fraction, unit)?;
    // With a fraction, seconds state milliseconds and microseconds too.
    Ok(if name == "second" && fraction != 0.0 { "seconds and fraction" } else { name })
}

fn whole(digits: &str) -> std::result::Result<i64, Refusal> {
    match digits {
        "" => Ok(0),
        _ if !digits.bytes().all(|byte| byte.is_ascii_digit()) => Err(Refusal::Syntax),
        _ => digits.parse().map_err(|_| Refusal::Field),
    }
}

fn fraction_of_one(text: &str) -> std::result::Result<f64, Refusal> {
    match text {
        "" | "." => Ok(0.0),
        _ if text.bytes().skip(1).all(|byte| byte.is_ascii_digit()) => {
            text.parse().map_err(|_| Refusal::Syntax)
        }
        _ => Err(Refusal::Syntax),
    }
}

/// `04:05`, `04:05:06.7`, `05:06.7` (minutes and seconds), any number of hours.
pub(crate) fn clock(field: &str, amount: &mut Amount) -> std::result::Result<(), Refusal> {
    let (field, fraction) = match field.find('.') {
        Some(at) => field.split_at_checked(at).ok_or(Refusal::Syntax)?,
        None => (field, ""),
    };
    let parts = field.split(':').map(whole).collect::<std::result::Result<Vec<_>, _>>()?;
    let (hours, minutes, seconds) = match parts.as_slice() {
        [minutes, seconds] if !fraction.is_empty() => (0, *minutes, *seconds),
        [hours, minutes] => (*hours, *minutes, 0),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return Err(Refusal::Syntax),
    };
    if minutes > 59 || seconds > 60 {
        return Err(Refusal::Field);
    }
    amount.add(hours, 0.0, Unit::Micros(3_600_000_000))?;
    amount.add(minutes, 0.0, Unit::Micros(60_000_000))?;
    amount.add(seconds, 0.0, Unit::Micros(1_000_000))?;
    amount.add(micros(fraction).map_err(|_| Refusal::Syntax)?, 0.0, Unit::Micros(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::IntervalStyle;

    fn printed(text: &str) -> String {
        match parse(text) {
            Err(error) => format!("{} {}", error.sqlstate, error.message),
            Ok(value) => {
                let mut out = Vec::new();
                crate::output::interval::write(value, IntervalStyle::Postgres, &mut out);
                String::from_utf8(out).unwrap()
            }
        }
    }

    #[test]
    fn every_style() {
        for (text, expected) in [
            ("1 day", "1 day"),
            ("1 year 2 months 3 days 04:05:06.789", "1 year 2 mons 3 days 04:05:06.789"),
            (
                "@ 1 year 2 mons -3 days 4 hours 5 mins 6 secs ago",
                "-1 years -2 mons +3 days -04:05:06",
            ),
            ("1-2", "1 year 2 mons"),
            ("-1-2 +3 -4:05:06", "-1 years -2 mons +3 days -04:05:06"),
            ("3 4:05:06", "3 days 04:05:06"),
            ("90 minutes", "01:30:00"),
            ("1.5 days", "1 day 12:00:00"),
            ("1.5 months", "1 mon 15 days"),
            ("1.5 years", "1 year 6 mons"),
            ("1.5 weeks", "10 days 12:00:00"),
            ("2 weeks", "14 days"),
            ("1 century", "100 years"),
            ("1h30m", "01:30:00"),
            ("1 h 30 m", "01:30:00"),
            ("5", "00:00:05"),
            ("100:00", "100:00:00"),
            ("05:06.7", "00:05:06.7"),
            ("-1 day", "-1 days"),
            ("1500 milliseconds", "00:00:01.5"),
            ("7 microseconds", "00:00:00.000007"),
            ("P1Y2M3DT4H5M6.7S", "1 year 2 mons 3 days 04:05:06.7"),
            ("PT36H", "36:00:00"),
            ("P1W", "7 days"),
            ("P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06"),
            ("P-1D", "-1 days"),
            ("P1.5D", "1 day 12:00:00"),
            ("1 day 1 day", "22007 invalid input syntax for type interval: \"1 day 1 day\""),
            ("", "22007 invalid input syntax for type interval: \"\""),
            ("abc", "22007 invalid input syntax for type interval: \"abc\""),
            ("1 fortnight", "22007 invalid input syntax for type interval: \"1 fortnight\""),
            ("99999999999 years", "22015 interval field value out of range: \"99999999999 years\""),
        ] {
            assert_eq!(printed(text), expected, "{text}");
        }
    }
}
