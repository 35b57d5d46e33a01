//! Table functions in FROM: `generate_series(1, 3) AS g`, `schema.function(name => value)`.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, FunctionArgOperator, Ident, TableAlias,
    TableAliasColumnDef, TableFactor,
};

use super::context::QueryContext;
use super::{unnested, values};
use crate::error::{Error, Result};
use crate::functions::calls::{self, Argument};
use crate::functions::per_row;
use crate::sql::mended::ROWS_FROM;
use crate::sql::place::{folded, name_parts};
use crate::sql::rewrite::{self, own_call};
use crate::{functions, preview};

/// Plans table functions of one statement.
pub struct Relations {
    context: Arc<QueryContext>,
}

impl std::fmt::Debug for Relations {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Relations")
    }
}

impl Relations {
    /// For one statement.
    pub fn new(context: Arc<QueryContext>) -> Self {
        Self { context }
    }

    fn rows(
        &self,
        name: &str,
        arguments: Vec<(Option<String>, ast::Expr)>,
        planner: &mut dyn RelationPlannerContext,
    ) -> DataFusionResult<Option<LogicalPlan>> {
        if let Some(function) = calls::find(name) {
            return self.call(function, arguments, planner);
        }
        let Some(function) = functions::table_function(name) else { return Ok(None) };
        let mut values = Vec::with_capacity(arguments.len());
        for (label, expr) in arguments {
            let expr = planner.sql_to_expr(expr, &DFSchema::empty())?;
            let Some(value) = self.constant(expr)? else { return Ok(None) };
            values.push((label, value));
        }
        if let Some(plan) = super::series::plan(name, &values)? {
            return Ok(Some(plan));
        }
        let batch = function(&self.context, values).map_err(external)?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        let source = provider_as_source(Arc::new(table));
        let label = name.rsplit('.').next().unwrap_or(name).to_owned();
        LogicalPlanBuilder::scan(label, source, None)?.build().map(Some)
    }

    /// A function whose arguments may be queries; `None` where one of them is not known before
    /// the statement runs.
    fn call(
        &self,
        function: &'static calls::Function,
        arguments: Vec<(Option<String>, ast::Expr)>,
        planner: &mut dyn RelationPlannerContext,
    ) -> DataFusionResult<Option<LogicalPlan>> {
        let mut given = Vec::with_capacity(arguments.len());
        let mut next = 0;
        for (label, expr) in arguments {
            let is_query = matches!(expr, ast::Expr::Subquery(_));
            let parameter = function.parameter(next, label.as_deref(), is_query);
            let parameter = parameter.map_err(external)?;
            next = parameter + 1;
            let argument = match function.takes_query(parameter) {
                true => {
                    let plan = planner.plan(derived(expr).map_err(external)?)?;
                    if hangs_on_others(&plan)? {
                        return Ok(None);
                    }
                    Argument::Query(plan)
                }
                false => {
                    let expr = planner.sql_to_expr(expr, &DFSchema::empty())?;
                    match self.constant(expr)? {
                        Some(value) => Argument::Value(value),
                        None => return Ok(None),
                    }
                }
            };
            given.push((parameter, argument));
        }
        function.plan(&self.context, given).map(Some).map_err(external)
    }

    /// A function that is called for each row: a list of rows, unnested.
    fn each(
        &self,
        name: &str,
        (arguments, ordinality): (Vec<(Option<String>, ast::Expr)>, bool),
        planner: &mut dyn RelationPlannerContext,
    ) -> DataFusionResult<Option<LogicalPlan>> {
        let schema = DFSchema::empty();
        let mut model = None;
        let is_model = |label: Option<&str>| label.is_none_or(|label| label == "model");
        if let Some((label, expr)) = arguments.first().filter(|(_, expr)| is_text(expr))
            && is_model(label.as_deref())
        {
            model = self.constant(planner.sql_to_expr(expr.clone(), &schema)?)?;
        }
        let given: Vec<&str> = arguments.iter().filter_map(|(label, _)| label.as_deref()).collect();
        let found = per_row::find(name, &self.context, (model, &given)).map_err(external)?;
        let Some(callee) = found else { return Ok(None) };
        let (mut labels, mut exprs) = (Vec::new(), Vec::new());
        for (place, (label, expr)) in arguments.into_iter().enumerate() {
            let parameter = callee.parameter(place, label.as_deref());
            let takes_query = parameter.is_some_and(|one| one.takes_query);
            let expr = match expr {
                ast::Expr::Subquery(mut query) if takes_query => {
                    rewrite::array_of(&mut query).ok_or_else(|| external(unsupported_query()))?
                }
                other => other,
            };
            let expr = planner.sql_to_expr(expr, &schema)?;
            let expr = match (expr, parameter.and_then(|one| one.pg_type)) {
                (Expr::Placeholder(mut one), Some(pg_type)) => {
                    one.field.get_or_insert_with(|| pg_type.field("", true));
                    Expr::Placeholder(one)
                }
                (expr, _) => expr,
            };
            exprs.push(values::rewrite_expression(expr, &schema, &self.context)?);
            labels.push(label);
        }
        let list = callee.bound(name, labels, &self.context).call(exprs);
        unnested::plan(name, vec![list], ordinality).map(Some)
    }

    /// Evaluates an argument; `None` when it hangs on columns or on the session.
    fn constant(&self, expr: Expr) -> DataFusionResult<Option<ScalarValue>> {
        if expr.exists(|expr| Ok(!is_simple(expr)))? {
            return Ok(None);
        }
        let schema = DFSchema::empty();
        let expr = values::rewrite_expression(expr, &schema, &self.context)?;
        let info = SimplifyContext::builder()
            .with_config_options(Arc::clone(self.context.state.config_options()))
            .with_query_execution_start_time(Some(self.context.started_at))
            .build();
        let simplifier = ExprSimplifier::new(info);
        let expr = simplifier.coerce(expr, &schema)?;
        match simplifier.simplify(expr)?.unalias() {
            Expr::Literal(value, _) => Ok(Some(value)),
            Expr::Cast(cast) => match *cast.expr {
                Expr::Literal(value, _) => value.cast_to(cast.field.data_type()).map(Some),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// A function that returns one value, as a row.
    fn scalar(
        &self,
        name: &str,
        arguments: Vec<ast::Expr>,
        planner: &mut dyn RelationPlannerContext,
    ) -> DataFusionResult<Option<LogicalPlan>> {
        let known = functions::of_session(name, &self.context).is_some()
            || functions::registered_name(name)
                .is_some_and(|name| self.context.state.scalar_functions().contains_key(name));
        if !known {
            return Ok(None);
        }
        let schema = DFSchema::empty();
        let expr = planner.sql_to_expr(rewrite::call(name, arguments), &schema)?;
        let expr = values::rewrite_expression(expr, &schema, &self.context)?;
        unnested::value(name, expr).map(Some)
    }

    /// The rows of functions whose arguments hang on other columns: lists, unnested side by side.
    fn lists(
        &self,
        name: &str,
        arguments: Vec<ast::Expr>,
        ordinality: bool,
        planner: &mut dyn RelationPlannerContext,
    ) -> DataFusionResult<Option<LogicalPlan>> {
        let calls = match name {
            "unnest" => arguments.into_iter().map(|one| own_call("flat", vec![one])).collect(),
            // The functions in it have become lists already.
            ROWS_FROM => arguments.into_iter().map(list_of).collect(),
            name if functions::table_function(name).is_some() => {
                vec![rewrite::call(name, arguments)]
            }
            name => return self.scalar(name, arguments, planner),
        };
        let mut lists = Vec::with_capacity(calls.len());
        for call in calls {
            let expr = planner.sql_to_expr(call, &DFSchema::empty())?;
            lists.push(values::rewrite_expression(expr, &DFSchema::empty(), &self.context)?);
        }
        unnested::plan(name, lists, ordinality).map(Some)
    }
}

/// Whether a query refers to columns of other relations than its own.
fn hangs_on_others(plan: &LogicalPlan) -> DataFusionResult<bool> {
    let (mut own, mut referred) = (HashSet::new(), Vec::new());
    plan.apply_with_subqueries(|node| {
        own.extend(node.schema().iter().filter_map(|(relation, _)| relation.cloned()));
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::OuterReferenceColumn(_, column) = expr {
                    referred.extend(column.relation.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(referred.iter().any(|one| !own.contains(one)))
}

fn is_text(expr: &ast::Expr) -> bool {
    matches!(expr, ast::Expr::Value(value)
        if matches!(value.value, ast::Value::SingleQuotedString(_)))
}

fn unsupported_query() -> Error {
    Error::unsupported("a query of several columns beside arguments that are not constants")
}

/// A query in FROM: one that was given, or one of the values that were.
fn derived(expr: ast::Expr) -> Result<TableFactor> {
    let subquery = match expr {
        ast::Expr::Subquery(query) => query,
        other => {
            let is_array = matches!(other, ast::Expr::Array(_));
            let value = match is_array {
                true => rewrite::call("unnest", vec![other]),
                false => other,
            };
            let mut query = crate::sql::parse::query("SELECT 1")?;
            if let ast::SetExpr::Select(select) = query.body.as_mut() {
                select.projection = vec![ast::SelectItem::UnnamedExpr(value)];
            }
            Box::new(query)
        }
    };
    Ok(TableFactor::Derived { lateral: false, subquery, alias: None, sample: None })
}

/// A function that returns a set stands as `unnest(f(x))` where expressions do; the value of another
/// one is one row.
fn list_of(call: ast::Expr) -> ast::Expr {
    if let ast::Expr::Function(function) = &call
        && name_parts(&function.name) == ["unnest"]
        && let ast::FunctionArguments::List(list) = &function.args
        && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(list))] = list.args.as_slice()
    {
        return list.clone();
    }
    own_call("make_array", vec![call])
}

/// Whether an expression can be evaluated before the statement runs.
fn is_simple(expr: &Expr) -> bool {
    !matches!(
        expr,
        Expr::Placeholder(_)
            | Expr::Column(_)
            | Expr::OuterReferenceColumn(..)
            | Expr::ScalarSubquery(_)
            | Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_)
    )
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl RelationPlanner for Relations {
    fn plan_relation(
        &self,
        relation: TableFactor,
        planner: &mut dyn RelationPlannerContext,
    ) -> DataFusionResult<RelationPlanning> {
        let TableFactor::Function { name, args, alias, with_ordinality, .. } = &relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let arguments = labelled(args).map_err(external)?;
        let parts = name_parts(name);
        let name = match parts.as_slice() {
            [schema, name] if schema == "pg_catalog" || schema == "information_schema" => {
                name.clone()
            }
            parts => parts.join("."),
        };
        if name == preview::SIZE && functions::are_constant(&arguments) {
            let values = functions::arguments_of(&name, arguments).map_err(external)?;
            let plan = preview::plan_size(&self.context, &values, planner)?;
            return Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
                plan,
                alias.clone(),
            ))));
        }
        let plain = arguments.iter().map(|(_, expr)| expr.clone()).collect();
        let constant = match *with_ordinality || name == "unnest" || name == ROWS_FROM {
            true => None,
            false => self.rows(&name, arguments.clone(), planner)?,
        };
        let constant = match constant {
            Some(plan) => Some(plan),
            None => self.each(&name, (arguments, *with_ordinality), planner)?,
        };
        let plan = match constant {
            Some(plan) => plan,
            None => match self.lists(&name, plain, *with_ordinality, planner)? {
                Some(plan) => plan,
                None => return Ok(RelationPlanning::Original(Box::new(relation))),
            },
        };
        let alias = alias.clone().map(|alias| column_alias(alias, &plan));
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
    }
}

/// A function that gives one column names it like the table alias: `generate_series(1,3) g` has a
/// column `g` (manual: queries-table-expressions, Table Functions).
fn column_alias(mut alias: TableAlias, plan: &LogicalPlan) -> TableAlias {
    let first = plan.schema().fields().first();
    let scalar =
        first.is_some_and(|field| field.metadata().contains_key(functions::SCALAR_RESULT_KEY));
    if alias.columns.is_empty() && scalar {
        alias.columns = vec![TableAliasColumnDef { name: alias.name.clone(), data_type: None }];
    }
    let mut rest = plan.schema().fields().iter().skip(alias.columns.len());
    if !alias.columns.is_empty() {
        for field in rest.by_ref() {
            let name = Ident::with_quote('"', field.name());
            alias.columns.push(TableAliasColumnDef { name, data_type: None });
        }
    }
    alias
}

/// Arguments with their names: `f(1, name => 2)`.
///
/// # Errors
/// 42601 for wildcards.
pub fn labelled(arguments: &[FunctionArg]) -> Result<Vec<(Option<String>, ast::Expr)>> {
    arguments
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok((None, expr.clone())),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                operator:
                    FunctionArgOperator::RightArrow
                    | FunctionArgOperator::Assignment
                    | FunctionArgOperator::Equals,
            }
            | FunctionArg::ExprNamed {
                // PostgreSQL's dialect reads the name as an expression.
                name: ast::Expr::Identifier(name),
                arg: FunctionArgExpr::Expr(expr),
                operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
            } => Ok((Some(folded(name)), expr.clone())),
            other => Err(Error::new("42601", format!("syntax error at or near \"{other}\""))),
        })
        .collect()
}
