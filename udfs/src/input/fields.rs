//! The fast road of dates and times: fixed ISO forms, read byte by byte.
//!
//! Every function returns `None` for what it does not know; the general parser then decides, and
//! words the error.

use crate::calendar;

/// Reads exactly `COUNT` digits from the front.
fn digits<const COUNT: usize>(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<COUNT>()?;
    let mut value = 0;
    for byte in head {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u32::from(digit);
    }
    Some((value, rest))
}

fn expect(bytes: &[u8], byte: u8) -> Option<&[u8]> {
    match bytes.split_first() {
        Some((first, rest)) if *first == byte => Some(rest),
        _ => None,
    }
}

/// `2024-01-02` → days since 1970, and what follows.
pub(crate) fn date(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (year, rest) = digits::<4>(bytes)?;
    let (month, rest) = digits::<2>(expect(rest, b'-')?)?;
    let (day, rest) = digits::<2>(expect(rest, b'-')?)?;
    let year = i64::from(year);
    if year == 0 || day == 0 || day > calendar::days_in_month(year, month) {
        return None;
    }
    Some((calendar::days(year, month, day), rest))
}

/// `03:04`, `03:04:05`, `03:04:05.123456` → microseconds of the day, and what follows.
pub(crate) fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, rest) = digits::<2>(bytes)?;
    let (minute, rest) = digits::<2>(expect(rest, b':')?)?;
    let (second, rest) = match expect(rest, b':') {
        Some(rest) => digits::<2>(rest)?,
        None => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, rest) = match expect(rest, b'.') {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some((seconds * 1_000_000 + micros, rest))
}

/// One to six digits after the point → microseconds.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (mut micros, mut count, mut rest) = (0, 0, bytes);
    while let Some((byte, after)) = rest.split_first() {
        if !byte.is_ascii_digit() {
            break;
        }
        micros = micros * 10 + i64::from(byte - b'0');
        count += 1;
        rest = after;
        if count > 6 {
            return None;
        }
    }
    (count > 0).then(|| (micros * [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1][count], rest))
}

/// Nothing, `Z`, `+00`, `-04:30`, `+0530` → seconds east of Greenwich; `Some(None)` for nothing.
pub(crate) fn zone(bytes: &[u8]) -> Option<Option<i64>> {
    let (sign, rest) = match bytes {
        [] => return Some(None),
        [b'Z'] => return Some(Some(0)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits::<2>(rest)?;
    let minutes = match rest {
        [] => 0,
        [b':', rest @ ..] | rest => {
            let (minutes, []) = digits::<2>(rest)? else { return None };
            minutes
        }
    };
    let in_range = hours <= 15 && minutes <= 59;
    in_range.then(|| Some(sign * (i64::from(hours) * 3_600 + i64::from(minutes) * 60)))
}

/// Date, blank or `T`, time, zone → local microseconds since 1970, and the zone's offset.
pub(crate) fn timestamp(bytes: &[u8]) -> Option<(i64, Option<i64>)> {
    let (days, rest) = date(bytes)?;
    let midnight = days * calendar::DAY_MICROS;
    let rest = match rest {
        [] => return Some((midnight, None)),
        [b' ' | b'T', rest @ ..] => rest,
        _ => return None,
    };
    let (micros, rest) = time(rest)?;
    Some((midnight + micros, zone(rest)?))
}
