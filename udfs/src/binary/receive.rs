//! Bytes → value, into the Arrow builder of the column.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::{Reader, array, incorrect, insufficient, numeric, text};
use crate::calendar::{
    DATE_DAYS_END, DAY_MICROS, DAYS_MIN, EPOCH_2000_DAYS, EPOCH_2000_MICROS, TIMESTAMP_DAYS_END,
};
use crate::input::builder::Values;
use crate::input::text::Rule;
use crate::input::{Context, timestamp};
use crate::types::PgType;
use crate::{Result, ValueError};

/// Reads one value and appends it; nothing is appended when it is refused.
pub(crate) fn append(values: &mut Values, pg_type: PgType, bytes: &[u8]) -> Result<()> {
    match values {
        Values::Boolean(builder) => builder.append_value(exact::<1>(bytes)? != [0]),
        Values::Int16(builder) => builder.append_value(i16::from_be_bytes(exact(bytes)?)),
        Values::Int32(builder) => builder.append_value(i32::from_be_bytes(exact(bytes)?)),
        Values::Int64(builder) => builder.append_value(i64::from_be_bytes(exact(bytes)?)),
        Values::Oid(builder, _) => {
            builder.append_value(i64::from(u32::from_be_bytes(exact(bytes)?)))
        }
        Values::Tid(builder) => builder.append_value(tid(bytes)?),
        Values::Float32(builder) => builder.append_value(f32::from_be_bytes(exact(bytes)?)),
        Values::Float64(builder) => builder.append_value(f64::from_be_bytes(exact(bytes)?)),
        Values::Decimal(builder, shape) => {
            let text = numeric::receive(bytes)?;
            builder.append_value(crate::input::numeric::parse(&text, *shape)?);
        }
        Values::Numeric(builder, pg_type) => {
            let (text, mut out) = (numeric::receive(bytes)?, Vec::with_capacity(16));
            crate::input::numeric::parse_free(&text, *pg_type, &mut out)?;
            builder.append_value(&out);
        }
        Values::Text(builder, rule) => builder.append_value(received_text(*rule, pg_type, bytes)?),
        Values::Binary(builder) => builder.append_value(bytes),
        Values::Date(builder) => builder.append_value(date(bytes)?),
        Values::Time(builder, digits) => builder.append_value(time(bytes, *digits)?),
        Values::Timestamp(builder, digits) | Values::TimestampTz(builder, digits) => {
            builder.append_value(instant(bytes, *digits)?);
        }
        Values::Interval(builder) => builder.append_value(interval(bytes)?),
        Values::List(builder) => array::append(builder, pg_type, bytes)?,
    }
    Ok(())
}

fn exact<const COUNT: usize>(bytes: &[u8]) -> Result<[u8; COUNT]> {
    let missing = bytes.len() < COUNT;
    bytes.try_into().map_err(|_| if missing { insufficient() } else { incorrect() })
}

fn tid(bytes: &[u8]) -> Result<i64> {
    let mut reader = Reader(bytes);
    let block = u32::from_be_bytes(reader.array()?);
    let offset = u16::from_be_bytes(reader.array()?);
    reader.end()?;
    Ok(i64::from(block) << 16 | i64::from(offset))
}

fn received_text(rule: Rule, pg_type: PgType, bytes: &[u8]) -> Result<String> {
    if let Some(text) = text::receive(rule, pg_type, bytes)? {
        return Ok(text);
    }
    let bytes = match text::prefix(pg_type) {
        Some(version) => bytes.strip_prefix(&[version]).ok_or_else(incorrect)?,
        None => bytes,
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        ValueError::new(
            "22021",
            format!("invalid byte sequence for encoding \"UTF8\": 0x{byte:02x}"),
        )
    })?;
    // No rule that is left asks for the session's zone.
    Ok(rule.apply(text, &Context::default())?.into_owned())
}

fn date(bytes: &[u8]) -> Result<i32> {
    let days = i32::from_be_bytes(exact(bytes)?);
    if days == i32::MAX || days == i32::MIN {
        return Ok(days);
    }
    let days = i64::from(days) + i64::from(EPOCH_2000_DAYS);
    match i32::try_from(days) {
        Ok(kept) if (DAYS_MIN..DATE_DAYS_END).contains(&days) => Ok(kept),
        _ => Err(ValueError::new("22008", "date out of range")),
    }
}

fn time(bytes: &[u8], digits: i32) -> Result<i64> {
    let micros = i64::from_be_bytes(exact(bytes)?);
    match (0..=DAY_MICROS).contains(&micros) {
        true => Ok(crate::input::time::rounded(micros, digits)),
        false => Err(ValueError::new("22008", "time out of range")),
    }
}

fn instant(bytes: &[u8], digits: i32) -> Result<i64> {
    let micros = i64::from_be_bytes(exact(bytes)?);
    if micros == i64::MAX || micros == i64::MIN {
        return Ok(micros);
    }
    match micros.checked_add(EPOCH_2000_MICROS) {
        Some(micros) if (DAYS_MIN..TIMESTAMP_DAYS_END).contains(&micros.div_euclid(DAY_MICROS)) => {
            Ok(timestamp::rounded(micros, digits))
        }
        _ => Err(ValueError::new("22008", "timestamp out of range")),
    }
}

fn interval(bytes: &[u8]) -> Result<IntervalMonthDayNano> {
    let mut reader = Reader(bytes);
    let micros = i64::from_be_bytes(reader.array()?);
    let (days, months) = (reader.i32()?, reader.i32()?);
    reader.end()?;
    let nanos = micros
        .checked_mul(1_000)
        .ok_or_else(|| ValueError::new("22008", "interval out of range"))?;
    Ok(IntervalMonthDayNano::new(months, days, nanos))
}
