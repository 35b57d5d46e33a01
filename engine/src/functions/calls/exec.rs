//! The operator of calls: rows that code makes, from what its inputs say.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, reset_plan_states};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{StreamExt, TryFutureExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use crate::error::Error;

/// Batches that are read before they are asked for.
const BATCHES_AHEAD: usize = 4;

/// Rows as they come.
pub(crate) type Batches = BoxStream<'static, Result<RecordBatch, Error>>;

/// What makes the rows of a partition.
pub(crate) type Make = dyn Fn(Part) -> BoxFuture<'static, Result<Batches, Error>> + Send + Sync;

/// Rows of the inputs, read by whichever partition needs them first.
pub(crate) type Collected = Arc<[OnceCell<Vec<RecordBatch>>]>;

/// The partition that rows are made of.
pub(crate) struct Part {
    /// Which one.
    pub(crate) number: usize,
    /// Of how many.
    pub(crate) count: usize,
    /// What other queries say.
    pub(crate) inputs: Vec<Arc<dyn ExecutionPlan>>,
    /// Their rows.
    pub(crate) collected: Collected,
    /// Where they run.
    pub(crate) task: Arc<TaskContext>,
    /// The columns that are wanted.
    pub(crate) schema: SchemaRef,
}

/// The operator.
#[derive(Clone)]
pub(crate) struct RowsExec {
    label: String,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    collected: Collected,
    make: Arc<Make>,
    properties: Arc<PlanProperties>,
}

impl RowsExec {
    /// Of so many partitions.
    pub(crate) fn new(
        label: String,
        (schema, partitions): (SchemaRef, usize),
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        make: Arc<Make>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let collected = cells(&inputs);
        Self { label, inputs, collected, make, properties: Arc::new(properties) }
    }
}

impl Part {
    /// All rows of an input as they come, from whichever of its partitions.
    pub(crate) fn open(&self, input: &Arc<dyn ExecutionPlan>) -> Result<SendableRecordBatchStream> {
        let task = Arc::clone(&self.task);
        match input.output_partitioning().partition_count() {
            1 => input.execute(0, task),
            _ => CoalescePartitionsExec::new(Arc::clone(input)).execute(0, task),
        }
    }

    /// The same, one partition after another where none waits for another: rows come as they are
    /// stored. An input may be opened again.
    pub(crate) fn open_in_order(
        &self,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<SendableRecordBatchStream> {
        let input = reset_plan_states(Arc::clone(input))?;
        if shuffles(&input) {
            return self.open(&input);
        }
        let mut rows = RecordBatchReceiverStream::builder(input.schema(), BATCHES_AHEAD);
        let (sender, task) = (rows.tx(), Arc::clone(&self.task));
        rows.spawn(async move {
            for partition in 0..input.output_partitioning().partition_count() {
                let mut batches = input.execute(partition, Arc::clone(&task))?;
                while let Some(batch) = batches.next().await {
                    if sender.send(batch).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        });
        Ok(rows.build())
    }
}

/// Whether partitions of a plan are fed by others.
fn shuffles(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<RepartitionExec>() || plan.children().into_iter().any(shuffles)
}

impl fmt::Debug for RowsExec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RowsExec").field("label", &self.label).finish()
    }
}

impl DisplayAs for RowsExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowsExec: {}", self.label)
    }
}

impl ExecutionPlan for RowsExec {
    fn name(&self) -> &'static str {
        "RowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.inputs.len()]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let collected = cells(&children);
        Ok(Arc::new(Self { inputs: children, collected, ..self.as_ref().clone() }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let part = Part {
            number: partition,
            count: self.properties.output_partitioning().partition_count(),
            inputs: self.inputs.clone(),
            collected: Arc::clone(&self.collected),
            task: context,
            schema: self.schema(),
        };
        let batches = (self.make)(part).map_ok(|batches| batches.map_err(external));
        let rows = stream::once(batches.map_err(external)).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows.boxed())))
    }
}

fn cells(inputs: &[Arc<dyn ExecutionPlan>]) -> Collected {
    inputs.iter().map(|_| OnceCell::new()).collect()
}

/// Our error as DataFusion carries it; the engine takes it out again.
pub(crate) fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
