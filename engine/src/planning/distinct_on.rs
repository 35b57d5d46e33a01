//! `SELECT DISTINCT ON` is the first row of each group: a window, not an aggregate for every
//! column. DataFusion's own way keeps an ordered `first_value` for each output column and group.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr_rewriter::normalize_cols;
use datafusion::logical_expr::{
    Distinct, DistinctOn, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, lit,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Puts `row_number() … = 1` in place of DISTINCT ON.
#[derive(Debug)]
pub struct DistinctOnFirstRow;

impl OptimizerRule for DistinctOnFirstRow {
    fn name(&self) -> &'static str {
        "distinct_on_first_row"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Distinct(Distinct::On(distinct)) => Ok(Transformed::yes(first(distinct)?)),
            other => Ok(Transformed::no(other)),
        }
    }
}

/// The first row of each group.
///
/// # Errors
/// A plan that cannot be built.
pub fn first(distinct: DistinctOn) -> Result<LogicalPlan> {
    let DistinctOn { on_expr, select_expr, sort_expr, input, schema } = distinct;
    let groups = normalize_cols(on_expr, input.as_ref())?;
    let mut order = sort_expr.unwrap_or_default();
    let within = order.split_off(groups.len().min(order.len()));
    let number = row_number().partition_by(groups);
    // An empty order is not the same as none: its frame would need a key.
    let number = if within.is_empty() { number } else { number.order_by(within) };
    let number = number.build()?;
    let mut plan = LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).window(vec![number])?;
    let number = plan.schema().iter().last().map(|(qualifier, field)| {
        Expr::Column(datafusion::common::Column::from((qualifier, field)))
    });
    if let Some(number) = number {
        plan = plan.filter(number.eq(lit(1_u64)))?;
    }
    let (below, above) = match order.iter().any(|key| has_subquery(&key.expr)) {
        true => (order, vec![]),
        false => (vec![], order),
    };
    if !below.is_empty() {
        plan = plan.sort(below)?;
    }
    let named = select_expr.into_iter().zip(schema.iter());
    let named = named
        .map(|(expr, (qualifier, field))| expr.alias_qualified(qualifier.cloned(), field.name()));
    plan = plan.project(named.collect::<Vec<_>>())?;
    if !above.is_empty() {
        // The manual, SELECT: the rows come in the order of ORDER BY, which begins with ON. Subqueries
        // in the select list become joins below, which keep none.
        plan = plan.sort(above)?;
    }
    plan.build()
}

fn has_subquery(key: &Expr) -> bool {
    let is_subquery = |expr: &Expr| {
        matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_))
    };
    key.exists(|expr| Ok(is_subquery(expr))).unwrap_or(false)
}
