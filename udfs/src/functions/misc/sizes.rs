//! `pg_size_pretty`, `pg_size_bytes`, `pg_column_size` (manual, 9.27.7).

use crate::functions::argument::Row;
use crate::functions::decimal::Decimal;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("pg_size_pretty(int8) -> text", "A number of bytes for people.", |row| {
            Ok(pretty(row.int(0).into()).into())
        }),
        function("pg_size_pretty(numeric) -> text", "A number of bytes for people.", |row| {
            Ok(pretty(row.number(0).narrow()?.truncated(0).value).into())
        }),
        function("pg_size_bytes(text) -> int8", "The number of bytes that a size means.", |row| {
            bytes(row.text(0))
        }),
        function("pg_column_size(\"any\") -> int4", "Bytes that the value takes.", column_size)
            .nulls(),
    ]
}

/// Below 10 units the smaller unit is shown, rounded half away from zero.
fn pretty(bytes: i128) -> String {
    let (mut size, mut unit) = (bytes, 0);
    if size.abs() >= 10 * 1024 {
        // One bit more is kept for rounding.
        size /= 512;
        unit = 1;
        while size.abs() >= 20 * 1024 - 1 && unit < UNITS.len() - 1 {
            size /= 1024;
            unit += 1;
        }
        size = (size + size.signum()) / 2;
    }
    format!("{size} {}", UNITS.get(unit).unwrap_or(&""))
}

fn bytes(text: &str) -> Result<Value> {
    let invalid = || ValueError::invalid_parameter(format!("invalid size: \"{text}\""));
    let trimmed = text.trim();
    let letters =
        trimmed.find(|letter: char| letter.is_ascii_alphabetic() && !matches!(letter, 'e' | 'E'));
    let (number, unit) = trimmed.split_at(letters.unwrap_or(trimmed.len()));
    let number = Decimal::parse(number.trim()).ok_or_else(invalid)?;
    let known = |name: &&str| {
        name.eq_ignore_ascii_case(unit) || unit.eq_ignore_ascii_case("b") && **name == *"bytes"
    };
    let power = if unit.is_empty() { Some(0) } else { UNITS.iter().position(known) };
    let power = power.ok_or_else(|| {
        invalid().with_detail(format!("Invalid size unit: \"{unit}\".")).with_hint(
            "Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".",
        )
    })?;
    let factor = 1024i128.checked_pow(u32::try_from(power).unwrap_or(0)).unwrap_or(1);
    let size = number.multiply(Decimal { value: factor, scale: 0 })?.at(0)?;
    Ok(i64::try_from(size.value).map_err(|_| ValueError::out_of_range("bigint"))?.into())
}

/// The length of the type, or of the text with its header of 4 bytes.
fn column_size(row: &Row<'_>) -> Result<Value> {
    let Some(text) = row.shown(0)? else { return Ok(Value::Null) };
    let length = row.pg_type(0).length();
    Ok(if length > 0 {
        i64::from(length).into()
    } else {
        i64::try_from(text.len() + 4).ok().into()
    })
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn sizes() {
        check(&[
            ("pg_size_pretty(123456789::bigint)", "118 MB"),
            ("pg_size_pretty(10239::bigint)", "10239 bytes"),
            ("pg_size_pretty(10240::bigint)", "10 kB"),
            ("pg_size_pretty(-123456789::bigint)", "-118 MB"),
            ("pg_size_bytes('1.5 kB')", "1536"),
            ("pg_size_bytes('10')", "10"),
            ("pg_size_bytes('2GB')", "2147483648"),
            ("pg_column_size(1)", "4"),
        ]);
        check_errors(&[("pg_size_bytes('1 AB')", "22023", "invalid size: \"1 AB\"")]);
    }
}
