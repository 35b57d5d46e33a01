//! Which subqueries DataFusion's own rules turn into joins, and better ones: they need no domain.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::logical_plan::{JoinType, Subquery};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion::optimizer::{OptimizerContext, OptimizerRule};

use super::{domain, is_subquery};

/// What kind of node an expression stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A filter: its conditions may be joins.
    Filter,
    /// A projection.
    Projection,
    /// Any other.
    Other,
}

impl Place {
    pub(super) fn of(node: &LogicalPlan) -> Self {
        match node {
            LogicalPlan::Filter(_) => Self::Filter,
            LogicalPlan::Projection(_) => Self::Projection,
            _ => Self::Other,
        }
    }
}

/// Whether a node has a subquery that DataFusion does not plan as a join.
pub(super) fn has_other(node: &LogicalPlan, input: &LogicalPlan) -> Result<bool> {
    let place = Place::of(node);
    let mut found = false;
    node.apply_expressions(|expr| {
        let parts = match place {
            Place::Filter => split_conjunction(expr),
            _ => vec![expr],
        };
        for part in parts {
            let plain = place == Place::Filter && is_plain_condition(part, input)?;
            found |= !plain && has_other_in(part, input, place)?;
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn has_other_in(expr: &Expr, input: &LogicalPlan, place: Place) -> Result<bool> {
    expr.exists(|expr| Ok(is_subquery(expr) && !is_plain_value(expr, input, place)?))
}

/// A scalar subquery that takes nothing from outside is computed once; one that is an aggregate
/// becomes a join of groups.
pub(super) fn is_plain_value(expr: &Expr, input: &LogicalPlan, place: Place) -> Result<bool> {
    let Expr::ScalarSubquery(subquery) = expr else { return Ok(false) };
    if subquery.outer_ref_columns.is_empty() {
        return Ok(true);
    }
    if place == Place::Other {
        return Ok(false);
    }
    if !is_aggregate(&subquery.subquery) || !is_about(subquery, input) || !is_simple(subquery)? {
        return Ok(false);
    }
    let trial =
        LogicalPlanBuilder::from(input.clone()).project([expr.clone().alias("value")])?.build()?;
    let done = ScalarSubqueryToJoin::new().rewrite(trial, &OptimizerContext::new());
    Ok(done.is_ok_and(|done| done.transformed))
}

/// `EXISTS` and `IN` as a whole condition become semi joins and anti joins.
pub(super) fn is_plain_condition(expr: &Expr, input: &LogicalPlan) -> Result<bool> {
    let (subquery, may_correlate) = match expr {
        Expr::Exists(Exists { subquery, .. }) => (subquery, true),
        Expr::InSubquery(InSubquery { subquery, negated, expr }) => {
            if expr.exists(|inner| Ok(is_subquery(inner)))? {
                return Ok(false);
            }
            (subquery, !negated)
        }
        Expr::Not(inner) => {
            let exists = matches!(inner.as_ref(), Expr::Exists(_));
            return Ok(exists && is_plain_condition(inner, input)?);
        }
        _ => return Ok(false),
    };
    let correlated = !subquery.outer_ref_columns.is_empty();
    if correlated && (!may_correlate || !is_about(subquery, input) || !is_simple(subquery)?) {
        return Ok(false);
    }
    let trial = LogicalPlanBuilder::from(input.clone()).filter(expr.clone())?.build()?;
    let done = DecorrelatePredicateSubquery::new().rewrite(trial, &OptimizerContext::new());
    let Ok(done) = done else { return Ok(false) };
    let mut left = false;
    done.data.apply_expressions(|expr| {
        left |= expr.exists(|expr| Ok(is_subquery(expr)))?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(!left)
}

/// Everything that the subquery takes from outside is a column of this input.
fn is_about(subquery: &Subquery, input: &LogicalPlan) -> bool {
    subquery.outer_ref_columns.iter().all(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) => input.schema().has_column(column),
        _ => false,
    })
}

fn is_aggregate(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => is_aggregate(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_aggregate(&alias.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        _ => false,
    }
}

/// Outer columns stand in filters only, and nothing counts or cuts rows above those.
fn is_simple(subquery: &Subquery) -> Result<bool> {
    let mut plan = subquery.subquery.as_ref();
    if is_aggregate(plan) {
        while !matches!(plan, LogicalPlan::Aggregate(_)) {
            if uses_outer(plan)? {
                return Ok(false);
            }
            let [input] = plan.inputs()[..] else { return Ok(false) };
            plan = input;
        }
        if uses_outer(plan)? {
            return Ok(false);
        }
        let [input] = plan.inputs()[..] else { return Ok(false) };
        plan = input;
    }
    filters_only(plan)
}

fn filters_only(plan: &LogicalPlan) -> Result<bool> {
    Ok(match plan {
        LogicalPlan::Filter(filter) => filters_only(&filter.input)?,
        LogicalPlan::Projection(_) => {
            let [input] = plan.inputs()[..] else { return Ok(false) };
            !uses_outer(plan)? && filters_only(input)?
        }
        LogicalPlan::SubqueryAlias(alias) => filters_only(&alias.input)?,
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
            !uses_outer(plan)? && filters_only(&join.left)? && filters_only(&join.right)?
        }
        LogicalPlan::TableScan(_) => true,
        other => domain::references(other)?.is_empty(),
    })
}

fn uses_outer(node: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    node.apply_expressions(|expr| {
        found |= expr.exists(|expr| Ok(is_subquery(expr) || expr.contains_outer()))?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}
