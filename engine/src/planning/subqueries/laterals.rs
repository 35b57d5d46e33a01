//! `LATERAL`: the right side of a join that takes columns from the left one.

use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{Join, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::dependent::dependent;
use super::domain::{self, Domain};
use crate::error::Error;
use crate::planning::values::external;

/// Whether the right side takes columns from the left one.
pub(super) fn is_lateral(join: &Join) -> Result<bool> {
    Ok(!domain::columns_of(&join.right, join.left.schema())?.is_empty())
}

/// The join without dependency.
pub(super) fn flatten(join: Join) -> Result<LogicalPlan> {
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        let text = "invalid reference to FROM-clause entry from a LATERAL subquery";
        return Err(external(Error::new("42P10", text).with_detail(
            "The combining JOIN type must be INNER or LEFT for a LATERAL reference.",
        )));
    }
    let before = join.schema.columns();
    let outer = domain::columns_of(&join.right, join.left.schema())?;
    let domain = Domain::new(join.left.as_ref().clone(), outer.clone())?;
    let right = dependent(&join.right, &domain)?;
    let on = join.on.into_iter().map(|(left, right)| left.eq(right));
    let condition = on.chain(join.filter).reduce(Expr::and);
    let left = join.left.as_ref().clone();
    let keys = (outer, domain.columns());
    let condition = condition.filter(|condition| *condition != lit(true));
    let plan = domain::join(left, right, join.join_type, keys, condition)?;
    LogicalPlanBuilder::from(plan).project(before.into_iter().map(Expr::Column))?.build()
}
