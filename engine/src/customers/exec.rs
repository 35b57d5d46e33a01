//! The operator: scans of touchpoint tables in, rows of customers out.

use std::sync::Arc;

use clientele_catalog::customers::Touchpoints;
use clientele_catalog::storage::Placeholders;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::attribute_rows::ValueRows;
use super::pins::Pin;
use super::profile_rows::ProfileRows;
use super::source::{Gathered, Source, Wanted};
use super::survivorship::Rules;
use super::table::Columns;
use super::tally::{Entry, PINNED};

/// What the operator computes.
#[derive(Debug)]
pub(super) struct Golden {
    pub(super) touchpoints: Arc<Touchpoints>,
    /// What the inputs are, in their order.
    pub(super) sources: Vec<Source>,
    pub(super) columns: Columns,
    pub(super) wanted: Wanted,
    pub(super) rules: Rules,
    pub(super) placeholders: Placeholders,
    pub(super) pins: Vec<Pin>,
    /// The customers that are asked for, in ascending order; `None`: all.
    pub(super) only: Option<Vec<i64>>,
}

/// Tallies what its inputs say of each customer and chooses what survives.
#[derive(Debug, Clone)]
pub(super) struct GoldenExec {
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    task: Arc<Golden>,
    properties: Arc<PlanProperties>,
}

impl GoldenExec {
    pub(super) fn new(
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        task: Arc<Golden>,
        schema: SchemaRef,
    ) -> Self {
        let inputs =
            inputs.into_iter().map(|input| match input.output_partitioning().partition_count() {
                1 => input,
                _ => Arc::new(CoalescePartitionsExec::new(input)) as Arc<dyn ExecutionPlan>,
            });
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { inputs: inputs.collect(), task, properties: Arc::new(properties) }
    }

    async fn run(
        self,
        reservation: MemoryReservation,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let task = &self.task;
        let mut gathered = Gathered::new(&task.wanted, task.only.clone());
        // All begin at once: with few rows in each, waiting in turn is most of the time.
        let inputs = self.inputs.iter().map(|input| input.execute(0, Arc::clone(&context)));
        let inputs: Vec<SendableRecordBatchStream> = inputs.collect::<Result<_>>()?;
        for (mut rows, source) in inputs.into_iter().zip(&task.sources) {
            while let Some(batch) = rows.next().await {
                source.take(&batch?, &mut gathered)?;
                reservation.try_resize(gathered.bytes())?;
                tokio::task::consume_budget().await;
            }
        }
        task.pin(&mut gathered);
        // Sorting may hold what came last beside what was sorted before.
        reservation.try_resize(gathered.bytes())?;
        let size = context.session_config().batch_size();
        let batches = task.rows(gathered, (self.schema(), size));
        let held = batches.inspect(move |_| {
            let _held = &reservation;
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::iter(held))))
    }
}

impl Golden {
    /// Adds what was pinned to what the sources say.
    fn pin(&self, gathered: &mut Gathered) {
        for pin in &self.pins {
            let asked = self.wanted.attribute(pin.attribute) && gathered.asks(pin.customer);
            let customer = u32::try_from(pin.customer).ok().filter(|_| asked);
            let Some(customer) = customer else { continue };
            let Some((tally, values)) = gathered.attributes.get_mut(pin.attribute) else {
                continue;
            };
            tally.add(Entry {
                customer,
                value: values.number(&pin.value),
                source: PINNED,
                count: 0,
                first: pin.changed_at,
                last: pin.changed_at,
            });
        }
    }

    /// The result, some rows at a time.
    fn rows(
        self: &Arc<Self>,
        gathered: Gathered,
        (schema, size): (SchemaRef, usize),
    ) -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send> {
        match &self.columns {
            Columns::Profile(_) => {
                Box::new(ProfileRows::new(Arc::clone(self), gathered, (schema, size)))
            }
            Columns::Values(_) => Box::new(ValueRows::new(Arc::clone(self), gathered, schema)),
        }
    }

    /// Whether a value of an attribute says nothing. Identifiers that stitch nothing still reach
    /// somebody.
    pub(super) fn says_nothing(&self, attribute: usize, value: &str) -> bool {
        let attribute = self.touchpoints.attributes.get(attribute).filter(|one| !one.identifies);
        attribute.is_some_and(|one| self.placeholders.contains(one.domain, value))
    }

    /// Name of a source; `None` for what was pinned.
    pub(super) fn source_name(&self, source: u16) -> Option<&str> {
        self.touchpoints.tables.get(usize::from(source)).map(|table| table.source.as_str())
    }
}

impl DisplayAs for GoldenExec {
    fn fmt_as(
        &self,
        _format: DisplayFormatType,
        formatter: &mut std::fmt::Formatter<'_>,
    ) -> std::fmt::Result {
        write!(formatter, "GoldenExec: sources={}", self.inputs.len())?;
        match &self.task.only {
            Some(only) => write!(formatter, ", customers={}", only.len()),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for GoldenExec {
    fn name(&self) -> &'static str {
        "GoldenExec"
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

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition; self.inputs.len()]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.inputs.len()]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children, Arc::clone(&self.task), self.schema())))
    }

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let pool = &context.runtime_env().memory_pool;
        let reservation = MemoryConsumer::new("GoldenExec").register(pool);
        let this = self.clone();
        let rows = stream::once(async move { this.run(reservation, context).await });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows.try_flatten())))
    }
}
