//! `extract` (to `numeric`) and `date_part` (to `double precision`) (manual, 9.9.1).

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ReturnFieldArgs;

use super::calendar::{
    Civil, DAY, JULIAN_EPOCH, is_infinite, iso_weekday, micros, midnight, weekday,
};
use super::units::{Unit, unsupported};
use crate::Result;
use crate::functions::argument::{Call, Row};
use crate::functions::decimal::Decimal;
use crate::functions::function::{Function, column_function};
use crate::functions::value::{Builder, Value};
use crate::types::PgType;

pub(super) fn functions() -> Vec<Function> {
    const EXTRACT: &str = "Field of a date, time or interval, exact.";
    const DATE_PART: &str = "Field of a date, time or interval.";
    let of = |signature, description| {
        column_function(signature, description, parts).scale(|args| Some((38, scale(args))))
    };
    vec![
        of(
            "extract(text, timestamp) -> numeric; extract(text, date) -> numeric; extract(text, time) -> numeric; extract(text, interval) -> numeric",
            EXTRACT,
        ),
        of("extract(text, timestamptz) -> numeric", EXTRACT).stable(),
        of(
            "date_part(text, timestamp) -> float8; date_part(text, date) -> float8; date_part(text, time) -> float8; date_part(text, interval) -> float8",
            DATE_PART,
        ),
        of("date_part(text, timestamptz) -> float8", DATE_PART).stable(),
    ]
}

/// Digits of the fraction, by the field's name; the grammar has it as a constant.
fn scale(args: &ReturnFieldArgs<'_>) -> i8 {
    let name = match args.scalar_arguments.first() {
        Some(Some(
            ScalarValue::Utf8(Some(name))
            | ScalarValue::Utf8View(Some(name))
            | ScalarValue::LargeUtf8(Some(name)),
        )) => name,
        _ => return 6,
    };
    let is_date =
        args.arg_fields.get(1).is_some_and(|field| PgType::from_field(field) == PgType::DATE);
    match Unit::find(name) {
        Some(Unit::Epoch | Unit::Julian) if is_date => 0,
        Some(Unit::Epoch | Unit::Second) => 6,
        Some(Unit::Milliseconds) => 3,
        Some(Unit::Julian) => 20,
        _ => 0,
    }
}

/// A value to take a field from.
#[derive(Clone, Copy)]
struct Source {
    kind: PgType,
    /// Local time in microseconds; of an interval its time.
    local: i64,
    /// UTC, of an instant.
    utc: i64,
    /// Seconds east of UTC.
    offset: i32,
    months: i64,
    days: i64,
}

fn parts(call: &Call<'_>) -> Result<ArrayRef> {
    if let Some(parts) = parts_of_days(call) {
        return Ok(parts);
    }
    let mut builder = Builder::new(call.result.data_type(), call.rows);
    let float = call.result.data_type().is_floating();
    let mut known: Option<(&str, Unit)> = None;
    for index in 0..call.rows {
        let row = Row::new(call, index);
        if row.is_null(0) || row.is_null(1) {
            builder.push(Value::Null)?;
            continue;
        }
        let source = source(&row)?;
        let name = row.text(0);
        let unit = match known {
            Some((known, unit)) if known == name => unit,
            _ => Unit::parse(name, &source.kind.sql_name())?,
        };
        known = Some((name, unit));
        builder.push(match part(source, unit, name)? {
            Some(value) if float => {
                Value::Float(value.value as f64 / 10f64.powi(value.scale.into()))
            }
            Some(value) => Value::Numeric(value),
            None if float && grows(unit) => {
                Value::Float(if source.utc > 0 { f64::INFINITY } else { f64::NEG_INFINITY })
            }
            None => Value::Null,
        })?;
    }
    builder.finish()
}

/// A calendar field of a column of dates, exact: what birthdays and cohorts ask for. Infinities and
/// everything else go row by row.
fn parts_of_days(call: &Call<'_>) -> Option<ArrayRef> {
    const DAYS_MAX: i32 = 100_000_000;
    let [name, dates] = call.arguments else { return None };
    let dates = dates.array.as_primitive_opt::<Date32Type>().filter(|_| !dates.constant)?;
    let name = name.array.as_string_view_opt().filter(|_| name.constant && !name.is_null(0))?;
    let unit = Unit::find(name.value(0))?;
    let (DataType::Decimal128(precision, 0), true) = (call.result.data_type(), is_of_day(unit))
    else {
        return None;
    };
    if dates.iter().flatten().any(|date| !(-DAYS_MAX..DAYS_MAX).contains(&date)) {
        return None;
    }
    let part = |date: i32| date_part(Civil::of_day(i64::from(date)), unit).into();
    let parts: Decimal128Array = dates.unary(part);
    Some(Arc::new(parts.with_precision_and_scale(*precision, 0).ok()?))
}

fn is_of_day(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::Day
            | Unit::Week
            | Unit::Month
            | Unit::Quarter
            | Unit::Year
            | Unit::Weekday
            | Unit::IsoWeekday
            | Unit::DayOfYear
            | Unit::IsoYear
    )
}

/// Fields that grow with time are infinite for an infinite timestamp, the others NULL.
fn grows(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::Year
            | Unit::Decade
            | Unit::Century
            | Unit::Millennium
            | Unit::IsoYear
            | Unit::Julian
            | Unit::Epoch
    )
}

fn source(row: &Row<'_>) -> Result<Source> {
    let given = row.pg_type(1);
    let plain = |kind, local| Source { kind, local, utc: local, offset: 0, months: 0, days: 0 };
    Ok(match row.kind(1) {
        PgType::DATE => plain(PgType::DATE, midnight(row.date(1))?),
        PgType::TIME => plain(PgType::TIME, row.time(1)),
        PgType::INTERVAL => {
            let span = row.interval(1);
            Source {
                kind: PgType::INTERVAL,
                local: micros(span),
                utc: 0,
                offset: 0,
                months: span.months.into(),
                days: span.days.into(),
            }
        }
        PgType::TIMESTAMPTZ => {
            let utc = row.timestamp(1);
            let offset = if is_infinite(utc) { 0 } else { row.zone().offset_at(utc) };
            let local = utc.saturating_add(i64::from(offset) * 1_000_000);
            Source { kind: PgType::TIMESTAMPTZ, local, utc, offset, months: 0, days: 0 }
        }
        _ => plain(
            if given == PgType::TIMESTAMP { given } else { PgType::TIMESTAMP },
            row.timestamp(1),
        ),
    })
}

fn part(source: Source, unit: Unit, name: &str) -> Result<Option<Decimal>> {
    let whole = |value: i64| Ok(Some(Decimal { value: value.into(), scale: 0 }));
    let scaled = |value: i128, scale: i8| Ok(Some(Decimal { value, scale }));
    let is_moment = !matches!(source.kind, PgType::INTERVAL | PgType::TIME);
    if is_moment && is_infinite(source.utc) {
        return Ok(None);
    }
    let time =
        if source.kind == PgType::INTERVAL { source.local } else { source.local.rem_euclid(DAY) };
    let seconds = time % 60_000_000;
    match unit {
        _ if source.kind == PgType::DATE && is_clock(unit) => Err(unsupported(name, "date")),
        Unit::Microseconds => whole(seconds),
        Unit::Milliseconds => scaled(seconds.into(), 3),
        Unit::Second => scaled(seconds.into(), 6),
        Unit::Minute => whole(time / 60_000_000 % 60),
        Unit::Hour => whole(time / 3_600_000_000),
        Unit::Epoch => match source.kind {
            PgType::INTERVAL => scaled(interval_epoch(source), 6),
            PgType::DATE => whole(source.utc / 1_000_000),
            _ => scaled(source.utc.into(), 6),
        },
        Unit::Zone if source.kind == PgType::TIMESTAMPTZ => whole(source.offset.into()),
        Unit::ZoneHour if source.kind == PgType::TIMESTAMPTZ => {
            whole((source.offset / 3600).into())
        }
        Unit::ZoneMinute if source.kind == PgType::TIMESTAMPTZ => {
            whole((source.offset / 60 % 60).into())
        }
        Unit::Zone | Unit::ZoneHour | Unit::ZoneMinute => {
            Err(unsupported(name, &source.kind.sql_name()))
        }
        _ if source.kind == PgType::TIME => Err(unsupported(name, &source.kind.sql_name())),
        _ if source.kind == PgType::INTERVAL => interval_part(source, unit, name),
        Unit::Julian => julian(source),
        _ => whole(date_part(Civil::of(source.local), unit)),
    }
}

fn is_clock(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::Microseconds | Unit::Milliseconds | Unit::Second | Unit::Minute | Unit::Hour
    )
}

fn julian(source: Source) -> Result<Option<Decimal>> {
    let day = source.local.div_euclid(DAY) + JULIAN_EPOCH;
    let time = Decimal { value: source.local.rem_euclid(DAY).into(), scale: 0 };
    let fraction = time.divide(Decimal::from(DAY), 20)?;
    Ok(Some(Decimal::from(day).plus(fraction)?))
}

fn date_part(date: Civil, unit: Unit) -> i64 {
    let shown = |year: i64| if year > 0 { year } else { year - 1 };
    match unit {
        Unit::Day => date.day,
        Unit::Week => date.iso_week().1,
        Unit::Month => date.month,
        Unit::Quarter => (date.month - 1) / 3 + 1,
        Unit::Year => shown(date.year),
        Unit::Decade => date.year.div_euclid(10),
        Unit::Century if date.year > 0 => (date.year + 99) / 100,
        Unit::Century => -((99 - (date.year - 1)) / 100),
        Unit::Millennium if date.year > 0 => (date.year + 999) / 1000,
        Unit::Millennium => -((999 - (date.year - 1)) / 1000),
        Unit::Weekday => weekday(date.days()),
        Unit::IsoWeekday => iso_weekday(date.days()),
        Unit::DayOfYear => date.day_of_year(),
        Unit::IsoYear => shown(date.iso_week().0),
        _ => 0,
    }
}

fn interval_part(source: Source, unit: Unit, name: &str) -> Result<Option<Decimal>> {
    let years = source.months / 12;
    let value = match unit {
        Unit::Day => source.days,
        Unit::Month => source.months % 12,
        Unit::Quarter => source.months % 12 / 3 + 1,
        Unit::Year => years,
        Unit::Decade => years / 10,
        Unit::Century => years / 100,
        Unit::Millennium => years / 1000,
        _ => return Err(unsupported(name, "interval")),
    };
    Ok(Some(Decimal::from(value)))
}

/// Microseconds with years of 365.25 days and months of 30.
fn interval_epoch(source: Source) -> i128 {
    const YEAR: i64 = 31_557_600_000_000;
    let months = i128::from(source.months % 12) * 30 + i128::from(source.days);
    i128::from(source.months / 12) * i128::from(YEAR)
        + months * i128::from(DAY)
        + i128::from(source.local)
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn fields() {
        check(&[
            ("extract('year', date '2024-02-29')", "2024"),
            ("extract('dow', date '2024-03-03')", "0"),
            ("extract('isodow', date '2024-03-03')", "7"),
            ("extract('week', date '2024-01-01')", "1"),
            ("extract('epoch', timestamptz '1970-01-02 00:00Z')", "86400.000000"),
            ("extract('epoch', date '1970-01-02')", "86400"),
            ("extract('quarter', date '2024-05-01')", "2"),
            ("extract('doy', date '2024-12-31')", "366"),
            ("extract('second', timestamp '2024-01-01 13:14:15.5')", "15.500000"),
            ("extract('milliseconds', time '13:14:15.5')", "15500.000"),
            ("extract('century', timestamp '2000-12-31')", "20"),
            ("extract('timezone_hour', timestamptz '2024-07-01 12:00Z')", "2"),
            ("extract('epoch', interval '1 year 1 day')", "31644000.000000"),
            ("extract('julian', timestamp '2024-02-09 12:00')", "2460350.50000000000000000000"),
            ("date_part('hour', timestamp '2024-01-01 13:14:15.5')", "13"),
            ("date_part('epoch', interval '1 day')", "86400"),
            ("date_part('second', timestamp '2024-01-01 13:14:15.5')", "15.5"),
            ("date_part('hour', timestamptz '2024-01-01 12:00Z')", "13"),
        ]);
        check_errors(&[
            (
                "extract('hour', date '2024-01-01')",
                "0A000",
                "unit \"hour\" not supported for type date",
            ),
            (
                "extract('moon', date '2024-01-01')",
                "22023",
                "unit \"moon\" not recognized for type date",
            ),
        ]);
    }
}
