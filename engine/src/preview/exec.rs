//! Counts customers as long as there is time; then counts a sample of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef};
use datafusion::catalog::Session;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::{StreamExt, stream};

use super::size::{SAMPLE_OF, Size};
use crate::error::Error;
use crate::functions::calls::{Batches, Make, Part, RowsExec};

/// Members that are shown.
const EXAMPLES: usize = 10;

/// Plans sizes.
#[derive(Debug)]
pub(crate) struct SizePlanner;

#[async_trait]
impl ExtensionPlanner for SizePlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(size) = node.as_any().downcast_ref::<Size>() else { return Ok(None) };
        let budget = Duration::from_micros(size.budget_us.unsigned_abs());
        let schema = Arc::new(node.schema().as_arrow().clone());
        let label = format!("size, budget={} ms", budget.as_millis());
        let make: Arc<Make> = Arc::new(move |part| Box::pin(counted(budget, part)));
        Ok(Some(Arc::new(RowsExec::new(label, (schema, 1), inputs.to_vec(), make))))
    }
}

/// Counts everybody, or when the budget runs out a sample.
async fn counted(budget: Duration, part: Part) -> Result<Batches, Error> {
    let [all, sample] = part.inputs.as_slice() else {
        return Err(Error::internal("Size has two inputs"));
    };
    // An input begins to work when it is opened.
    let of_all = async { count(part.open(all)?).await };
    let counted = match budget.is_zero() {
        true => None,
        false => tokio::time::timeout(budget, of_all).await.ok(),
    };
    let row = match counted {
        Some(counted) => counted?.row(&part.schema, true)?,
        None => count(part.open(sample)?).await?.row(&part.schema, false)?,
    };
    Ok(stream::iter([Ok(row)]).boxed())
}

/// What was counted.
#[derive(Debug, Default)]
struct Counted {
    size: i64,
    /// The smallest numbers.
    examples: BTreeSet<i64>,
}

async fn count(mut rows: SendableRecordBatchStream) -> Result<Counted> {
    let mut counted = Counted::default();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        counted.size += i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        let Some(numbers) = batch.column(0).as_primitive_opt::<Int64Type>() else { continue };
        for number in numbers.iter().flatten() {
            if counted.examples.len() < EXAMPLES || counted.examples.last() > Some(&number) {
                counted.examples.insert(number);
                if counted.examples.len() > EXAMPLES {
                    counted.examples.pop_last();
                }
            }
        }
        tokio::task::consume_budget().await;
    }
    Ok(counted)
}

impl Counted {
    fn row(self, schema: &SchemaRef, exact: bool) -> Result<RecordBatch> {
        let (size, low, high) = match exact {
            true => (self.size, self.size, self.size),
            false => estimate(self.size),
        };
        let share = if exact { 1.0 } else { 1.0 / f64::from(SAMPLE_OF) };
        let number = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        let members = Int64Array::from_iter_values(self.examples);
        let item = match PgType::INT8.array().arrow() {
            DataType::List(item) => item,
            other => return Err(DataFusionError::Internal(format!("not a list: {other}"))),
        };
        let offsets = OffsetBuffer::from_lengths([members.len()]);
        let columns: Vec<ArrayRef> = vec![
            number(size),
            Arc::new(BooleanArray::from(vec![exact])),
            number(low),
            number(high),
            number(self.size),
            Arc::new(Float64Array::from(vec![share])),
            Arc::new(ListArray::try_new(item, offsets, Arc::new(members), None)?),
        ];
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}

/// The size of all from that of the sample, with its 95 % confidence interval: the score interval
/// of a Poisson distribution (Brown, Cai & DasGupta 2003), which also says something of 0.
fn estimate(sampled: i64) -> (i64, i64, i64) {
    const Z: f64 = 1.96;
    let (count, of) = (sampled as f64, f64::from(SAMPLE_OF));
    let middle = count + Z * Z / 2.0;
    let half = Z * (count + Z * Z / 4.0).sqrt();
    let low = ((middle - half).max(0.0) * of).floor();
    let high = ((middle + half) * of).ceil();
    (sampled * i64::from(SAMPLE_OF), (low as i64).max(sampled), high as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates() {
        assert_eq!(estimate(0), (0, 0, 385));
        assert_eq!(estimate(1), (100, 17, 567));
        assert_eq!(estimate(100), (10_000, 8_222, 12_162));
    }
}
