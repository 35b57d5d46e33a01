//! `EXCEPT ALL` and `INTERSECT ALL` count rows: of a row that is m times on the left and n times on
//! the right max(m − n, 0) and min(m, n) stay (manual: sql-select, EXCEPT and INTERSECT). DataFusion
//! asks only whether there is such a row; here the k-th of equal rows meets the k-th.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::logical_plan::Join;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder};

/// Name of the column that numbers equal rows.
const NUMBER: &str = "number of equal row";

/// Numbers the rows on both sides of such operations.
///
/// # Errors
/// A plan that cannot be built.
pub(super) fn counted(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) if counts(&join) => by_number(&join).map(Transformed::yes),
        node => Ok(Transformed::no(node)),
    })
    .map(|done| done.data)
}

/// Only set operations find NULL equal to NULL; without ALL their left side is distinct.
fn counts(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.filter.is_none()
        && !matches!(join.left.as_ref(), LogicalPlan::Distinct(_))
        && !join.left.schema().fields().iter().any(|field| field.name() == NUMBER)
}

fn by_number(join: &Join) -> Result<LogicalPlan> {
    let shown = join.left.schema().columns().into_iter().map(Expr::Column);
    let shown: Vec<Expr> = shown.collect();
    let (left, right): (Vec<Expr>, Vec<Expr>) = join.on.iter().cloned().unzip();
    let columns = |keys: &[Expr]| -> Vec<Column> {
        let named = keys.iter().filter_map(|key| key.try_as_col().cloned());
        named.chain([Column::new_unqualified(NUMBER)]).collect()
    };
    let keys = (columns(&left), columns(&right));
    let right = numbered(&join.right, right)?.build()?;
    numbered(&join.left, left)?
        .join_detailed(right, join.join_type, keys, None, join.null_equality)?
        .project(shown)?
        .build()
}

fn numbered(plan: &LogicalPlan, keys: Vec<Expr>) -> Result<LogicalPlanBuilder> {
    let number = row_number().partition_by(keys).build()?.alias(NUMBER);
    LogicalPlanBuilder::from(plan.clone()).window([number])
}
