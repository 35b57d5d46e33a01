//! Ranges (src/backend/utils/adt/rangetypes.c, `range_send`): a byte of flags, and each bound with its
//! length.

use super::{Reader, incorrect, numeric};
use crate::calendar::{EPOCH_2000_DAYS, EPOCH_2000_MICROS};
use crate::numeric::Number;
use crate::range::{Cut, Kind};
use crate::types::PgType;
use crate::{Result, ValueError};

const EMPTY: u8 = 0x01;
const WITH_LOWER: u8 = 0x02;
const WITH_UPPER: u8 = 0x04;
const NO_LOWER: u8 = 0x08;
const NO_UPPER: u8 = 0x10;

/// The bytes of a range.
pub(super) fn send(kind: Kind, text: &str) -> Result<Vec<u8>> {
    let Some((low, high)) = kind.kept(text)? else { return Ok(vec![EMPTY]) };
    let flags = match &low {
        Cut::At(_, behind) => u8::from(!*behind) * WITH_LOWER,
        _ => NO_LOWER,
    } | match &high {
        Cut::At(_, behind) => u8::from(*behind) * WITH_UPPER,
        _ => NO_UPPER,
    };
    let mut bytes = vec![flags];
    for cut in [low, high] {
        if let Cut::At(number, _) = cut {
            let point = point(kind, &number);
            bytes.extend((point.len() as i32).to_be_bytes());
            bytes.extend(point);
        }
    }
    Ok(bytes)
}

fn point(kind: Kind, number: &Number) -> Vec<u8> {
    let value = kind.integer(number);
    match kind.element {
        PgType::NUMERIC => {
            let mut out = Vec::new();
            numeric::send(number.to_string().as_bytes(), &mut out);
            out
        }
        PgType::INT4 => (value as i32).to_be_bytes().to_vec(),
        PgType::DATE => {
            let days = value as i32;
            let ends = days == i32::MIN || days == i32::MAX;
            (if ends { days } else { days - EPOCH_2000_DAYS }).to_be_bytes().to_vec()
        }
        PgType::INT8 => value.to_be_bytes().to_vec(),
        _ => {
            let ends = value == i64::MIN || value == i64::MAX;
            (if ends { value } else { value - EPOCH_2000_MICROS }).to_be_bytes().to_vec()
        }
    }
}

/// The text that keeps a range.
pub(super) fn receive(kind: Kind, reader: &mut Reader<'_>) -> Result<String> {
    let [flags] = reader.array()?;
    if flags & EMPTY != 0 {
        return Ok(kind.to_kept(&None));
    }
    let mut bound = |without: u8| -> Result<Option<Number>> {
        if flags & without != 0 {
            return Ok(None);
        }
        let length = usize::try_from(reader.i32()?).map_err(|_| incorrect())?;
        received(kind, reader.bytes(length)?).map(Some)
    };
    let (lower, upper) = (bound(NO_LOWER)?, bound(NO_UPPER)?);
    let range = kind.made((lower, flags & WITH_LOWER != 0), (upper, flags & WITH_UPPER != 0))?;
    Ok(kind.to_kept(&range))
}

fn received(kind: Kind, bytes: &[u8]) -> Result<Number> {
    let four = || bytes.try_into().map(i32::from_be_bytes).map_err(|_| incorrect());
    let eight = || bytes.try_into().map(i64::from_be_bytes).map_err(|_| incorrect());
    let out_of_range = || ValueError::new("22008", "timestamp out of range");
    Ok(match kind.element {
        PgType::NUMERIC => Number::parse(&numeric::receive(bytes)?)?,
        PgType::INT4 => i64::from(four()?).into(),
        PgType::DATE => match four()? {
            days @ (i32::MIN | i32::MAX) => i64::from(days).into(),
            days => (i64::from(days) + i64::from(EPOCH_2000_DAYS)).into(),
        },
        PgType::INT8 => eight()?.into(),
        _ => match eight()? {
            micros @ (i64::MIN | i64::MAX) => micros.into(),
            micros => micros.checked_add(EPOCH_2000_MICROS).ok_or_else(out_of_range)?.into(),
        },
    })
}
