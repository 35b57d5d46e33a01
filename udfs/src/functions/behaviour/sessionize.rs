//! `sessionize(time, gap)`: the number of the session that a row is in, from 1.
//!
//! A window function: `OVER (PARTITION BY customer_id ORDER BY occurred_at)`. A session ends where
//! the next row is more than the gap away; a row without a time stays in the session before it.
//!
//! ```sql
//! SELECT device, session, min(occurred_at), count(*) FROM
//!   (SELECT device, occurred_at, sessionize(occurred_at, '30 minutes')
//!      OVER (PARTITION BY device ORDER BY occurred_at) AS session FROM web.events) AS steps
//! GROUP BY 1, 2;
//! ```

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

use super::timeline::{constant, microseconds, time_type, undefined};

/// Its name.
pub const NAME: &str = "sessionize";

/// The function.
pub fn window_function() -> Arc<WindowUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(WindowUDF::from(Sessionize { signature }))
}

/// The gap, from the arguments.
///
/// # Errors
/// 22023 for what is no constant interval.
pub fn gap_of(arguments: &[Arc<dyn PhysicalExpr>]) -> Result<i64> {
    let interval = DataType::Interval(IntervalUnit::MonthDayNano);
    let gap = arguments.get(1).map(|gap| constant(gap, &interval)).transpose()?;
    Ok(microseconds("gap", &gap.unwrap_or(ScalarValue::Null))?)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sessionize {
    signature: Signature,
}

impl WindowUDFImpl for Sessionize {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [time, _] = given else { return Err(undefined(NAME, given).into()) };
        let time = time_type(time).ok_or_else(|| undefined(NAME, given))?;
        Ok(vec![time, DataType::Interval(IntervalUnit::MonthDayNano)])
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Sessions { gap: gap_of(args.input_exprs())? }))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, false)))
    }

    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::None
    }
}

#[derive(Debug)]
struct Sessions {
    gap: i64,
}

impl PartitionEvaluator for Sessions {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let times = cast(&values[0], &DataType::Int64)?;
        let times = times.as_primitive::<Int64Type>();
        let (mut session, mut before) = (1, None);
        let numbers = (0..times.len()).map(|row| {
            if times.is_valid(row) {
                let time = times.value(row);
                session += i64::from(before.is_some_and(|one: i64| apart(one, time, self.gap)));
                before = Some(time);
            }
            session
        });
        Ok(Arc::new(Int64Array::from_iter_values(numbers)))
    }

    fn supports_bounded_execution(&self) -> bool {
        false
    }
}

/// Whether two times are in two sessions. In descending order they come the other way round.
pub fn apart(one: i64, other: i64, gap: i64) -> bool {
    other.abs_diff(one) > gap.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check_query;

    #[test]
    fn sessions() {
        let rows = "(select at, sessionize(at::timestamp, interval '30 minutes') over (order by at) s from \
                    (values ('2026-01-01 10:00:00'), ('2026-01-01 10:30:00'), \
                    ('2026-01-01 11:01:00'), (null)) v(at)) t";
        check_query(&[("string_agg(s::text, ',' order by at)", rows, &["1,1,2,2"])]);
    }
}
