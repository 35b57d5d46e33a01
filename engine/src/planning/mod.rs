//! A parsed query → a logical plan with PostgreSQL's rules in it.
//!
//! 1. [`output_names`]: columns get PostgreSQL's names, on the tree.
//!    [`inline`]: bodies in place of calls of functions written in SQL.
//! 2. DataFusion's SQL planner, resolving names through [`provider::Names`].
//! 3. [`values`]: casts, arithmetic, literals.
//! 4. [`parameters`]: types of `$1 …`.
//!    [`numerics`]: numbers of any precision are compared by value. [`enums`]: enumerated types in order.
//!    [`adapted`]: aggregates over arrays and sliding frames.
//! 5. DataFusion's analyzer, then [`subqueries`]: joins in place of correlated subqueries.

mod adapted;
mod alias_columns;
mod blanks;
pub mod choice;
mod common_type;
pub mod context;
pub mod cooperate;
mod counted_sets;
pub mod distinct_on;
mod elements;
mod enums;
pub mod filters;
mod grouped_by_key;
pub mod in_order;
pub mod inline;
pub mod inner_order;
pub mod join_barriers;
mod merged_names;
mod named_apart;
pub mod needs;
mod numerics;
mod one_of;
mod outer_types;
pub mod output_names;
mod overloads;
pub mod parameters;
mod populated;
pub mod provider;
mod read_by_owner;
mod recursive_types;
pub mod relations;
pub mod rights;
pub mod row_security;
mod series;
pub mod sizes;
pub mod subqueries;
pub mod types;
pub mod unnested;
mod unpopulated;
pub mod using;
pub mod values;
pub mod whole_rows;

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::arrow::error::ArrowError;
use datafusion::common::ParamValues;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use sqlparser::ast;

use crate::api::Column;
use crate::error::{Error, Result};
use crate::functions;
use crate::privacy::stored;
use context::QueryContext;
use needs::Need;
pub(crate) use numerics::comparable;
use output_names::Beside;
use provider::Names;

/// Metadata key of storage that tells which table column a field is: `oid:number`.
pub use clientele_catalog::storage::ORIGIN_KEY;

/// How many names of one statement may be rows (see [`whole_rows`]).
const NAMES_MAX: usize = 16;

/// A planned query.
#[derive(Clone)]
pub struct Planned {
    /// The plan, analyzed; parameters still open.
    pub plan: LogicalPlan,
    /// Types of the parameters, `$1` first.
    pub parameters: Vec<PgType>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What must be allowed before it is executed.
    pub needs: Vec<Need>,
}

impl Planned {
    /// Refuses a plan that the role may not execute.
    ///
    /// # Errors
    /// 42501.
    pub fn allowed(self, context: &QueryContext) -> Result<Self> {
        needs::check(context, &self.needs)?;
        Ok(self)
    }
}

/// Plans a query that is executed at once. `declared` are the types that the client stated for
/// parameters (0: none).
///
/// # Errors
/// Everything that is wrong with names and types; 42501 for what the role may not read.
pub fn plan_query(
    context: &Arc<QueryContext>,
    query: ast::Query,
    declared: &[Option<PgType>],
) -> Result<Planned> {
    describe_query(context, query, declared)?.allowed(context)
}

/// Plans a query whose plan is looked at, or asked for its [`Planned::allowed`] later.
///
/// # Errors
/// Everything that is wrong with names and types.
pub fn describe_query(
    context: &Arc<QueryContext>,
    query: ast::Query,
    declared: &[Option<PgType>],
) -> Result<Planned> {
    finish(context, &Names::new(context), query, declared)
}

/// What a statement changes by the rows of a query.
pub struct Changed<'a> {
    /// The relation; its scans have a last column `ctid`.
    pub target: u32,
    /// What is done to its rows, as a letter of privileges: `w` UPDATE, `d` DELETE.
    pub command: char,
    /// Outputs that the statement adds for itself, by place: addresses, values that stay.
    pub own: &'a (dyn Fn(usize) -> bool + Sync),
}

/// Plans the query of an UPDATE, DELETE or MERGE; like [`describe_query`], it refuses nothing yet.
///
/// # Errors
/// As [`describe_query`].
pub fn plan_for_target(
    context: &Arc<QueryContext>,
    query: ast::Query,
    declared: &[Option<PgType>],
    changed: &Changed<'_>,
) -> Result<Planned> {
    finish(context, &Names::new(context).changing(changed), query, declared)
}

/// Plans a query in which a bare name stands for rows in memory: what RETURNING sees.
///
/// # Errors
/// As [`plan_query`].
pub fn plan_over_rows(
    context: &Arc<QueryContext>,
    query: ast::Query,
    (name, relation, rows): (String, u32, Vec<RecordBatch>),
) -> Result<Planned> {
    let schema = rows.first().map(RecordBatch::schema);
    let schema = schema.unwrap_or_else(|| Arc::new(datafusion::arrow::datatypes::Schema::empty()));
    let rows = concat_batches(&schema, &rows).map_err(Error::internal)?;
    let names = Names::new(context).with_rows(&name, rows, Some(relation)).shown();
    finish(context, &names, query, &[])
}

/// Plans the query of ON CONFLICT DO UPDATE, which sees the proposed rows under a name.
///
/// # Errors
/// As [`plan_query`].
pub fn plan_target_with_rows(
    context: &Arc<QueryContext>,
    query: ast::Query,
    changed: &Changed<'_>,
    (name, rows): (String, RecordBatch),
) -> Result<Planned> {
    let names = Names::new(context).changing(changed).with_rows(&name, rows, Some(changed.target));
    finish(context, &names, query, &[])
}

fn finish(
    context: &Arc<QueryContext>,
    names: &Names<'_>,
    query: ast::Query,
    declared: &[Option<PgType>],
) -> Result<Planned> {
    let (plan, shown) = plan_with(names, query, declared)?;
    let needs = names.take_needs();
    let plan =
        values::rewrite_plan(plan, context).map_err(|error| Error::from_datafusion(&error))?;
    let (plan, parameters) = parameters::resolve(plan, declared)?;
    let plan = functions::show_registered(plan, context)?;
    let plan = numerics::by_value(plan).map_err(|error| Error::from_datafusion(&error))?;
    let plan = enums::in_order(plan, context).map_err(|error| Error::from_datafusion(&error))?;
    let plan = adapted::adapt(plan).map_err(|error| Error::from_datafusion(&error))?;
    let analyze = |plan: LogicalPlan| {
        let options = context.state.config_options();
        let analyzed = context.state.analyzer().execute_and_check(plan, options, |_, _| {});
        analyzed.map_err(|error| Error::from_datafusion(&error))
    };
    let settled =
        outer_types::settled(analyze(plan)?).map_err(|error| Error::from_datafusion(&error))?;
    let analyzed = if settled.transformed { analyze(settled.data)? } else { settled.data };
    let columns = columns(&analyzed, &shown);
    Ok(Planned { plan: analyzed, parameters, columns, needs })
}

/// DataFusion's part of planning; also used for the queries of views.
pub(crate) fn plan_with(
    names: &Names<'_>,
    mut query: ast::Query,
    declared: &[Option<PgType>],
) -> Result<(LogicalPlan, Vec<String>)> {
    functions::place_queries(&mut query, names.context())?;
    let again = output_names::has_columns_beside_star(&query).then(|| query.clone());
    match (plan_named(names, query, declared, Beside::Plain), again) {
        (Err(first), Some(query)) => {
            plan_named(names, query, declared, Beside::Marked).map_err(|_| first)
        }
        (planned, _) => planned,
    }
}

fn plan_named(
    names: &Names<'_>,
    mut query: ast::Query,
    declared: &[Option<PgType>],
    beside_star: Beside,
) -> Result<(LogicalPlan, Vec<String>)> {
    output_names::name_outputs(&mut query, beside_star);
    inline::inline(names.context(), &mut query)?;
    populated::name_columns(names.context(), &mut query);
    crate::sql::rewrite::rewrite(&mut query)?;
    merged_names::qualify_within(&mut query);
    let types: Vec<Option<FieldRef>> =
        declared.iter().map(|one| one.map(|pg_type| pg_type.field("", true))).collect();
    let mut tries = 0;
    let mut as_written = None;
    let plan = loop {
        let mut planner_context =
            PlannerContext::new().with_prepare_param_data_types(types.clone());
        let options = ParserOptions::new().with_parse_float_as_decimal(true);
        let statement = ast::Statement::Query(Box::new(query.clone()));
        let planned = SqlToRel::new_with_options(names, options)
            .sql_statement_to_plan_with_context(statement, &mut planner_context);
        tries += 1;
        match planned {
            Err(error)
                if tries < NAMES_MAX && whole_rows::expand(names.context(), &mut query, &error) => {
            }
            Err(error) if tries < NAMES_MAX && named_apart::name_casts(&mut query, &error) => {}
            Err(error)
                if tries < NAMES_MAX
                    && alias_columns::complete(names.context(), &mut query, &error) => {}
            Err(error)
                if tries < NAMES_MAX
                    && error.to_string().contains("GROUP BY")
                    && grouped_by_key::complete(names.context(), &mut query) => {}
            Err(error) if tries < NAMES_MAX => {
                let before = query.clone();
                if !merged_names::qualify(&mut query, &error) {
                    return Err(Error::from_datafusion(&error).in_tree(&query));
                }
                as_written.get_or_insert(before);
            }
            Err(error) => return Err(Error::from_datafusion(&error).in_tree(&query)),
            Ok(plan) => break plan,
        }
    };
    recursive_types::check(&plan).map_err(|error| Error::from_datafusion(&error))?;
    let plan = counted_sets::counted(plan).map_err(|error| Error::from_datafusion(&error))?;
    let plan = using::merged_first(plan, &query).map_err(|error| Error::from_datafusion(&error))?;
    let shown = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
    names.note_needs(&plan)?;
    // What a merged column adds is not what the user asks for.
    let as_written = as_written.as_ref().unwrap_or(&query);
    let plan = using::merge(plan, as_written).map_err(|error| Error::from_datafusion(&error))?;
    let plan = needs::open(plan)?;
    let plan = if names.changes() { stored::unmarked(plan)? } else { plan };
    Ok((plan, shown))
}

/// Plans one expression over nothing: a default, a constant argument.
///
/// # Errors
/// As [`plan_query`].
pub fn plan_scalar(context: &Arc<QueryContext>, expr: &ast::Expr) -> Result<Planned> {
    let query = crate::sql::parse::query(&format!("SELECT {expr}"))?;
    plan_query(context, query, &[])
}

/// Puts values in place of the parameters.
///
/// # Errors
/// 08P01 when there are too few.
pub fn bind(
    plan: LogicalPlan,
    values: Vec<datafusion::scalar::ScalarValue>,
) -> Result<LogicalPlan> {
    if values.is_empty() {
        return Ok(plan);
    }
    plan.replace_params_with_values(&ParamValues::from(values))
        .map_err(|error| Error::from_datafusion(&error))
}

/// Result columns of a plan, with the names that are shown.
pub fn columns(plan: &LogicalPlan, names: &[String]) -> Vec<Column> {
    let fields = plan.schema().fields().iter();
    fields
        .zip(names)
        .map(|(field, name)| {
            let (table, number) = needs::origin(field).unwrap_or((0, 0));
            let name = output_names::shown(name).to_owned();
            Column { name, pg_type: PgType::from_field(field), table, number }
        })
        .collect()
}

/// Adds the rules after DataFusion's own. `InnerOrder` says which sorts of subqueries matter.
pub fn add_analyzer_rules(state: &mut SessionState) {
    state.add_analyzer_rule(Arc::new(inner_order::InnerOrder));
    state.add_analyzer_rule(Arc::new(subqueries::Subqueries));
}

/// A projection of `plan` to columns of the given types, cast as an assignment does.
///
/// # Errors
/// 42804 where a type cannot be assigned.
pub fn project_for_assignment(
    plan: LogicalPlan,
    targets: &[(String, PgType)],
    context: &Arc<QueryContext>,
) -> Result<LogicalPlan> {
    let exprs = assigned(&plan, targets, context)?;
    project(plan, exprs)
}

/// The same, with the columns behind those as they are.
///
/// # Errors
/// As [`project_for_assignment`].
pub fn project_with_rest(
    plan: LogicalPlan,
    targets: &[(String, PgType)],
    context: &Arc<QueryContext>,
) -> Result<LogicalPlan> {
    let mut exprs = assigned(&plan, targets, context)?;
    let rest = plan.schema().iter().skip(targets.len());
    let column = |field| Expr::Column(datafusion::common::Column::from(field));
    exprs.extend(rest.map(|field| column(field).alias(field.1.name())));
    project(plan, exprs)
}

fn assigned(
    plan: &LogicalPlan,
    targets: &[(String, PgType)],
    context: &Arc<QueryContext>,
) -> Result<Vec<Expr>> {
    let value = |((qualifier, field), (name, target)): ((_, &FieldRef), &(String, PgType))| {
        let column = Expr::Column(datafusion::common::Column::from((qualifier, field)));
        let cast = assign(column, field, *target, context, name)?;
        Ok(cast.alias(name.clone()))
    };
    plan.schema().iter().zip(targets).map(value).collect()
}

fn project(plan: LogicalPlan, exprs: Vec<Expr>) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan)
        .project(exprs)
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| Error::from_datafusion(&error))
}

/// A value as the column that it is assigned to takes it.
///
/// # Errors
/// 42804.
pub(crate) fn assign(
    expr: Expr,
    field: &FieldRef,
    target: PgType,
    context: &Arc<QueryContext>,
    name: &str,
) -> Result<Expr> {
    let source = PgType::from_field(field);
    if source == target && *field.data_type() == target.arrow() {
        return Ok(expr);
    }
    if let Some(function) = functions::register_cast(field, target, context) {
        return Ok(function.call(vec![expr]));
    }
    if let Some(function) = clientele_udfs::cast::cast(field, target, false) {
        return Ok(function.call(vec![expr]));
    }
    let schema =
        datafusion::common::DFSchema::try_from(datafusion::arrow::datatypes::Schema::new(vec![
            field.as_ref().clone(),
        ]))
        .map_err(|error| Error::from_datafusion(&error))?;
    let probe = Expr::Column(datafusion::common::Column::new_unqualified(field.name()));
    if probe.cast_to(&target.arrow(), &schema).is_err() {
        return Err(Error::new(
            "42804",
            format!(
                "column \"{name}\" is of type {} but expression is of type {}",
                target.sql_name(),
                source.sql_name()
            ),
        )
        .with_hint("You will need to rewrite or cast the expression."));
    }
    Ok(Expr::Cast(datafusion::logical_expr::Cast {
        expr: Box::new(expr),
        field: target.field("", true),
    }))
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self::from_datafusion(&DataFusionError::from(error))
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        Self::from_datafusion(&error)
    }
}
