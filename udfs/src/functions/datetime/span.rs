//! How long an interval is, for comparison: months have 30 days, days 24 hours (manual:
//! functions-datetime; PostgreSQL's `interval_cmp_value`).

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::calendar;

static LENGTH: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let interval = DataType::Interval(IntervalUnit::MonthDayNano);
    let implementation = Arc::new(|arguments: &[ColumnarValue]| measured(arguments));
    let name = "interval length";
    Arc::new(create_udf(
        name,
        vec![interval],
        DataType::Int64,
        Volatility::Immutable,
        implementation,
    ))
});

/// `interval → bigint`: microseconds. Its name is none that SQL can call.
pub fn length() -> Arc<ScalarUDF> {
    Arc::clone(&LENGTH)
}

fn measured(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let Some(argument) = arguments.first() else {
        return Ok(ColumnarValue::Array(Arc::new(Int64Array::from(Vec::<i64>::new()))));
    };
    let scalar = matches!(argument, ColumnarValue::Scalar(_));
    let array = argument.to_array(1)?;
    let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
    let lengths = intervals
        .iter()
        .map(|one| one.map(|one| i64::try_from(calendar::length(one)).unwrap_or(i64::MAX)));
    let lengths: ArrayRef = Arc::new(lengths.collect::<Int64Array>());
    match scalar {
        true => {
            datafusion::common::ScalarValue::try_from_array(&lengths, 0).map(ColumnarValue::Scalar)
        }
        false => Ok(ColumnarValue::Array(lengths)),
    }
}
