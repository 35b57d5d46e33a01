//! The column of `JOIN … USING`: of a right join the right side's, of a full join the one that is
//! there (manual, 7.2.1.1). DataFusion takes the left side's.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{JoinConstraint, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, when};
use sqlparser::ast::{self, Query, Visit, Visitor};

use super::values::external;
use crate::error::Error;
use crate::sql::place::folded;

/// Merges the columns that the query does not name with their table.
///
/// # Errors
/// 0A000 for a query that names a column both ways; a plan that cannot be built.
pub fn merge(plan: LogicalPlan, query: &Query) -> Result<LogicalPlan> {
    let mut names = Named::default();
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
                let named = table
                    .is_some_and(|table| names.of_tables.contains(&(table, column.name.clone())));
                if pair.is_some() && named && names.is_bare(&column.name) {
                    return Err(external(Error::unsupported(format!(
                        "naming both the merged column \"{}\" and that of a table of the join",
                        column.name
                    ))));
                }
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

/// The columns that a query names.
#[derive(Default)]
struct Named {
    /// With their tables.
    of_tables: HashSet<(String, String)>,
    /// Alone.
    alone: HashSet<String>,
    /// `*`: all of them.
    all: bool,
}

impl Named {
    /// Whether a column is named alone.
    fn is_bare(&self, name: &str) -> bool {
        self.all || self.alone.contains(name)
    }
}

impl Visitor for Named {
    type Break = ();

    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<()> {
        let all = |item: &ast::SelectItem| matches!(item, ast::SelectItem::Wildcard(_));
        let joins = select.from.iter().any(|from| !from.joins.is_empty());
        self.all |= joins && select.projection.iter().any(all);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        if let ast::Expr::CompoundIdentifier(parts) = expr
            && let [.., table, column] = parts.as_slice()
        {
            self.of_tables.insert((folded(table), folded(column)));
        }
        if let ast::Expr::Identifier(column) = expr {
            self.alone.insert(folded(column));
        }
        ControlFlow::Continue(())
    }
}
/// `SELECT * FROM a JOIN b USING (id)` shows the merged columns first (manual, 7.2.1.1).
///
/// # Errors
/// A plan that cannot be built.
pub fn merged_first(plan: LogicalPlan, query: &Query) -> Result<LogicalPlan> {
    let ast::SetExpr::Select(select) = query.body.as_ref() else { return Ok(plan) };
    let joined = matches!(select.from.as_slice(), [table] if !table.joins.is_empty());
    match select.projection.as_slice() {
        [ast::SelectItem::Wildcard(_)] if joined => reordered(plan),
        _ => Ok(plan),
    }
}

fn reordered(plan: LogicalPlan) -> Result<LogicalPlan> {
    match &plan {
        LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::Distinct(_) => {
            let inputs = plan.inputs().into_iter().cloned().map(reordered);
            plan.with_new_exprs(plan.expressions(), inputs.collect::<Result<Vec<_>>>()?)
        }
        LogicalPlan::Projection(projection) => {
            let merged = merged_columns(&projection.input);
            let place = |expr: &Expr| match expr {
                Expr::Column(column) => merged.iter().position(|name| *name == column.name),
                _ => None,
            };
            let mut exprs = projection.expr.clone();
            if merged.is_empty() || exprs.iter().any(|one| !matches!(one, Expr::Column(_))) {
                return Ok(plan);
            }
            exprs.sort_by_key(|expr| place(expr).unwrap_or(usize::MAX));
            LogicalPlanBuilder::from(projection.input.as_ref().clone()).project(exprs)?.build()
        }
        _ => Ok(plan),
    }
}

/// The merged columns of a join of joins, those of the last one first.
fn merged_columns(plan: &LogicalPlan) -> Vec<String> {
    let LogicalPlan::Join(join) = plan else {
        let below = matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::Projection(_));
        return match plan.inputs().as_slice() {
            [input] if below => merged_columns(input),
            _ => Vec::new(),
        };
    };
    let mut merged = Vec::new();
    if join.join_constraint == JoinConstraint::Using {
        merged.extend(join.on.iter().filter_map(|(left, _)| match left {
            Expr::Column(column) => Some(column.name.clone()),
            _ => None,
        }));
    }
    for name in merged_columns(&join.left) {
        if !merged.contains(&name) {
            merged.push(name);
        }
    }
    merged
}
