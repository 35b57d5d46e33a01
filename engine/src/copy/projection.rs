//! Columns of the data → columns of the table: casts and defaults, planned once, run per batch.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::provider::Names;
use crate::planning::{project_for_assignment, values};

/// Where a column's values come from.
pub(crate) enum Origin {
    /// The column of that name in the data.
    Data(String),
    /// An expression over nothing.
    Default(Box<ast::Expr>),
}

/// Expressions for every column of the table.
pub(crate) struct Projection {
    input: SchemaRef,
    /// One list for each projection of the plan, innermost first.
    steps: Vec<Vec<Arc<dyn PhysicalExpr>>>,
}

impl Projection {
    /// Plans the columns `targets` of a table from data of the schema `input`.
    ///
    /// # Errors
    /// 42804 where a column cannot be assigned, and what is wrong with a default.
    pub(crate) fn new(
        context: &Arc<QueryContext>,
        input: &SchemaRef,
        origins: Vec<Origin>,
        targets: &[(String, PgType)],
    ) -> Result<Self> {
        let schema = Arc::new(DFSchema::try_from(input.as_ref().clone())?);
        let mut exprs = Vec::with_capacity(origins.len());
        for (origin, (name, _)) in origins.into_iter().zip(targets) {
            let expr = match origin {
                Origin::Data(name) => Expr::Column(Column::new_unqualified(name)),
                Origin::Default(tree) => default(context, *tree)?,
            };
            exprs.push(expr.alias(name.clone()));
        }
        let source = LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema });
        let plan = LogicalPlanBuilder::from(source).project(exprs)?.build()?;
        let plan = project_for_assignment(plan, targets, context)?;
        let mut steps = Vec::new();
        collect(context, &plan, &mut steps)?;
        Ok(Self { input: Arc::clone(input), steps })
    }

    /// Computes the table's columns for a number of rows.
    ///
    /// # Errors
    /// What a cast or default refuses.
    pub(crate) fn run(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<Vec<ArrayRef>> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.input), columns, &options);
        let mut batch = batch.map_err(Error::internal)?;
        for step in &self.steps {
            let mut arrays = Vec::with_capacity(step.len());
            for expr in step {
                arrays.push(expr.evaluate(&batch)?.into_array(rows)?);
            }
            let fields = step.iter().zip(&arrays).enumerate().map(|(index, (expr, array))| {
                let field = expr.return_field(&batch.schema())?;
                let field = field.as_ref().clone().with_name(format!("c{index}"));
                Ok(field.with_data_type(array.data_type().clone()).with_nullable(true))
            });
            let fields = fields.collect::<datafusion::error::Result<Vec<_>>>()?;
            let schema = Arc::new(datafusion::arrow::datatypes::Schema::new(fields));
            batch = RecordBatch::try_new_with_options(schema, arrays, &options)
                .map_err(Error::internal)?;
        }
        Ok(batch.columns().to_vec())
    }
}

/// Plans an expression that refers to no column.
fn default(context: &Arc<QueryContext>, tree: ast::Expr) -> Result<Expr> {
    let nothing = DFSchema::empty();
    let names = Names::new(context);
    let options = ParserOptions::new().with_parse_float_as_decimal(true);
    let expr = SqlToRel::new_with_options(&names, options).sql_to_expr(
        tree,
        &nothing,
        &mut PlannerContext::new(),
    )?;
    Ok(values::rewrite_expression(expr, &nothing, context)?)
}

/// The expressions of nested projections, innermost first.
fn collect(
    context: &QueryContext,
    plan: &LogicalPlan,
    steps: &mut Vec<Vec<Arc<dyn PhysicalExpr>>>,
) -> Result<()> {
    let LogicalPlan::Projection(projection) = plan else { return Ok(()) };
    collect(context, &projection.input, steps)?;
    let schema = projection.input.schema();
    let simplify = SimplifyContext::builder()
        .with_schema(Arc::clone(schema))
        .with_config_options(Arc::clone(context.state.config_options()))
        .with_query_execution_start_time(Some(context.started_at))
        .build();
    let simplifier = ExprSimplifier::new(simplify);
    let state = context.timed_state();
    let mut step = Vec::with_capacity(projection.expr.len());
    for expr in &projection.expr {
        // `now()` has a value only once it is simplified.
        let expr = simplifier.coerce(expr.clone().unalias(), schema)?;
        let expr = simplifier.simplify(expr)?;
        step.push(state.create_physical_expr(expr, schema)?);
    }
    steps.push(step);
    Ok(())
}
