//! What happens to rows on a road.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::{
    SortColumn, SortOptions, filter_record_batch, lexsort_to_indices, take_record_batch,
};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::scalar::ScalarValue;

use super::aggregation::Aggregation;
use super::batch;
use super::expression::{Expression, Values};
use crate::error::{Error, Result};

/// One step.
pub(super) enum Step {
    Filter(Expression),
    Project(Vec<Expression>, SchemaRef),
    Aggregate(Aggregation),
    Sort(Vec<SortKey>),
    Limit(Window),
}

/// A column that rows are sorted by.
pub(super) struct SortKey {
    pub(super) at: usize,
    pub(super) ascending: bool,
    pub(super) nulls_first: bool,
}

/// OFFSET and LIMIT.
pub(super) struct Window {
    pub(super) skip: Option<Expression>,
    pub(super) fetch: Expression,
}

impl Window {
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.skip.iter().chain([&self.fetch])
    }

    /// How many rows are left out and how many are taken; `None`: that is for the long road to
    /// say, as NULL (all of them) and negative numbers are.
    fn counts(&self, values: &Values<'_>) -> Result<Option<(usize, usize)>> {
        let count = |expression: &Expression| -> Result<Option<usize>> {
            let value = expression.value(values)?.cast_to(&DataType::Int64)?;
            Ok(match value {
                ScalarValue::Int64(Some(count)) => usize::try_from(count).ok(),
                _ => None,
            })
        };
        let skip = self.skip.as_ref().map_or(Ok(Some(0)), count)?;
        Ok(skip.zip(count(&self.fetch)?))
    }
}

/// What is left of rows behind the last step.
pub(super) struct Taken {
    rows: RecordBatch,
    /// There were as many rows as the limit wants.
    pub(super) full: bool,
}

impl Taken {
    pub(super) fn rows(self) -> Vec<RecordBatch> {
        if self.rows.num_rows() == 0 { Vec::new() } else { vec![self.rows] }
    }
}

/// How many rows the limit of some steps wants, 1 without one; `None`: the long road knows.
///
/// # Errors
/// What an expression refuses.
pub(super) fn wanted(steps: &[Step], values: &Values<'_>) -> Result<Option<usize>> {
    let limit = steps.iter().find_map(|step| match step {
        Step::Limit(window) => Some(window),
        _ => None,
    });
    let Some(window) = limit else { return Ok(Some(1)) };
    let counts = window.counts(values)?;
    Ok(counts.map(|(skip, fetch)| skip.saturating_add(fetch).max(1)))
}

/// Takes rows through the steps.
///
/// # Errors
/// What an expression refuses.
pub(super) async fn take(
    steps: &[Step],
    mut rows: RecordBatch,
    values: &Values<'_>,
) -> Result<Taken> {
    let mut full = false;
    for (at, step) in steps.iter().enumerate() {
        // No rows are one to an aggregate: their number is 0.
        let mut left = steps.iter().skip(at);
        if rows.num_rows() == 0 && !left.any(|step| matches!(step, Step::Aggregate(_))) {
            break;
        }
        rows = match step {
            Step::Filter(condition) => filter(rows, condition, values)?,
            Step::Project(exprs, schema) => project(&rows, (exprs, schema), values)?,
            Step::Aggregate(aggregation) => aggregation.run(rows, values.context).await?,
            Step::Sort(keys) => sort(&rows, keys)?,
            Step::Limit(window) => {
                let counts = window.counts(values)?;
                let (skip, fetch) =
                    counts.ok_or_else(|| Error::internal("a limit without a number"))?;
                full = rows.num_rows() >= skip.saturating_add(fetch);
                let from = skip.min(rows.num_rows());
                rows.slice(from, fetch.min(rows.num_rows() - from))
            }
        };
    }
    Ok(Taken { rows, full })
}

fn filter(rows: RecordBatch, condition: &Expression, values: &Values<'_>) -> Result<RecordBatch> {
    let kept = condition.evaluate(&rows, values)?;
    let kept = kept.as_boolean_opt().ok_or_else(|| Error::internal("a filter is not boolean"))?;
    match kept.true_count() == rows.num_rows() {
        true => Ok(rows),
        false => filter_record_batch(&rows, kept).map_err(Error::internal),
    }
}

fn project(
    rows: &RecordBatch,
    (exprs, schema): (&[Expression], &SchemaRef),
    values: &Values<'_>,
) -> Result<RecordBatch> {
    let columns = exprs.iter().map(|expr| expr.evaluate(rows, values));
    batch(schema, columns.collect::<Result<_>>()?, rows.num_rows())
}

fn sort(rows: &RecordBatch, keys: &[SortKey]) -> Result<RecordBatch> {
    let column = |key: &SortKey| {
        let options = SortOptions { descending: !key.ascending, nulls_first: key.nulls_first };
        let values = rows.columns().get(key.at)?;
        Some(SortColumn { values: std::sync::Arc::clone(values), options: Some(options) })
    };
    let columns = keys.iter().map(column).collect::<Option<Vec<_>>>();
    let columns = columns.ok_or_else(|| Error::internal("a sort by no column"))?;
    let order = lexsort_to_indices(&columns, None).map_err(Error::internal)?;
    take_record_batch(rows, &order).map_err(Error::internal)
}
