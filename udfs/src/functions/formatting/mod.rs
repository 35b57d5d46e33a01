//! Data type formatting (manual, 9.8): `to_char`, `to_date`, `to_timestamp`, `to_number`.
//!
//! A template is parsed once per thread and kept ([`super::cache`]); the names are English.

use super::argument::Row;
use super::cache::Cache;
use super::datetime::calendar::{DAY, is_infinite, micros, midnight};
use super::decimal::Decimal;
use super::function::{Function, function};
use super::value::Value;
use crate::{Result, ValueError};
use write_datetime::Moment;

pub mod names;
pub mod number_template;
pub mod read_datetime;
pub mod read_number;
pub mod template;
pub mod write_datetime;
pub mod write_number;

type NumberTemplate = (Vec<number_template::Piece>, number_template::Shape);

thread_local! {
    static TEMPLATES: Cache<Vec<template::Node>> = Cache::new();
    static NUMBERS: Cache<NumberTemplate> = Cache::new();
}

/// All of them.
pub fn functions() -> Vec<Function> {
    vec![
        function("to_char(timestamp, text) -> text", "Formats a timestamp by a template.", |row| {
            write(row.timestamp(0), None, row.text(1))
        }),
        function("to_char(date, text) -> text", "Formats a date by a template.", |row| {
            let instant = midnight(row.date(0))?;
            write(
                instant,
                Some((row.zone().offset_at(instant), row.zone().abbreviation(instant))),
                row.text(1),
            )
        })
        .stable(),
        function(
            "to_char(timestamptz, text) -> text",
            "Formats an instant by a template, in the session's zone.",
            |row| {
                let (instant, zone) = (row.timestamp(0), row.zone());
                write(
                    zone.to_local(instant),
                    Some((zone.offset_at(instant), zone.abbreviation(instant))),
                    row.text(1),
                )
            },
        )
        .stable(),
        function("to_char(interval, text) -> text", "Formats an interval by a template.", |row| {
            let span = row.interval(0);
            let moment = Moment::of_interval(span.months.into(), span.days.into(), micros(span));
            by_template(&moment, row.text(1))
        }),
        function(
            "to_char(int4, text) -> text; to_char(int8, text) -> text",
            "Formats a number by a template.",
            |row| number(row.int(0).into(), row.text(1)),
        ),
        function("to_char(numeric, text) -> text", "Formats a number by a template.", |row| {
            number(row.number(0).narrow()?, row.text(1))
        }),
        function(
            "to_char(float4, text) -> text; to_char(float8, text) -> text",
            "Formats a number by a template.",
            |row| {
                let value = Decimal::from_f64(row.float(0));
                number(value.ok_or_else(super::decimal::overflow)?, row.text(1))
            },
        ),
        function("to_date(text, text) -> date", "Reads a date by a template.", to_date),
        function(
            "to_timestamp(text, text) -> timestamptz",
            "Reads an instant by a template, in the session's zone.",
            to_timestamp,
        )
        .stable(),
        function(
            "to_timestamp(float8) -> timestamptz",
            "The instant so many seconds after 1970-01-01 UTC.",
            from_epoch,
        ),
        function("to_number(text, text) -> numeric", "Reads a number by a template.", |row| {
            Ok(read_number::read(row.text(0), row.text(1))?.into())
        }),
    ]
}

fn by_template(moment: &Moment, template: &str) -> Result<Value> {
    let nodes =
        TEMPLATES.with(|cache| cache.get(template, |template| Ok(template::parse(template))))?;
    Ok(write_datetime::write(moment, &nodes)?.into())
}

fn write(local: i64, zone: Option<(i32, String)>, template: &str) -> Result<Value> {
    // PostgreSQL formats no infinity.
    if is_infinite(local) || template.is_empty() {
        return Ok(Value::Null);
    }
    by_template(&Moment::of(local, zone), template)
}

fn number(value: Decimal, template: &str) -> Result<Value> {
    let parsed = NUMBERS.with(|cache| cache.get(template, number_template::parse))?;
    Ok(write_number::write(value, &parsed.0, &parsed.1)?.into())
}

fn read(row: &Row<'_>) -> Result<(i64, Option<i64>)> {
    let nodes =
        TEMPLATES.with(|cache| cache.get(row.text(1), |template| Ok(template::parse(template))))?;
    read_datetime::read(row.text(0), &nodes)
}

fn to_date(row: &Row<'_>) -> Result<Value> {
    let (local, _) = read(row)?;
    Ok(Value::Date(super::datetime::calendar::date(local.div_euclid(DAY))?))
}

fn to_timestamp(row: &Row<'_>) -> Result<Value> {
    let (local, offset) = read(row)?;
    Ok(Value::Micros(match offset {
        Some(seconds) => local - seconds * 1_000_000,
        None => row.zone().to_utc(local),
    }))
}

fn from_epoch(row: &Row<'_>) -> Result<Value> {
    let seconds = row.float(0);
    if seconds.is_nan() {
        return Err(ValueError::new("22008", "timestamp cannot be NaN"));
    }
    if seconds.is_infinite() {
        return Ok(Value::Micros(if seconds > 0.0 { i64::MAX } else { i64::MIN }));
    }
    let micros = (seconds * 1e6).round();
    if !(-2.2e17..9.22e18).contains(&micros) {
        return Err(ValueError::new("22008", format!("timestamp out of range: \"{seconds}\"")));
    }
    Ok(Value::Micros(micros as i64))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn to_char_of_times() {
        check(&[
            (
                "to_char(timestamp '2024-02-09 13:04:05', 'YYYY-MM-DD HH24:MI:SS')",
                "2024-02-09 13:04:05",
            ),
            (
                "to_char(timestamp '2024-02-09 13:04:05', 'Mon DD, YYYY HH12:MI AM')",
                "Feb 09, 2024 01:04 PM",
            ),
            ("to_char(date '2024-02-09', 'Day')", "Friday   "),
            ("to_char(date '2024-02-09','IYYY-IW')", "2024-06"),
            ("to_char(date '2024-02-09','FMMonth FMDD')", "February 9"),
            (
                "to_char(timestamp '2024-02-09 13:04:05.678','RM|rm|TZ|OF|TZH|J|CC|W|WW|ID|D|DDDth|IDDD|Y,YYY|SSSS|MS|US|FF2|a.m.|PM|BC|TMMonth|DAY|day')",
                "II  |ii  ||+00|+00|2460350|21|2|06|5|6|040th|040|2,024|47045|678|678000|67|p.m.|PM|AD|February|FRIDAY   |friday   ",
            ),
            (
                "to_char(make_interval(1,2,0,3,40,5,6),'YYYY MM DD HH24 MI SS DDD Q CC')",
                "0001 02 03 40 05 06 423 1 00",
            ),
            ("to_char(timestamp '2024-02-01', 'DDth \"of\" Month')", "01st of February "),
            ("to_char(timestamp '2024-12-30', 'IYYY IYY IY I Q')", "2025 025 25 5 4"),
        ]);
        check_errors(&[(
            "to_char(interval '1 day', 'Day')",
            "22007",
            "invalid format specification for an interval value",
        )]);
    }

    #[test]
    fn to_char_of_numbers() {
        check(&[
            ("to_char(1234567.891::numeric(10,3), 'FM9,999,999.00')", "1,234,567.89"),
            ("to_char(0.5::numeric(2,1), '0.99')", " 0.50"),
            ("to_char(-5, '999')", "  -5"),
            ("to_char(42, '00000')", " 00042"),
            ("to_char(-0.1::numeric(2,1), '99.99')", "  -.10"),
            ("to_char(-0.1::numeric(2,1), 'FM9.99')", "-.1"),
            ("to_char(0.1::numeric(2,1), '0.9')", " 0.1"),
            ("to_char(12, '9990999.9')", "    0012.0"),
            ("to_char(12, 'FM9990999.9')", "0012."),
            ("to_char(485, '999')", " 485"),
            ("to_char(-485, '999')", "-485"),
            ("to_char(485, '9 9 9')", " 4 8 5"),
            ("to_char(1485, '9,999')", " 1,485"),
            ("to_char(1485, '9G999')", " 1,485"),
            ("to_char(148.5::numeric(4,1), '999.999')", " 148.500"),
            ("to_char(148.5::numeric(4,1), 'FM999.999')", "148.5"),
            ("to_char(148.5::numeric(4,1), 'FM999.990')", "148.500"),
            ("to_char(3148.5::numeric(5,1), '9G999D999')", " 3,148.500"),
            ("to_char(-485, '999S')", "485-"),
            ("to_char(-485, '999MI')", "485-"),
            ("to_char(485, '999MI')", "485 "),
            ("to_char(485, 'FM999MI')", "485"),
            ("to_char(485, 'PL999')", "+ 485"),
            ("to_char(485, 'SG999')", "+485"),
            ("to_char(-485, 'SG999')", "-485"),
            ("to_char(-485, '9SG99')", "4-85"),
            ("to_char(-485, '999PR')", "<485>"),
            ("to_char(485, 'L999')", "  485"),
            ("to_char(485, 'RN')", "        CDLXXXV"),
            ("to_char(485, 'FMRN')", "CDLXXXV"),
            ("to_char(482, '999th')", " 482nd"),
            ("to_char(485, '\"Good number:\"999')", "Good number: 485"),
            ("to_char(12, '99V999')", " 12000"),
            ("to_char(12.45::numeric(4,2), '99V9')", " 125"),
            ("to_char(0.0004859::numeric(8,7), '9.99EEEE')", " 4.86e-04"),
            ("to_char(1234, '999')", " ###"),
            ("to_char(0, '9')", " 0"),
            ("to_char(12.5, '99.9')", " 12.5"),
            ("to_char(-12, 'S99')", "-12"),
        ]);
    }

    #[test]
    fn reading_by_template() {
        check(&[
            ("to_date('09/02/2024','DD/MM/YYYY')", "2024-02-09"),
            ("to_date('2024 Feb','YYYY Mon')", "2024-02-01"),
            ("to_date('05 Dec 2000', 'DD Mon YYYY')", "2000-12-05"),
            ("to_date('20240209', 'YYYYMMDD')", "2024-02-09"),
            ("to_date('2024-06-5', 'IYYY-IW-ID')", "2024-02-09"),
            ("to_date('99-1-2', 'YY-MM-DD')", "1999-01-02"),
            ("to_date('2024040', 'YYYYDDD')", "2024-02-09"),
            ("to_timestamp('2024-02-09 10:11','YYYY-MM-DD HH24:MI')", "2024-02-09 10:11:00+01"),
            (
                "to_timestamp('2024-02-09 10:11:12.345','YYYY-MM-DD HH24:MI:SS.MS')",
                "2024-02-09 10:11:12.345+01",
            ),
            (
                "to_timestamp('2024-02-09 01:11 PM','YYYY-MM-DD HH12:MI AM')",
                "2024-02-09 13:11:00+01",
            ),
            ("to_timestamp(0)", "1970-01-01 01:00:00+01"),
            ("to_timestamp(1.5)", "1970-01-01 01:00:01.5+01"),
            ("to_number('1,234.5','9,999.9')", "1234.5"),
            ("to_number('12,454.8-', '99G999D9S')", "-12454.8"),
            ("to_number('$ 12', 'L99')", "12"),
            ("to_number('-5', '99')", "-5"),
        ]);
        check_errors(&[
            (
                "to_date('2024-13-01', 'YYYY-MM-DD')",
                "22008",
                "date/time field value out of range: \"2024-13-01\"",
            ),
            ("to_date('x', 'YYYY')", "22007", "invalid value \"x\" for \"YYYY\""),
            (
                "to_timestamp('13:00', 'HH12:MI')",
                "22007",
                "hour \"13\" is invalid for the 12-hour clock",
            ),
        ]);
    }
}
