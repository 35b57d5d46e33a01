//! A reader of a shared part in a logical plan, and how it is planned.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::DFSchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use tokio::sync::OnceCell;

use super::exec::SharedExec;
use super::materialized::Materialized;

/// A part of a plan that several readers want.
#[derive(Debug)]
pub(super) struct Part {
    number: usize,
    plan: LogicalPlan,
    readers: AtomicUsize,
    planned: OnceCell<Arc<Materialized>>,
}

impl Part {
    pub(super) fn new(number: usize, plan: LogicalPlan) -> Self {
        Self { number, plan, readers: AtomicUsize::new(0), planned: OnceCell::new() }
    }
}

/// A reader of a part. It has no inputs: what is below is planned once, for all readers.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    part: Arc<Part>,
    reader: usize,
    schema: DFSchemaRef,
}

impl Shared {
    pub(super) fn reader(part: &Arc<Part>, schema: &DFSchemaRef) -> Self {
        let reader = part.readers.fetch_add(1, Ordering::Relaxed);
        Self { part: Arc::clone(part), reader, schema: Arc::clone(schema) }
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.part, &other.part) && self.reader == other.reader
    }
}

impl Eq for Shared {}

impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.part.number, self.reader).hash(state);
    }
}

impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self.part.number, self.reader).partial_cmp(&(other.part.number, other.reader))
    }
}

impl UserDefinedLogicalNodeCore for Shared {
    fn name(&self) -> &'static str {
        "Shared"
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
        write!(formatter, "Shared: part={}", self.part.number)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, _inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

/// Plans readers.
#[derive(Debug)]
pub(super) struct SharedPlanner;

#[async_trait]
impl ExtensionPlanner for SharedPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(shared) = node.as_any().downcast_ref::<Shared>() else { return Ok(None) };
        let part = &shared.part;
        let readers = part.readers.load(Ordering::Relaxed);
        let rows = async || {
            let plan = planner.create_physical_plan(&part.plan, session).await?;
            Ok::<_, DataFusionError>(Arc::new(Materialized::new(plan, readers)))
        };
        // Also for a reader that is alone, because the others were within parts that are themselves
        // computed once: a plan that was optimized must not be optimized again. It keeps no rows.
        let rows = part.planned.get_or_try_init(rows).await?;
        let reader = SharedExec::new(Arc::clone(rows), part.number, shared.reader);
        Ok(Some(Arc::new(reader)))
    }
}
