//! `timestamp` and `timestamp with time zone`: microseconds since 1970.

use chrono_tz::Tz;

use super::datetime::{self, Moment};
use super::zone::Zone;
use super::{Context, fields};
use crate::calendar::{self, DAY_MICROS, EPOCH_2000_MICROS};
use crate::{Result, ValueError};

/// The zone's wall clock at an instant.
pub(crate) fn local(micros: i64, zone: Tz) -> i64 {
    micros.saturating_add(calendar::offset_at(zone, micros) * 1_000_000)
}

/// The instant at which the zone's wall clock shows a time.
pub(crate) fn utc(local_micros: i64, zone: Tz) -> i64 {
    local_micros.saturating_sub(calendar::offset_of_local(zone, local_micros) * 1_000_000)
}

/// Reads a `timestamp`; a zone in the text is ignored, as PostgreSQL does (manual §8.5.1.3).
pub(crate) fn parse(text: &str, digits: i32, ctx: &Context) -> Result<i64> {
    if let Some((micros, _)) = fields::timestamp(text.as_bytes()) {
        return Ok(rounded(micros, digits));
    }
    match datetime::parse(text, "timestamp", ctx)? {
        Moment::Infinity => Ok(i64::MAX),
        Moment::NegativeInfinity => Ok(i64::MIN),
        Moment::Epoch => Ok(0),
        Moment::Now => Ok(rounded(local(ctx.now.timestamp_micros(), ctx.time_zone), digits)),
        Moment::Local { days, micros, .. } => Ok(rounded(checked(days, micros, text)?, digits)),
    }
}

/// Reads a `timestamp with time zone`; without a zone the text is local to the session's.
pub(crate) fn parse_tz(text: &str, digits: i32, ctx: &Context) -> Result<i64> {
    if let Some((micros, offset)) = fields::timestamp(text.as_bytes()) {
        let micros = match offset {
            Some(offset) => micros - offset * 1_000_000,
            None => utc(micros, ctx.time_zone),
        };
        return Ok(rounded(micros, digits));
    }
    match datetime::parse(text, "timestamp with time zone", ctx)? {
        Moment::Infinity => Ok(i64::MAX),
        Moment::NegativeInfinity => Ok(i64::MIN),
        Moment::Epoch => Ok(0),
        Moment::Now => Ok(rounded(ctx.now.timestamp_micros(), digits)),
        Moment::Local { days, micros, zone } => {
            let local = checked(days, micros, text)?;
            let micros = match zone {
                Some(Zone::Fixed(offset)) => local.saturating_sub(offset * 1_000_000),
                Some(Zone::Named(zone)) => utc(local, zone),
                None => utc(local, ctx.time_zone),
            };
            checked(micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS), text)?;
            Ok(rounded(micros, digits))
        }
    }
}

fn checked(days: i64, micros: i64, text: &str) -> Result<i64> {
    let days = days + micros.div_euclid(DAY_MICROS);
    if !(calendar::DAYS_MIN..calendar::TIMESTAMP_DAYS_END).contains(&days) {
        return Err(ValueError::new("22008", format!("timestamp out of range: \"{text}\"")));
    }
    Ok(days * DAY_MICROS + micros.rem_euclid(DAY_MICROS))
}

/// Rounds to a number of fractional digits, half away from 2000-01-01 as PostgreSQL's own
/// arithmetic does.
pub(crate) fn rounded(micros: i64, digits: i32) -> i64 {
    let Some(unit) = unit(digits) else { return micros };
    if micros == i64::MAX || micros == i64::MIN {
        return micros;
    }
    let since_2000 = micros.saturating_sub(EPOCH_2000_MICROS);
    let magnitude = (since_2000.unsigned_abs().saturating_add(unit / 2)) / unit * unit;
    let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
    EPOCH_2000_MICROS + if since_2000 < 0 { -magnitude } else { magnitude }
}

/// Microseconds of the last digit that is kept, `None` when nothing is cut.
pub(crate) fn unit(digits: i32) -> Option<u64> {
    let exponent = u32::try_from(6 - digits).ok().filter(|exponent| *exponent > 0)?;
    10u64.checked_pow(exponent)
}
