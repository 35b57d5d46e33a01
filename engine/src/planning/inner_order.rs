//! The order of a subquery in FROM, of a view or of a CTE reaches what reads it, as clients that
//! ask for documents rely on: `SELECT json_agg(q) FROM (SELECT … ORDER BY at) q` (manual:
//! functions-aggregate, "supplying the input values from a sorted subquery will usually work").
//!
//! | what reads it | what becomes of ORDER BY |
//! |---|---|
//! | a projection, a filter, a window | stays |
//! | an aggregate whose result depends on the order | goes into its arguments |
//! | such an aggregate over a join with what follows | the same |
//! | another aggregate, a join, DISTINCT, another ORDER BY | goes |

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Sort as Key;
use datafusion::logical_expr::logical_plan::{Projection, SubqueryAlias};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, JoinType, LogicalPlan, Subquery};
use datafusion::optimizer::AnalyzerRule;

use super::distinct_on;

/// Aggregates whose result depends on the order of their rows.
const ORDERED: [&str; 6] =
    ["array_agg", "string_agg", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg"];
/// What the columns that only sort are called; not a name that users type.
const HIDDEN: &str = "\u{1}order";

/// The rule; it runs before subqueries become joins.
#[derive(Debug)]
pub struct InnerOrder;

impl AnalyzerRule for InnerOrder {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        settle(plan, true)
    }

    fn name(&self) -> &str {
        "inner_order"
    }
}

/// Sorts of `plan` stay where their order `shows`.
fn settle(plan: LogicalPlan, shows: bool) -> Result<LogicalPlan> {
    let plan = match plan {
        LogicalPlan::Sort(sort) if !shows && sort.fetch.is_none() => {
            return settle(Arc::unwrap_or_clone(sort.input), false);
        }
        LogicalPlan::Aggregate(aggregate) => LogicalPlan::Aggregate(with_order(aggregate)?),
        other => other,
    };
    let below = match &plan {
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Filter(_) => {
            shows
        }
        LogicalPlan::Sort(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Subquery(_) => false,
        _ => true,
    };
    let plan = plan.map_children(|child| settle(child, below).map(Transformed::yes)).data()?;
    plan.map_subqueries(|query| match query {
        LogicalPlan::Subquery(query) => {
            // One value, or a question whether there is a row: `ARRAY(SELECT …)` is an aggregate.
            let inner = settle(Arc::unwrap_or_clone(query.subquery), false)?;
            let query = Subquery { subquery: Arc::new(inner), ..query };
            Ok(Transformed::yes(LogicalPlan::Subquery(query)))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

/// The aggregate with the order of its input as that of those arguments that have none.
fn with_order(aggregate: Aggregate) -> Result<Aggregate> {
    if !aggregate.aggr_expr.iter().any(takes_order) {
        return Ok(aggregate);
    }
    let Some((input, keys)) = carried(&aggregate.input, false)? else { return Ok(aggregate) };
    let ordered = aggregate.aggr_expr.into_iter().map(|expr| {
        if !takes_order(&expr) {
            return Ok(expr);
        }
        let name = expr.schema_name().to_string();
        let expr = expr.transform_down(|expr| {
            Ok(match expr {
                Expr::AggregateFunction(mut function) => {
                    function.params.order_by.clone_from(&keys);
                    Transformed::yes(Expr::AggregateFunction(function))
                }
                other => Transformed::no(other),
            })
        });
        Ok(expr.data()?.unalias().alias(name))
    });
    let ordered = ordered.collect::<Result<Vec<_>>>()?;
    Aggregate::try_new(Arc::new(input), aggregate.group_expr, ordered)
}

fn takes_order(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => takes_order(&alias.expr),
        Expr::AggregateFunction(function) => {
            ORDERED.contains(&function.func.name())
                && function.params.order_by.is_empty()
                && !function.params.distinct
        }
        _ => false,
    }
}

/// `plan` with the columns that it is sorted by, and these; without the sort, unless rows are `cut`
/// off after it.
fn carried(plan: &LogicalPlan, cut: bool) -> Result<Option<(LogicalPlan, Vec<Key>)>> {
    match plan {
        LogicalPlan::Sort(sort) => {
            if sort.expr.iter().any(|key| !is_carried(&key.expr)) {
                return Ok(None);
            }
            let input = match cut || sort.fetch.is_some() {
                true => plan.clone(),
                false => sort.input.as_ref().clone(),
            };
            Ok(Some((input, sort.expr.clone())))
        }
        LogicalPlan::Distinct(Distinct::On(distinct)) => {
            carried(&distinct_on::first(distinct.clone())?, cut)
        }
        LogicalPlan::Limit(_) => around(plan, true),
        LogicalPlan::Filter(_) | LogicalPlan::Window(_) => around(plan, cut),
        // What stands left comes first, as of a nested loop.
        LogicalPlan::Join(join) if matches!(join.join_type, JoinType::Left | JoinType::Inner) => {
            let Some((left, keys)) = carried(&join.left, cut)? else { return Ok(None) };
            let inputs = vec![left, join.right.as_ref().clone()];
            Ok(Some((plan.with_new_exprs(plan.expressions(), inputs)?, keys)))
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let Some((input, keys)) = carried(&alias.input, cut)? else { return Ok(None) };
            // Columns of the query have other qualifiers outside of it.
            let (input, keys) = shown(input, keys)?;
            let outside = |key: Key| {
                let expr = match key.expr {
                    Expr::Column(column) => {
                        Expr::Column(Column::new(Some(alias.alias.clone()), column.name))
                    }
                    other => other,
                };
                Key { expr, ..key }
            };
            let keys = keys.into_iter().map(outside).collect();
            let alias = SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?;
            Ok(Some((LogicalPlan::SubqueryAlias(alias), keys)))
        }
        LogicalPlan::Projection(projection) => {
            let Some((input, keys)) = carried(&projection.input, cut)? else { return Ok(None) };
            let (plan, keys) = projected(projection.expr.clone(), input, keys)?;
            Ok(Some((plan, keys)))
        }
        _ => Ok(None),
    }
}

/// Whether a key has the same value further out.
fn is_carried(key: &Expr) -> bool {
    let held = |expr: &Expr| {
        matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        )
    };
    !key.is_volatile() && !key.exists(|expr| Ok(held(expr))).unwrap_or(true)
}

/// The same below a node that shows all columns of its input.
fn around(plan: &LogicalPlan, cut: bool) -> Result<Option<(LogicalPlan, Vec<Key>)>> {
    let [input] = plan.inputs()[..] else { return Ok(None) };
    let Some((input, keys)) = carried(input, cut)? else { return Ok(None) };
    let plan = plan.with_new_exprs(plan.expressions(), vec![input])?;
    Ok(Some((plan, keys)))
}

/// Keys as columns of `plan`: what is none becomes one.
fn shown(plan: LogicalPlan, keys: Vec<Key>) -> Result<(LogicalPlan, Vec<Key>)> {
    if keys.iter().all(|key| matches!(key.expr, Expr::Column(_))) {
        return Ok((plan, keys));
    }
    let columns = plan.schema().columns().into_iter().map(Expr::Column).collect();
    projected(columns, plan, keys)
}

/// A projection that shows the keys too.
fn projected(
    mut exprs: Vec<Expr>,
    input: LogicalPlan,
    keys: Vec<Key>,
) -> Result<(LogicalPlan, Vec<Key>)> {
    let before = exprs.len();
    let mut places = Vec::with_capacity(keys.len());
    for key in &keys {
        let same = exprs.iter().position(|expr| expr.clone().unalias() == key.expr);
        places.push(same.unwrap_or_else(|| {
            let number = exprs.len();
            exprs.push(key.expr.clone().alias(format!("{HIDDEN} {number} of {before}")));
            number
        }));
    }
    let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?);
    let columns = plan.schema().columns();
    let keys = keys.into_iter().zip(places);
    let keys = keys.map(|(key, place)| Key { expr: Expr::Column(columns[place].clone()), ..key });
    let keys = keys.collect();
    Ok((plan, keys))
}
