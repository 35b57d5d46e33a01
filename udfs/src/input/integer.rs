//! `smallint`, `integer`, `bigint`, `oid` and the types that are numbers inside.

use crate::{Result, ValueError};

/// Reads an integer between two bounds; blanks around it are allowed.
pub(crate) fn parse(text: &str, bounds: (i64, i64), type_name: &str) -> Result<i64> {
    let bytes = text.as_bytes();
    match short(bytes).or_else(|| short(super::text::trim(text).as_bytes())) {
        Some(value) if (bounds.0..=bounds.1).contains(&value) => Ok(value),
        Some(_) => Err(out_of_range(text, type_name)),
        None => long(text, bounds, type_name),
    }
}

/// At most 18 digits with a sign: no overflow is possible, which keeps the loop short.
fn short(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

fn long(text: &str, bounds: (i64, i64), type_name: &str) -> Result<i64> {
    let number = super::text::trim(text);
    let unsigned = number.strip_prefix(['-', '+']).unwrap_or(number);
    let digits = unsigned.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let length = number.len() - digits.len();
    if unsigned.len() == digits.len() {
        return Err(ValueError::invalid_text(type_name, text));
    }
    // Digits that overflow are reported before what follows them, as in pg_strtoint32.
    match number.get(..length).map(str::parse::<i64>) {
        Some(Ok(value)) if (bounds.0..=bounds.1).contains(&value) => match digits {
            "" => Ok(value),
            _ => Err(ValueError::invalid_text(type_name, text)),
        },
        _ => Err(out_of_range(text, type_name)),
    }
}

fn out_of_range(text: &str, type_name: &str) -> ValueError {
    ValueError::new("22003", format!("value \"{text}\" is out of range for type {type_name}"))
}

/// Reads an `oid`, or one of the `reg*` types as a number; negative numbers wrap as in PostgreSQL.
/// `-` is no object at all (regprocin and neighbours).
pub(crate) fn parse_oid(text: &str, type_name: &str) -> Result<i64> {
    if text == "-" && type_name.starts_with("reg") {
        return Ok(0);
    }
    let value = parse(text, (i64::from(i32::MIN), i64::from(u32::MAX)), type_name)?;
    Ok(if value < 0 { value + (1 << 32) } else { value })
}

/// Reads a row's place, `(block,offset)`, as `block << 16 | offset`.
pub(crate) fn parse_tid(text: &str) -> Result<i64> {
    let invalid = || ValueError::invalid_text("tid", text);
    let inner =
        text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(invalid)?;
    let (block, offset) = inner.split_once(',').ok_or_else(invalid)?;
    let block: u32 = block.trim().parse().map_err(|_| invalid())?;
    let offset: u16 = offset.trim().parse().map_err(|_| invalid())?;
    Ok(i64::from(block) << 16 | i64::from(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT4: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);

    #[test]
    fn integers() {
        for (text, value) in [
            ("0", 0),
            (" -17 ", -17),
            ("+5", 5),
            ("2147483647", 2_147_483_647),
            ("0000000000000000000007", 7),
        ] {
            assert_eq!(parse(text, INT4, "integer"), Ok(value), "{text}");
        }
        assert_eq!(parse("-9223372036854775808", (i64::MIN, i64::MAX), "bigint"), Ok(i64::MIN));
    }

    #[test]
    fn refusals() {
        for text in ["", " ", "abc", "1.5", "1 2", "--1", "- 1", "0x1F"] {
            let error = parse(text, INT4, "integer").unwrap_err();
            assert_eq!(error.message, format!("invalid input syntax for type integer: \"{text}\""));
            assert_eq!(error.sqlstate, "22P02");
        }
        for text in ["2147483648", "99999999999999999999999"] {
            let error = parse(text, INT4, "integer").unwrap_err();
            assert_eq!(error.message, format!("value \"{text}\" is out of range for type integer"));
            assert_eq!(error.sqlstate, "22003");
        }
    }

    #[test]
    fn object_numbers() {
        assert_eq!(parse_oid("4294967295", "oid"), Ok(4_294_967_295));
        assert_eq!(parse_oid("-1", "oid"), Ok(4_294_967_295));
        assert_eq!(parse_oid("-", "regclass"), Ok(0));
        assert!(parse_oid("4294967296", "oid").is_err());
        assert_eq!(parse_tid("(1,2)"), Ok(65_538));
    }
}
