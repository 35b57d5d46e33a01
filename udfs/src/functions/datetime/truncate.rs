//! `date_trunc` and `date_bin` (manual, 9.9.2, 9.9.3).

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{IntervalMonthDayNano, TimestampMicrosecondType};

use super::calendar::{Civil, DAY, in_range, interval, is_infinite, iso_weekday, micros};
use super::units::{Unit, unsupported};
use super::zone::Zone;
use crate::functions::argument::{Call, Row};
use crate::functions::function::{Function, column_function, function};
use crate::functions::value::{Value, internal};
use crate::{Result, ValueError};

const TIMESTAMP: &str = "timestamp without time zone";
const TIMESTAMPTZ: &str = "timestamp with time zone";

pub(super) fn functions() -> Vec<Function> {
    vec![
        column_function(
            "date_trunc(text, timestamp) -> timestamp",
            "Cuts a timestamp to a precision.",
            |call| column(call, TIMESTAMP, truncate),
        ),
        column_function(
            "date_trunc(text, timestamptz) -> timestamptz",
            "Cuts an instant to a precision, in the session's zone.",
            |call| {
                let zone = *call.zone();
                column(call, TIMESTAMPTZ, move |instant, unit, name, type_name| {
                    truncate_zoned(instant, unit, name, type_name, &zone)
                })
            },
        )
        .stable(),
        function(
            "date_trunc(text, timestamptz, text) -> timestamptz",
            "Cuts an instant to a precision, in a zone.",
            |row| {
                let unit = Unit::parse(row.text(0), TIMESTAMPTZ)?;
                let zone = Zone::parse(row.text(2))?;
                Ok(Value::Micros(truncate_zoned(
                    row.timestamp(1),
                    unit,
                    row.text(0),
                    TIMESTAMPTZ,
                    &zone,
                )?))
            },
        ),
        function(
            "date_trunc(text, interval) -> interval",
            "Cuts an interval to a precision.",
            |row| truncate_interval(row.interval(1), row.text(0)),
        ),
        function(
            "date_bin(interval, timestamp, timestamp) -> timestamp; date_bin(interval, timestamptz, timestamptz) -> timestamptz",
            "Start of the bin of this width, counted from an origin, that a timestamp is in.",
            bin,
        ),
    ]
}

/// One unit for the whole column, as nearly all calls have it.
fn column(
    call: &Call<'_>,
    type_name: &str,
    truncate: impl Fn(i64, Unit, &str, &str) -> Result<i64>,
) -> Result<ArrayRef> {
    let [unit, values] = call.arguments else { return Err(internal("two arguments expected")) };
    if !unit.constant || values.constant {
        let mut builder = crate::functions::value::Builder::new(call.result.data_type(), call.rows);
        for index in 0..call.rows {
            let row = Row::new(call, index);
            let null = row.is_null(0) || row.is_null(1);
            builder.push(if null {
                Value::Null
            } else {
                let unit = Unit::parse(row.text(0), type_name)?;
                Value::Micros(truncate(row.timestamp(1), unit, row.text(0), type_name)?)
            })?;
        }
        return builder.finish();
    }
    let name = Row::new(call, 0).text(0);
    let unit = Unit::parse(name, type_name)?;
    let values = values
        .array
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| internal("timestamps expected"))?;
    let cut = values.try_unary::<_, TimestampMicrosecondType, _>(|value| {
        truncate(value, unit, name, type_name)
    })?;
    Ok(Arc::new(cut.with_data_type(call.result.data_type().clone())))
}

fn truncate_zoned(
    instant: i64,
    unit: Unit,
    name: &str,
    type_name: &str,
    zone: &Zone,
) -> Result<i64> {
    if is_infinite(instant) {
        return Ok(instant);
    }
    let local = truncate(zone.to_local(instant), unit, name, type_name)?;
    // Parts of an hour are cut without leaving the offset, which differs around clock changes.
    if matches!(
        unit,
        Unit::Hour | Unit::Minute | Unit::Second | Unit::Milliseconds | Unit::Microseconds
    ) {
        return Ok(local - (zone.to_local(instant) - instant));
    }
    Ok(zone.to_utc(local))
}

fn truncate(timestamp: i64, unit: Unit, name: &str, type_name: &str) -> Result<i64> {
    if is_infinite(timestamp) {
        return Ok(timestamp);
    }
    let by = |step: i64| Ok(timestamp - timestamp.rem_euclid(step));
    let start = |year: i64, month: i64| Civil { year, month, day: 1, micros: 0 }.timestamp();
    match unit {
        Unit::Microseconds => Ok(timestamp),
        Unit::Milliseconds => by(1_000),
        Unit::Second => by(1_000_000),
        Unit::Minute => by(60_000_000),
        Unit::Hour => by(3_600_000_000),
        Unit::Day => by(DAY),
        Unit::Week => {
            let day = timestamp.div_euclid(DAY);
            in_range((day - iso_weekday(day) + 1).checked_mul(DAY))
        }
        Unit::Month | Unit::Quarter | Unit::Year => {
            let date = Civil::of(timestamp);
            let month = match unit {
                Unit::Month => date.month,
                Unit::Quarter => (date.month - 1) / 3 * 3 + 1,
                _ => 1,
            };
            start(date.year, month)
        }
        Unit::Decade | Unit::Century | Unit::Millennium => {
            start(first_year(Civil::of(timestamp).year, unit), 1)
        }
        _ => Err(unsupported(name, type_name)),
    }
}

/// First year of the decade, century or millennium; centuries begin with year 1.
fn first_year(year: i64, unit: Unit) -> i64 {
    match unit {
        Unit::Decade => year.div_euclid(10) * 10,
        Unit::Century => (year - 1).div_euclid(100) * 100 + 1,
        _ => (year - 1).div_euclid(1000) * 1000 + 1,
    }
}

fn truncate_interval(span: IntervalMonthDayNano, name: &str) -> Result<Value> {
    let unit = Unit::parse(name, "interval")?;
    let (months, days, time) = (i64::from(span.months), i64::from(span.days), micros(span));
    let by = |step: i64| interval(months, days, time / step * step);
    let months_by = |step: i64| interval(months / step * step, 0, 0);
    let cut = match unit {
        Unit::Microseconds => Ok(span),
        Unit::Milliseconds => by(1_000),
        Unit::Second => by(1_000_000),
        Unit::Minute => by(60_000_000),
        Unit::Hour => by(3_600_000_000),
        Unit::Day => interval(months, days, 0),
        Unit::Month => months_by(1),
        Unit::Quarter => months_by(3),
        Unit::Year => months_by(12),
        Unit::Decade => months_by(120),
        Unit::Century => months_by(1200),
        Unit::Millennium => months_by(12_000),
        Unit::Week => {
            Err(unsupported(name, "interval").with_detail("Months usually have fractional weeks."))
        }
        _ => Err(unsupported(name, "interval")),
    };
    Ok(cut?.into())
}

fn bin(row: &Row<'_>) -> Result<Value> {
    let (stride, source, origin) = (row.interval(0), row.timestamp(1), row.timestamp(2));
    if is_infinite(source) {
        return Ok(Value::Micros(source));
    }
    if is_infinite(origin) {
        return Err(ValueError::new("22008", "origin out of range"));
    }
    if stride.months != 0 {
        return Err(ValueError::new(
            "0A000",
            "timestamps cannot be binned into intervals containing months or years",
        ));
    }
    let width = i64::from(stride.days) * DAY + micros(stride);
    if width <= 0 {
        return Err(ValueError::new("22008", "stride must be greater than zero"));
    }
    let since = i128::from(source) - i128::from(origin);
    let start = i128::from(origin) + since.div_euclid(width.into()) * i128::from(width);
    Ok(Value::Micros(in_range(i64::try_from(start).ok())?))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn truncation() {
        check(&[
            ("date_trunc('month', timestamp '2024-02-29 13:14:15')", "2024-02-01 00:00:00"),
            ("date_trunc('week', date '2024-02-29')", "2024-02-26 00:00:00+01"),
            ("date_trunc('quarter', timestamptz '2024-02-29 13:00Z')", "2024-01-01 00:00:00+01"),
            (
                "date_trunc('day', timestamptz '2024-02-29 23:00Z', 'America/New_York')",
                "2024-02-29 06:00:00+01",
            ),
            ("date_trunc('day', timestamptz '2024-03-31 12:00Z')", "2024-03-31 00:00:00+01"),
            ("date_trunc('century', timestamp '2024-02-29')", "2001-01-01 00:00:00"),
            ("date_trunc('decade', timestamp '2024-02-29')", "2020-01-01 00:00:00"),
            ("date_trunc('hour', make_interval(0,0,0,2,3,4,5))", "2 days 03:00:00"),
            ("date_trunc('year', interval '3 years 4 months')", "3 years"),
            (
                "date_bin('15 minutes', timestamp '2024-01-01 10:07', timestamp '2001-01-01')",
                "2024-01-01 10:00:00",
            ),
            (
                "date_bin('1 day', timestamp '2000-12-31 10:07', timestamp '2001-01-01 12:00')",
                "2000-12-30 12:00:00",
            ),
        ]);
        check_errors(&[
            (
                "date_trunc('moon', timestamp '2024-01-01')",
                "22023",
                "unit \"moon\" not recognized for type timestamp without time zone",
            ),
            (
                "date_trunc('dow', timestamp '2024-01-01')",
                "0A000",
                "unit \"dow\" not supported for type timestamp without time zone",
            ),
            (
                "date_trunc('week', interval '1 day')",
                "0A000",
                "unit \"week\" not supported for type interval",
            ),
            (
                "date_bin('1 month', timestamp '2024-01-01', timestamp '2001-01-01')",
                "0A000",
                "timestamps cannot be binned into intervals containing months or years",
            ),
        ]);
    }
}
