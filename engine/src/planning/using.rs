//! The column of `JOIN … USING`: of a right join the right side's, of a full join the one that is
//! there (manual, 7.2.1.1). DataFusion takes the left side's.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{JoinConstraint, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, when};
use sqlparser::ast::{self, Query, Visit, Visitor};

use crate::sql::place::folded;

/// Merges the columns that the query does not name with their table.
///
/// # Errors
/// A plan that cannot be built.
pub fn merge(plan: LogicalPlan, query: &Query) -> Result<LogicalPlan> {
    let mut names = Qualified::default();
    let _ = Visit::visit(query, &mut names);
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join)
            if join.join_constraint == JoinConstraint::Using
                && matches!(join.join_type, JoinType::Right | JoinType::Full) =>
        {
            let mut exprs = Vec::new();
            for column in join.schema.columns() {
                let own = Expr::Column(column.clone());
                let pair = join.on.iter().find(|(left, _)| *left == own);
                let table = column.relation.as_ref().map(|one| one.table().to_owned());
                let named =
                    table.is_some_and(|table| names.0.contains(&(table, column.name.clone())));
                exprs.push(match (pair, join.join_type) {
                    (Some(_), _) if named => own,
                    (Some((_, right)), JoinType::Right) => {
                        right.clone().alias_qualified(column.relation, column.name)
                    }
                    (Some((left, right)), _) => when(left.clone().is_null(), right.clone())
                        .otherwise(left.clone())?
                        .alias_qualified(column.relation, column.name),
                    (None, _) => own,
                });
            }
            let plan = LogicalPlanBuilder::from(LogicalPlan::Join(join)).project(exprs)?;
            plan.build().map(Transformed::yes)
        }
        node => Ok(Transformed::no(node)),
    })
    .map(|done| done.data)
}

/// Tables and columns named together.
#[derive(Default)]
struct Qualified(HashSet<(String, String)>);

impl Visitor for Qualified {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        if let ast::Expr::CompoundIdentifier(parts) = expr
            && let [.., table, column] = parts.as_slice()
        {
            self.0.insert((folded(table), folded(column)));
        }
        ControlFlow::Continue(())
    }
}
