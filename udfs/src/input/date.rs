//! `date`.

use super::datetime::{self, Moment};
use super::{Context, fields, timestamp};
use crate::calendar;
use crate::{Result, ValueError};

/// Reads a date as days since 1970; `infinity` is the largest `i32`, `-infinity` the smallest.
pub(crate) fn parse(text: &str, ctx: &Context) -> Result<i32> {
    if let Some((days, [])) = fields::date(text.as_bytes()) {
        return checked(days, text);
    }
    match datetime::parse(text, "date", ctx)? {
        Moment::Infinity => Ok(i32::MAX),
        Moment::NegativeInfinity => Ok(i32::MIN),
        Moment::Epoch => Ok(0),
        Moment::Now => {
            let local = timestamp::local(ctx.now.timestamp_micros(), ctx.time_zone);
            checked(local.div_euclid(calendar::DAY_MICROS), text)
        }
        Moment::Local { days, .. } => checked(days, text),
    }
}

fn checked(days: i64, text: &str) -> Result<i32> {
    match i32::try_from(days) {
        Ok(kept) if (calendar::DAYS_MIN..calendar::DATE_DAYS_END).contains(&days) => Ok(kept),
        _ => Err(ValueError::new("22008", format!("date out of range: \"{text}\""))),
    }
}
