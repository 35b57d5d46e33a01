//! `sum` and `avg` of intervals, field by field (manual, 9.21).

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;

use super::collect::{Collect, Plan, field_of};
use crate::types::PgType;

const DAY_NANOS: i128 = 86_400_000_000_000;

static SUM: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    Collect::udaf(
        "sum of intervals",
        false,
        |_| field_of(PgType::INTERVAL),
        |_, columns| {
            Ok(ScalarValue::IntervalMonthDayNano(total(columns).map(|(sum, _)| fitted(sum))))
        },
    )
});

static AVERAGE: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    Collect::udaf("avg of intervals", false, |_| field_of(PgType::INTERVAL), average)
});

/// `sum(interval)`.
pub fn sum() -> Arc<AggregateUDF> {
    Arc::clone(&SUM)
}

/// `avg(interval)`.
pub fn avg() -> Arc<AggregateUDF> {
    Arc::clone(&AVERAGE)
}

/// Months, days, nanoseconds; and how many intervals there are.
fn total(columns: &[ArrayRef]) -> Option<([i128; 3], i128)> {
    let intervals = columns.first()?.as_primitive_opt::<IntervalMonthDayNanoType>()?;
    let mut sum = [0; 3];
    let mut count = 0;
    for one in intervals.iter().flatten() {
        sum[0] += i128::from(one.months);
        sum[1] += i128::from(one.days);
        sum[2] += i128::from(one.nanoseconds);
        count += 1;
    }
    (count > 0).then_some((sum, count))
}

fn fitted([months, days, nanos]: [i128; 3]) -> IntervalMonthDayNano {
    let small = |number: i128| i32::try_from(number).unwrap_or(i32::MAX);
    IntervalMonthDayNano::new(small(months), small(days), i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// What is left of a month goes to the days, what is left of a day to the time, as in PostgreSQL's
/// `interval_div`.
fn average(_: &Plan, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let Some(([months, days, nanos], count)) = total(columns) else {
        return Ok(ScalarValue::IntervalMonthDayNano(None));
    };
    let whole_months = months / count;
    let rest_nanos = (months % count) * 30 * DAY_NANOS / count;
    let whole_days = days / count + rest_nanos / DAY_NANOS;
    let rest_nanos = rest_nanos % DAY_NANOS + (days % count) * DAY_NANOS / count;
    // The time is rounded to microseconds.
    let nanos = nanos + rest_nanos * count;
    let micros = (nanos + 500 * count * nanos.signum()) / (1000 * count);
    let average = fitted([whole_months, whole_days, micros * 1000]);
    Ok(ScalarValue::IntervalMonthDayNano(Some(average)))
}
