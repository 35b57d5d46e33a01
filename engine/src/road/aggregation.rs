//! GROUP BY and aggregates over the few rows of a road: DataFusion's operator without its planner.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::common::DFSchema;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::scalar::ScalarValue;

use super::batch;
use super::compile::{Compiler, output};
use super::expression::{Expression, has_columns};
use super::steps::Step;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// Groups and aggregates over columns that a projection before it has computed.
pub(super) struct Aggregation {
    input: SchemaRef,
    groups: Arc<PhysicalGroupBy>,
    functions: Vec<Arc<AggregateFunctionExpr>>,
    filters: Vec<Option<Arc<dyn PhysicalExpr>>>,
    schema: SchemaRef,
}

/// The projection that comes first, as it grows.
struct Inputs<'a, 'c> {
    compiler: &'a Compiler<'c>,
    schema: &'a DFSchema,
    expressions: Vec<Expression>,
    fields: Vec<Field>,
}

impl Inputs<'_, '_> {
    /// A column of the projection for an expression.
    fn column(&mut self, expr: &Expr) -> Option<Arc<dyn PhysicalExpr>> {
        let expression = self.compiler.expression(expr, self.schema)?;
        Some(self.add(expr, expression)?.0)
    }

    fn add(
        &mut self,
        expr: &Expr,
        expression: Expression,
    ) -> Option<(Arc<dyn PhysicalExpr>, String)> {
        let (_, field) = expr.to_field(self.schema).ok()?;
        let (at, data_type) = (self.expressions.len(), expression.data_type.clone());
        let name = at.to_string();
        self.fields
            .push(Field::new(&name, data_type, true).with_metadata(field.metadata().clone()));
        self.expressions.push(expression);
        Some((Arc::new(Column::new(&name, at)), name))
    }

    /// An argument: functions look for constants among theirs.
    fn argument(&mut self, expr: &Expr) -> Option<Arc<dyn PhysicalExpr>> {
        let expression = self.compiler.expression(expr, self.schema)?;
        match expression.constant() {
            Some(value) => {
                let (_, field) = expr.to_field(self.schema).ok()?;
                let value = ScalarValue::try_from_array(value, 0).ok()?;
                let metadata = Some(field.metadata().clone().into());
                Some(Arc::new(Literal::new_with_metadata(value, metadata)))
            }
            // A parameter will be one, and is none yet.
            None if !has_columns(expr) => None,
            None => Some(self.add(expr, expression)?.0),
        }
    }
}

impl Aggregation {
    /// The steps of an aggregate: a projection to its groups and arguments, and itself.
    pub(super) fn compile(aggregate: &Aggregate, compiler: &Compiler<'_>) -> Option<[Step; 2]> {
        let schema = aggregate.input.schema();
        let mut inputs = Inputs { compiler, schema, expressions: Vec::new(), fields: Vec::new() };
        let mut groups = Vec::with_capacity(aggregate.group_expr.len());
        for expr in &aggregate.group_expr {
            if matches!(expr, Expr::GroupingSet(_)) {
                return None;
            }
            let expression = compiler.expression(expr, schema)?;
            groups.push(inputs.add(expr, expression)?);
        }
        let mut calls = Vec::with_capacity(aggregate.aggr_expr.len());
        for expr in &aggregate.aggr_expr {
            let call = call_of(expr)?;
            let arguments = call.params.args.iter().map(|one| inputs.argument(one));
            let arguments = arguments.collect::<Option<Vec<_>>>()?;
            let filter = match &call.params.filter {
                Some(filter) => Some(inputs.column(filter)?),
                None => None,
            };
            calls.push((call, arguments, filter));
        }
        let Inputs { expressions, fields, .. } = inputs;
        let input = Arc::new(Schema::new(fields));
        let functions = calls.iter().zip(0..).map(|((call, arguments, _), at): (_, usize)| {
            let nulls = call.params.null_treatment == Some(NullTreatment::IgnoreNulls);
            let built = AggregateExprBuilder::new(Arc::clone(&call.func), arguments.clone())
                .schema(Arc::clone(&input))
                .alias(at.to_string())
                .with_distinct(call.params.distinct)
                .with_ignore_nulls(nulls)
                .build();
            built.ok().map(Arc::new)
        });
        let functions = functions.collect::<Option<Vec<_>>>()?;
        let filters = calls.into_iter().map(|(_, _, filter)| filter).collect();
        let groups = Arc::new(PhysicalGroupBy::new_single(groups));
        let mut own = Self {
            input: Arc::clone(&input),
            groups,
            functions,
            filters,
            schema: Arc::clone(&input),
        };
        let types = own.operator(RecordBatch::new_empty(Arc::clone(&input))).ok()?.schema();
        let types = types.fields().iter().map(|field| field.data_type().clone());
        own.schema = output(&aggregate.schema, types);
        Some([Step::Project(expressions, input), Step::Aggregate(own)])
    }

    fn operator(&self, rows: RecordBatch) -> Result<AggregateExec> {
        let input = Arc::clone(&self.input);
        let rows = MemorySourceConfig::try_new_exec(&[vec![rows]], Arc::clone(&input), None)?;
        Ok(AggregateExec::try_new(
            AggregateMode::Single,
            Arc::clone(&self.groups),
            self.functions.clone(),
            self.filters.clone(),
            rows,
            input,
        )?)
    }

    /// The groups of rows.
    ///
    /// # Errors
    /// What a function refuses.
    pub(super) async fn run(
        &self,
        rows: RecordBatch,
        context: &QueryContext,
    ) -> Result<RecordBatch> {
        let operator = Arc::new(self.operator(rows)?);
        let schema = operator.schema();
        let groups = collect(operator, task(context)).await?;
        let groups = concat_batches(&schema, &groups).map_err(Error::internal)?;
        batch(&self.schema, groups.columns().to_vec(), groups.num_rows())
    }
}

/// A call that takes rows in any order and is not to be simplified first.
fn call_of(expr: &Expr) -> Option<&AggregateFunction> {
    match expr {
        Expr::Alias(alias) => call_of(&alias.expr),
        Expr::AggregateFunction(call) => {
            let plain = call.params.order_by.is_empty() && call.func.simplify().is_none();
            plain.then_some(call)
        }
        _ => None,
    }
}

/// What operators run in; the functions of a plan are in it already.
fn task(context: &QueryContext) -> Arc<TaskContext> {
    let state = &context.state;
    Arc::new(TaskContext::new(
        None,
        state.session_id().to_owned(),
        state.config().clone(),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        Arc::clone(state.runtime_env()),
    ))
}
