//! A call of a table function, in plans and when it runs.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use clientele_catalog::definition::Relation;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat;
use datafusion::catalog::Session;
use datafusion::common::{DFSchemaRef, Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::exec::{Make, Part, RowsExec, external};
use super::function::Function;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// A function with its arguments.
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) context: Arc<QueryContext>,
    /// The recommender.
    pub(crate) relation: Option<Arc<Relation>>,
    /// Constants by parameter.
    pub(crate) values: Vec<Option<ScalarValue>>,
    /// Which input the query of a parameter is.
    pub(crate) queries: Vec<Option<usize>>,
}

impl Call {
    fn place(&self, name: &str) -> Option<usize> {
        self.function.parameters.iter().position(|one| one.name == name)
    }

    /// A constant.
    pub(crate) fn value(&self, name: &str) -> Option<&ScalarValue> {
        self.values.get(self.place(name)?)?.as_ref()
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            ScalarValue::Utf8View(Some(text)) | ScalarValue::Utf8(Some(text)) => Some(text),
            _ => None,
        }
    }

    /// A number from `least` to `most`.
    ///
    /// # Errors
    /// 22023 for one that is not.
    pub(crate) fn count(&self, name: &str, (least, most): (i64, i64)) -> Result<Option<usize>> {
        let Some(ScalarValue::Int64(Some(number))) = self.value(name) else { return Ok(None) };
        match (least..=most).contains(number) {
            true => Ok(usize::try_from(*number).ok()),
            false => Err(Error::new("22023", format!("{name} must be between {least} and {most}"))),
        }
    }

    /// A share, 0 to 1.
    ///
    /// # Errors
    /// 22023 for a number that is none.
    pub(crate) fn share(&self, name: &str) -> Result<Option<f32>> {
        let Some(ScalarValue::Float64(Some(number))) = self.value(name) else { return Ok(None) };
        match (0.0..=1.0).contains(number) {
            true => Ok(Some(*number as f32)),
            false => Err(Error::new("22023", format!("{name} must be between 0 and 1"))),
        }
    }

    /// Whether a query was given.
    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.place(name).and_then(|place| self.queries.get(place)).is_some_and(Option::is_some)
    }

    /// The rows of a query that was given; it has `columns` columns.
    ///
    /// # Errors
    /// What the query refuses; 42601 for another number of columns.
    pub(crate) async fn query(
        &self,
        part: &Part,
        (name, columns): (&str, std::ops::RangeInclusive<usize>),
    ) -> Result<Option<Vec<RecordBatch>>> {
        let place = self.place(name).and_then(|place| self.queries.get(place).copied().flatten());
        let Some(place) = place else { return Ok(None) };
        let plan = self.input(part, (name, columns))?;
        let cell = part.collected.get(place);
        let cell = cell.ok_or_else(|| Error::internal("an input without a place"))?;
        // A plan runs once, for all partitions.
        let read = || collect(Arc::clone(plan), Arc::clone(&part.task));
        Ok(Some(cell.get_or_try_init(read).await?.clone()))
    }

    /// A query that was given, to be read; it has `columns` columns.
    ///
    /// # Errors
    /// 42601 for another number of columns.
    pub(crate) fn input<'a>(
        &self,
        part: &'a Part,
        (name, columns): (&str, std::ops::RangeInclusive<usize>),
    ) -> Result<&'a Arc<dyn ExecutionPlan>> {
        let place = self.place(name).and_then(|place| self.queries.get(place).copied().flatten());
        let plan = place.and_then(|place| part.inputs.get(place));
        let plan = plan.ok_or_else(|| Error::internal("a call without a query"))?;
        let found = plan.schema().fields().len();
        if !columns.contains(&found) {
            let (least, most) = (columns.start(), columns.end());
            let noun = if found == 1 { "column" } else { "columns" };
            let text = format!("the query of argument {name} has {found} {noun}");
            let detail = match least == most {
                true => format!("It must have {least}."),
                false if most - least == 1 => format!("It must have {least} or {most}."),
                false => format!("It must have {least} to {most}."),
            };
            return Err(Error::new("42601", text).with_detail(detail));
        }
        Ok(plan)
    }

    /// The recommender.
    ///
    /// # Errors
    /// None in practice: it is looked up when the call is planned.
    pub(crate) fn recommender(&self) -> Result<&Arc<Relation>> {
        self.relation.as_ref().ok_or_else(|| Error::internal("a call without a recommender"))
    }
}

/// A column of all batches; `None` when there are no rows.
pub(crate) fn column(batches: &[RecordBatch], place: usize) -> Result<Option<ArrayRef>> {
    let arrays: Vec<&dyn datafusion::arrow::array::Array> =
        batches.iter().map(|batch| batch.column(place).as_ref()).collect();
    match arrays.is_empty() {
        true => Ok(None),
        false => Ok(Some(concat(&arrays)?)),
    }
}

/// A call in a logical plan.
#[derive(Clone)]
pub(crate) struct CallNode {
    function: &'static Function,
    /// None in plans that are kept: they hold no snapshot.
    context: Option<Arc<QueryContext>>,
    relation: Option<Arc<Relation>>,
    values: Vec<Option<ScalarValue>>,
    queries: Vec<Option<usize>>,
    inputs: Vec<LogicalPlan>,
    schema: DFSchemaRef,
}

impl CallNode {
    pub(crate) fn new(call: Call, inputs: Vec<LogicalPlan>, schema: DFSchemaRef) -> Self {
        let Call { function, context, relation, values, queries } = call;
        Self { function, context: Some(context), relation, values, queries, inputs, schema }
    }

    fn call(&self) -> Option<Call> {
        Some(Call {
            function: self.function,
            context: Arc::clone(self.context.as_ref()?),
            relation: self.relation.clone(),
            values: self.values.clone(),
            queries: self.queries.clone(),
        })
    }
}

/// The same call in another statement, or in none; `None`: the plan is no call.
pub(crate) fn moved_call(
    plan: &LogicalPlan,
    context: Option<&Arc<QueryContext>>,
) -> Option<LogicalPlan> {
    let LogicalPlan::Extension(extension) = plan else { return None };
    let node = extension.node.as_any().downcast_ref::<CallNode>()?;
    let node = CallNode { context: context.cloned(), ..node.clone() };
    Some(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

impl std::fmt::Debug for CallNode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Call: {}", self.function.name)
    }
}

impl PartialEq for CallNode {
    fn eq(&self, other: &Self) -> bool {
        let snapshot = |node: &Self| node.context.as_ref().map(|one| Arc::as_ptr(&one.snapshot));
        self.function.name == other.function.name
            && self.values == other.values
            && self.queries == other.queries
            && snapshot(self) == snapshot(other)
            && self.inputs == other.inputs
            && self.schema == other.schema
    }
}

impl Eq for CallNode {}

impl Hash for CallNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.values.hash(state);
        self.inputs.hash(state);
    }
}

impl PartialOrd for CallNode {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self == other).then_some(std::cmp::Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for CallNode {
    fn name(&self) -> &'static str {
        "Call"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn prevent_predicate_push_down_columns(&self) -> std::collections::HashSet<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Call: {}", self.function.name)
    }

    fn with_exprs_and_inputs(
        &self,
        _exprs: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> DataFusionResult<Self> {
        Ok(Self { inputs, ..self.clone() })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let all = |plan: &LogicalPlan| (0..plan.schema().fields().len()).collect();
        Some(self.inputs.iter().map(all).collect())
    }
}

/// Plans calls.
#[derive(Debug)]
pub(crate) struct CallPlanner;

#[async_trait]
impl ExtensionPlanner for CallPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> DataFusionResult<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<CallNode>() else { return Ok(None) };
        let call = node.call().map(Arc::new);
        let call = call.ok_or_else(|| external(Error::internal("a call without a statement")))?;
        let partitions = match (call.function.parallel)(&call) {
            true => session.config().target_partitions().max(1),
            false => 1,
        };
        let schema = Arc::clone(node.schema.inner());
        let label = call.function.name.to_owned();
        let kernel = call.function.kernel;
        let make: Arc<Make> = Arc::new(move |part| kernel(Arc::clone(&call), part));
        let inputs = physical_inputs.to_vec();
        Ok(Some(Arc::new(RowsExec::new(label, (schema, partitions), inputs, make))))
    }
}
