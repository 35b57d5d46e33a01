//! `time` and `time with time zone`.

use super::datetime::{self, Clock};
use super::zone::Zone;
use super::{Context, fields, timestamp};
use crate::Result;
use crate::calendar::{self, DAY_MICROS};

/// Reads a `time` as microseconds of the day; 24:00:00 is a time.
pub(crate) fn parse(text: &str, digits: i32, ctx: &Context) -> Result<i64> {
    if let Some((micros, [])) = fields::time(text.as_bytes()) {
        return Ok(rounded(micros, digits));
    }
    Ok(rounded(datetime::parse_time(text, "time", ctx)?.micros, digits))
}

pub(crate) fn rounded(micros: i64, digits: i32) -> i64 {
    let Some(unit) = timestamp::unit(digits).and_then(|unit| i64::try_from(unit).ok()) else {
        return micros;
    };
    (micros + unit / 2) / unit * unit
}

/// Reads a `time with time zone`, which is kept as PostgreSQL prints it: `03:04:05.6+02`.
pub(crate) fn parse_timetz(text: &str, ctx: &Context) -> Result<String> {
    let Clock { micros, zone, days } = datetime::parse_time(text, "time with time zone", ctx)?;
    let offset = match zone {
        Some(Zone::Fixed(offset)) => offset,
        Some(Zone::Named(zone)) => offset_on(zone, days, micros, ctx),
        None => offset_on(ctx.time_zone, days, micros, ctx),
    };
    let mut printed = Vec::with_capacity(24);
    crate::output::temporal::write_time(micros, &mut printed);
    crate::output::temporal::write_offset(offset, &mut printed);
    Ok(String::from_utf8(printed).unwrap_or_default())
}

/// A zone with clock changes has an offset only on a day: the stated one, else today.
fn offset_on(zone: chrono_tz::Tz, days: Option<i64>, micros: i64, ctx: &Context) -> i64 {
    let today = || timestamp::local(ctx.now.timestamp_micros(), zone).div_euclid(DAY_MICROS);
    let midnight = days.unwrap_or_else(today).saturating_mul(DAY_MICROS);
    calendar::offset_of_local(zone, midnight.saturating_add(micros))
}
