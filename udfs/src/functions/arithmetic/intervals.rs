//! `interval`: `+ - * /` (manual, 9.9). A fraction of a month spills into days of 30 per month, a
//! fraction of a day into time.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use crate::functions::Value;
use crate::functions::datetime::calendar::{interval, micros};
use crate::functions::decimal::division_by_zero;
use crate::functions::function::{Function, function};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("interval_pl(interval, interval) -> interval", "Adds.", |row| {
            Ok(add(row.interval(0), row.interval(1))?.into())
        })
        .operator("+"),
        function("interval_mi(interval, interval) -> interval", "Subtracts.", |row| {
            Ok(add(row.interval(0), negate(row.interval(1))?)?.into())
        })
        .operator("-"),
        function("interval_um(interval) -> interval", "Negates.", |row| {
            Ok(negate(row.interval(0))?.into())
        })
        .operator("-"),
        function("interval_mul(interval, float8) -> interval", "Multiplies.", |row| {
            multiply(row.interval(0), row.float(1))
        })
        .operator("*"),
        function("mul_d_interval(float8, interval) -> interval", "Multiplies.", |row| {
            multiply(row.interval(1), row.float(0))
        })
        .operator("*"),
        function("interval_div(interval, float8) -> interval", "Divides.", |row| {
            if row.float(1) == 0.0 {
                return Err(division_by_zero());
            }
            divide(row.interval(0), row.float(1))
        })
        .operator("/"),
    ]
}

/// `interval out of range` (22008).
fn out_of_range() -> ValueError {
    ValueError::new("22008", "interval out of range")
}

/// The sum, field by field.
///
/// # Errors
/// `interval out of range` (22008).
pub fn add(a: IntervalMonthDayNano, b: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    let sum = (
        a.months.checked_add(b.months),
        a.days.checked_add(b.days),
        a.nanoseconds.checked_add(b.nanoseconds),
    );
    let (Some(months), Some(days), Some(nanos)) = sum else { return Err(out_of_range()) };
    Ok(IntervalMonthDayNano::new(months, days, nanos))
}

/// The opposite, field by field.
///
/// # Errors
/// `interval out of range` (22008).
pub fn negate(a: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    let opposite = (a.months.checked_neg(), a.days.checked_neg(), a.nanoseconds.checked_neg());
    let (Some(months), Some(days), Some(nanos)) = opposite else { return Err(out_of_range()) };
    Ok(IntervalMonthDayNano::new(months, days, nanos))
}

fn multiply(span: IntervalMonthDayNano, factor: f64) -> Result<Value> {
    scale(span, |part| part * factor)
}

fn divide(span: IntervalMonthDayNano, divisor: f64) -> Result<Value> {
    scale(span, |part| part / divisor)
}

/// `interval_mul` of timestamp.c, whose roundings people see: to the microsecond on the way.
fn scale(span: IntervalMonthDayNano, by: impl Fn(f64) -> f64) -> Result<Value> {
    const SECONDS: f64 = 86_400.0;
    let rounded = |value: f64| (value * 1e6).round_ties_even() / 1e6;
    let (months, days) = (by(span.months.into()), by(span.days.into()));
    let micros = by(micros(span) as f64);
    if !months.is_finite()
        || months.abs() > f64::from(i32::MAX)
        || !days.is_finite()
        || !micros.is_finite()
    {
        return Err(out_of_range());
    }
    let (whole_months, mut whole_days) = (months.trunc(), days.trunc());
    let month_days = rounded((months - whole_months) * 30.0);
    let mut seconds = rounded((days - whole_days + month_days - month_days.trunc()) * SECONDS);
    if seconds.abs() >= SECONDS {
        whole_days += (seconds / SECONDS).trunc();
        seconds -= (seconds / SECONDS).trunc() * SECONDS;
    }
    whole_days += month_days.trunc();
    let micros = (micros + seconds * 1e6).round_ties_even();
    if micros.abs() > 9.2e18 || whole_days.abs() > f64::from(i32::MAX) {
        return Err(out_of_range());
    }
    Ok(interval(whole_months as i64, whole_days as i64, micros as i64)?.into())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn intervals() {
        check(&[
            ("interval_mul(interval '1 day', 3.0)", "3 days"),
            ("interval_div(interval '1 day', 2.0)", "12:00:00"),
            ("interval_mul(interval '1 month', 1.5)", "1 mon 15 days"),
            ("interval_um(interval '1 hour')", "-01:00:00"),
            ("interval_div(interval '1 year', 5.0)", "2 mons 12 days"),
        ]);
        check_errors(&[("interval_div(interval '1 day', 0.0)", "22012", "division by zero")]);
    }
}
