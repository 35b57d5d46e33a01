//! Correlated subqueries become joins, for every shape of query (Neumann and Kemper, "Unnesting
//! Arbitrary Queries", BTW 2015).
//!
//! `SELECT (SELECT o.total FROM orders o WHERE o.customer = c.id ORDER BY o.at LIMIT 1) FROM c`:
//! 1. the *domain* is the distinct values that the subquery takes from outside ([`domain`]);
//! 2. the subquery's plan is computed for all of them at once ([`dependent`]);
//! 3. the outer rows are joined with its results ([`attach`]); a scalar subquery with more than one
//!    row fails ([`single_value`], 21000).
//!
//! What DataFusion's own rules turn into better joins stays with them ([`plain`]).

mod attach;
mod dependent;
mod domain;
mod laterals;
mod plain;
mod recursive;
mod single_value;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::{Join, JoinType, Subquery, SubqueryAlias};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::rewrite_set_comparison::RewriteSetComparison;
use datafusion::optimizer::{AnalyzerRule, OptimizerContext, OptimizerRule};

use super::distinct_on;
use super::values::external;
use crate::error::Error;
use attach::Attached;
use plain::Place;

/// The rule; it runs after type coercion.
#[derive(Debug)]
pub struct Subqueries;

impl AnalyzerRule for Subqueries {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        if !has_subqueries(&plan)? {
            return Ok(plan);
        }
        let plan = RewriteSetComparison::new().rewrite(plan, &OptimizerContext::new())?.data;
        // Inner queries come first: what they take from further out is left in them.
        plan.transform_up_with_subqueries(|node| Ok(Transformed::yes(flatten(node)?)))
            .map(|done| done.data)
    }

    fn name(&self) -> &str {
        "subqueries"
    }
}

fn has_subqueries(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        found |= matches!(node, LogicalPlan::Subquery(_));
        node.apply_expressions(|expr| {
            found |= expr.exists(|expr| Ok(is_subquery(expr)))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn is_subquery(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)
    )
}

fn flatten(node: LogicalPlan) -> Result<LogicalPlan> {
    let node = with_true_references(node)?;
    if let LogicalPlan::Join(join) = node {
        return flatten_join(join);
    }
    let [input] = node.inputs()[..] else { return Ok(node) };
    if !plain::has_other(&node, input)? {
        return Ok(node);
    }
    if let LogicalPlan::Distinct(Distinct::On(distinct)) = node {
        // DataFusion cannot give it other expressions: its order is lost on the way.
        let plan = distinct_on::first(distinct)?;
        return plan.transform_up(|node| Ok(Transformed::yes(flatten(node)?))).data();
    }
    let names = NamePreserver::new(&node);
    let place = Place::of(&node);
    let before = input.schema().columns();
    let mut attached = Attached::new(input.clone(), place);
    let rewritten = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let expr = match place {
            Place::Filter => attached.replace_in_condition(expr)?,
            _ => attached.replace(expr)?,
        };
        Ok(Transformed::yes(name.restore(expr)))
    })?;
    let keeps_columns = matches!(rewritten.data, LogicalPlan::Filter(_) | LogicalPlan::Sort(_));
    let expressions = rewritten.data.expressions();
    let plan = rewritten.data.with_new_exprs(expressions, vec![attached.into_plan()])?;
    match keeps_columns {
        true => {
            LogicalPlanBuilder::from(plan).project(before.into_iter().map(Expr::Column))?.build()
        }
        false => Ok(plan),
    }
}

/// Subqueries of an inner join's condition are a filter's; those of an outer join's condition must
/// be about one side.
fn flatten_join(join: Join) -> Result<LogicalPlan> {
    if laterals::is_lateral(&join)? {
        return laterals::flatten(join);
    }
    let join = Join { right: without_wrapper(&join.right)?, ..join };
    let filter = match &join.filter {
        Some(filter) if filter.exists(|expr| Ok(is_subquery(expr)))? => filter.clone(),
        _ => return Ok(LogicalPlan::Join(join)),
    };
    if join.join_type == JoinType::Inner {
        let rest = LogicalPlan::Join(Join { filter: None, ..join });
        let plan = LogicalPlanBuilder::from(rest).filter(filter)?.build()?;
        return flatten(plan);
    }
    let before = join.schema.columns();
    let mut sides = [join.left.as_ref().clone(), join.right.as_ref().clone()];
    let mut rewritten = filter;
    for side in &mut sides {
        let mut attached = Attached::new(side.clone(), Place::Other);
        rewritten = attached.replace_about(rewritten)?;
        *side = attached.into_plan();
    }
    if rewritten.exists(|expr| Ok(is_subquery(expr)))? {
        let what = "a subquery about both sides of an outer join in its condition";
        return Err(external(Error::unsupported(what)));
    }
    let [left, right] = sides;
    let keys: (Vec<_>, Vec<_>) = join.on.into_iter().unzip();
    let plan = LogicalPlanBuilder::from(left)
        .join_with_expr_keys(right, join.join_type, keys, Some(rewritten))?
        .project(before.into_iter().map(Expr::Column))?;
    plan.build()
}

/// A subquery's list of outer columns, as it is once the queries in it are flat.
fn with_true_references(node: LogicalPlan) -> Result<LogicalPlan> {
    let node = node.map_expressions(|expr| {
        expr.transform_up(|expr| {
            let renew = |subquery: Subquery| -> Result<Subquery> {
                let outer_ref_columns = domain::references(&subquery.subquery)?;
                Ok(Subquery { outer_ref_columns, ..subquery })
            };
            Ok(match expr {
                Expr::ScalarSubquery(subquery) => {
                    Transformed::yes(Expr::ScalarSubquery(renew(subquery)?))
                }
                Expr::Exists(Exists { subquery, negated }) => {
                    let subquery = renew(subquery)?;
                    Transformed::yes(Expr::Exists(Exists { subquery, negated }))
                }
                Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                    let subquery = renew(subquery)?;
                    Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery, negated }))
                }
                other => Transformed::no(other),
            })
        })
    })?;
    Ok(node.data)
}

/// Sides of a join that were LATERAL and take nothing from outside are plain queries.
fn without_wrapper(plan: &Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
    Ok(match plan.as_ref() {
        LogicalPlan::Subquery(subquery) if domain::references(&subquery.subquery)?.is_empty() => {
            Arc::clone(&subquery.subquery)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let input = without_wrapper(&alias.input)?;
            Arc::new(LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(
                input,
                alias.alias.clone(),
            )?))
        }
        _ => Arc::clone(plan),
    })
}
