//! `percentile_cont`, `percentile_disc` and `mode` (manual, 9.21, ordered-set aggregates).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::{SortOptions, partition, sort};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;

use super::collect::{Collect, Plan};
use super::percentile::{self, constant};
use crate::ValueError;

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    vec![
        percentile::udaf(),
        Collect::udaf("percentile_disc", true, first, percentile),
        Collect::udaf("mode", true, first, mode),
    ]
}

/// The type of the ordered argument, which comes first.
fn first(fields: &[FieldRef]) -> FieldRef {
    fields.first().map_or_else(
        || Arc::new(Field::new("result", DataType::Null, true)),
        |field| Arc::new(field.as_ref().clone().with_nullable(true)),
    )
}

fn sorted(plan: &Plan, values: &ArrayRef) -> Result<ArrayRef> {
    let options = SortOptions { descending: plan.descending, nulls_first: false };
    let sorted = sort(values, Some(options))?;
    Ok(sorted.slice(0, sorted.len() - values.logical_null_count()))
}

fn percentile(plan: &Plan, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let fraction = match plan.exprs.get(1) {
        Some(expr) => constant(expr)?,
        None => None,
    };
    let Some(fraction) = fraction.filter(|fraction| (0.0..=1.0).contains(fraction)) else {
        return match fraction {
            None => ScalarValue::try_from(&plan.result),
            Some(fraction) => Err(ValueError::new(
                "22003",
                format!("percentile value {fraction} is not between 0 and 1"),
            )
            .into()),
        };
    };
    let Some(values) = columns.first() else { return Ok(ScalarValue::Null) };
    let values = sorted(plan, values)?;
    if values.is_empty() {
        return ScalarValue::try_from(&plan.result);
    }
    let place = (fraction * values.len() as f64).ceil() as usize;
    ScalarValue::try_from_array(&values, place.saturating_sub(1))
}

fn mode(plan: &Plan, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let Some(values) = columns.first() else { return Ok(ScalarValue::Null) };
    let values = sorted(plan, values)?;
    if values.is_empty() {
        return ScalarValue::try_from(&plan.result);
    }
    let runs = partition(&[Arc::clone(&values)])?.ranges();
    // Of equally frequent values the first.
    let best = runs.into_iter().reduce(|best, run| if run.len() > best.len() { run } else { best });
    ScalarValue::try_from_array(&values, best.map_or(0, |run| run.start))
}
