//! The operator that hands out the customers of a bitmap.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchemaRef, Statistics};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::stream;
use roaring::RoaringBitmap;

/// Customers, and whether NULL is one of them.
type Customers = (Arc<RoaringBitmap>, bool);

/// A set of customers in a logical plan: each of its columns shows them.
#[derive(Debug, Clone)]
pub(super) struct MembersNode {
    customers: Customers,
    text: String,
    schema: DFSchemaRef,
}

impl MembersNode {
    pub(super) fn new(customers: Customers, text: String, schema: DFSchemaRef) -> Self {
        Self { customers, text, schema }
    }
}

impl PartialEq for MembersNode {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.customers.0, &other.customers.0)
            && self.customers.1 == other.customers.1
            && self.schema == other.schema
    }
}

impl Eq for MembersNode {}

impl Hash for MembersNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for MembersNode {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self == other).then_some(std::cmp::Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for MembersNode {
    fn name(&self) -> &'static str {
        "Members"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Members: {}", self.text)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, _inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

/// Plans sets of customers.
#[derive(Debug)]
pub(crate) struct MembersPlanner;

#[async_trait]
impl ExtensionPlanner for MembersPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<MembersNode>() else { return Ok(None) };
        let schema = Arc::new(node.schema.as_arrow().clone());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Some(Arc::new(MembersExec {
            customers: node.customers.clone(),
            text: node.text.clone(),
            properties: Arc::new(properties),
        })))
    }
}

#[derive(Debug)]
struct MembersExec {
    customers: Customers,
    text: String,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for MembersExec {
    fn fmt_as(
        &self,
        _format: DisplayFormatType,
        formatter: &mut std::fmt::Formatter<'_>,
    ) -> std::fmt::Result {
        write!(formatter, "MembersExec: {}", self.text)
    }
}

impl ExecutionPlan for MembersExec {
    fn name(&self) -> &'static str {
        "MembersExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn statistics_from_inputs(
        &self,
        _input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let rows = self.customers.0.len() + u64::from(self.customers.1);
        let statistics = Statistics::new_unknown(&self.schema());
        let rows = usize::try_from(rows).map_or(Precision::Absent, Precision::Exact);
        Ok(Arc::new(statistics.with_num_rows(rows)))
    }

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let (batch_rows, schema) = (context.session_config().batch_size(), self.schema());
        let (customers, mut nobody) = self.customers.clone();
        let (shape, mut next) = (self.schema(), Some(0_u32));
        let batches = std::iter::from_fn(move || {
            let rest = next.map(|from| customers.range(from..)).into_iter().flatten();
            let found: Vec<u32> = rest.take(batch_rows).collect();
            next = found.last().and_then(|last| last.checked_add(1));
            let nulls = usize::from(found.len() < batch_rows && std::mem::take(&mut nobody));
            (found.len() + nulls > 0).then(|| batch(&shape, &found, nulls))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches))))
    }
}

/// Customers and NULLs in every column.
fn batch(schema: &SchemaRef, customers: &[u32], nulls: usize) -> Result<RecordBatch> {
    let numbers = customers.iter().map(|one| Some(i64::from(*one)));
    let array = numbers.chain(std::iter::repeat_n(None, nulls)).collect::<Int64Array>();
    let array: ArrayRef = Arc::new(array);
    let options = RecordBatchOptions::new().with_row_count(Some(array.len()));
    let columns = vec![array; schema.fields().len()];
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(DataFusionError::from)
}
