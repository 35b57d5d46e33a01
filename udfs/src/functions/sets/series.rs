//! `generate_series` (manual, 9.25).

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use crate::functions::argument::Row;
use crate::functions::arithmetic::dates::{add, add_zoned};
use crate::functions::arithmetic::numerics::largest_scale;
use crate::functions::datetime::calendar::{is_infinite, length};
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::numeric::Number;
use crate::{Result, ValueError};

/// Most rows of one series: it is one array here.
const ROWS_MAX: usize = 50_000_000;

pub(super) fn functions() -> Vec<Function> {
    const SERIES: &str = "Values from start to stop, a step apart.";
    vec![
        function("generate_series(int4, int4) -> SETOF int4; generate_series(int4, int4, int4) -> SETOF int4", SERIES, integers),
        function("generate_series(int8, int8) -> SETOF int8; generate_series(int8, int8, int8) -> SETOF int8", SERIES, integers),
        function("generate_series(numeric, numeric) -> SETOF numeric; generate_series(numeric, numeric, numeric) -> SETOF numeric", SERIES, numerics)
            .scale(|args| largest_scale(args.arg_fields)),
        function("generate_series(timestamp, timestamp, interval) -> SETOF timestamp", SERIES, |row| {
            times(row, add)
        }),
        function("generate_series(timestamptz, timestamptz, interval) -> SETOF timestamptz", SERIES, |row| {
            times(row, |instant, step| add_zoned(instant, step, row.zone()))
        }).stable(),
    ]
}

fn zero_step() -> ValueError {
    ValueError::invalid_parameter("step size cannot equal zero")
}

fn limited(values: Vec<Value>) -> Result<Vec<Value>> {
    if values.len() > ROWS_MAX {
        return Err(ValueError::new(
            "54000",
            format!("generate_series makes at most {ROWS_MAX} rows"),
        ));
    }
    Ok(values)
}

fn integers(row: &Row<'_>) -> Result<Value> {
    let (start, stop) = (row.int(0), row.int(1));
    let step = if row.len() > 2 { row.int(2) } else { 1 };
    if step == 0 {
        return Err(zero_step());
    }
    let mut values = vec![];
    let mut next = Some(start);
    while let Some(value) =
        next.filter(|value| if step > 0 { *value <= stop } else { *value >= stop })
    {
        values.push(value.into());
        if values.len() > ROWS_MAX {
            break;
        }
        next = value.checked_add(step);
    }
    Ok(Value::List(limited(values)?))
}

fn numerics(row: &Row<'_>) -> Result<Value> {
    let (start, stop) = (row.number(0), row.number(1));
    let step = if row.len() > 2 { row.number(2) } else { Number::from(1) };
    finite(&start, "start value")?;
    finite(&stop, "stop value")?;
    finite(&step, "step size")?;
    if step.signum() == 0 {
        return Err(ValueError::invalid_parameter("step size cannot equal zero"));
    }
    let mut values = vec![];
    let mut next = start;
    while if step.signum() > 0 { next <= stop } else { next >= stop } {
        values.push(next.clone().into());
        if values.len() > ROWS_MAX {
            break;
        }
        next = next.plus(&step)?;
    }
    Ok(Value::List(limited(values)?))
}

fn finite(number: &Number, name: &str) -> Result<()> {
    let what = match number {
        Number::Finite(_) => return Ok(()),
        Number::NaN => "NaN",
        _ => "infinity",
    };
    Err(ValueError::invalid_parameter(format!("{name} cannot be {what}")))
}

/// Each value is the one before plus the step: months do not drift back to the first day.
fn times(row: &Row<'_>, add: impl Fn(i64, IntervalMonthDayNano) -> Result<i64>) -> Result<Value> {
    let (start, stop, step) = (row.timestamp(0), row.timestamp(1), row.interval(2));
    let direction = length(step).signum();
    if direction == 0 {
        return Err(zero_step());
    }
    if is_infinite(start) || is_infinite(stop) {
        return Err(ValueError::new("22008", "timestamp out of range"));
    }
    let mut values = vec![];
    let mut next = start;
    while if direction > 0 { next <= stop } else { next >= stop } {
        values.push(Value::Micros(next));
        if values.len() > ROWS_MAX {
            break;
        }
        next = add(next, step)?;
    }
    Ok(Value::List(limited(values)?))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check_errors, check_rows};

    #[test]
    fn series() {
        check_rows(&[
            ("generate_series(1,5,2)", &["1", "3", "5"]),
            ("generate_series(3,1,-1)", &["3", "2", "1"]),
            ("generate_series(2,1)", &[]),
            (
                "generate_series(9223372036854775806, 9223372036854775807)",
                &["9223372036854775806", "9223372036854775807"],
            ),
            (
                "generate_series(1.0::numeric(2,1), 2.0::numeric(2,1), 0.5::numeric(2,1))",
                &["1.0", "1.5", "2.0"],
            ),
            (
                "generate_series(timestamp '2024-01-31', timestamp '2024-04-01', interval '1 month')",
                &["2024-01-31 00:00:00", "2024-02-29 00:00:00", "2024-03-29 00:00:00"],
            ),
            (
                "generate_series(timestamptz '2024-03-30', timestamptz '2024-04-01', interval '1 day')",
                &["2024-03-30 00:00:00+01", "2024-03-31 00:00:00+01", "2024-04-01 00:00:00+02"],
            ),
        ]);
        check_errors(&[("generate_series(1,2,0)", "22023", "step size cannot equal zero")]);
    }
}
