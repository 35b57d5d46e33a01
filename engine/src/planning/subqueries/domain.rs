//! The distinct values that a subquery takes from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, NullEquality, TableReference};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::JoinType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::is_subquery;
use super::recursive::Working;
use crate::error::Error;
use crate::planning::values::external;

static NEXT: AtomicUsize = AtomicUsize::new(1);

/// A name that no user writes and no other subquery has.
pub(super) fn fresh(prefix: &str) -> TableReference {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    TableReference::bare(format!("__{prefix}_{number}"))
}

/// Columns of a relation made here. No two relations share a name: a plan may have them beside
/// columns without a qualifier.
pub(super) fn columns(relation: &TableReference, count: usize) -> Vec<Column> {
    (0..count)
        .map(|place| Column::new(Some(relation.clone()), column_name(relation, place)))
        .collect()
}

pub(super) fn column_name(relation: &TableReference, place: usize) -> String {
    format!("{}_{place}", relation.table())
}

/// The outer columns that a plan refers to, without those that its own subqueries take from it.
pub(super) fn references(plan: &LogicalPlan) -> Result<Vec<Expr>> {
    let mut found = Vec::new();
    plan.apply(|node| {
        let inputs = node.inputs();
        let inside = |column: &Column| inputs.iter().any(|one| one.schema().has_column(column));
        let mut add = |expr: &Expr, nested: bool| {
            if let Expr::OuterReferenceColumn(_, column) = expr
                && !(nested && inside(column))
                && !found.contains(expr)
            {
                found.push(expr.clone());
            }
        };
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                add(expr, false);
                if is_subquery(expr) {
                    let (Expr::ScalarSubquery(subquery)
                    | Expr::Exists(datafusion::logical_expr::expr::Exists { subquery, .. })
                    | Expr::InSubquery(datafusion::logical_expr::expr::InSubquery {
                        subquery,
                        ..
                    })) = expr
                    else {
                        return Ok(TreeNodeRecursion::Continue);
                    };
                    for one in references(&subquery.subquery)? {
                        add(&one, true);
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Of the outer columns of a plan those that are this schema's.
pub(super) fn columns_of(plan: &LogicalPlan, schema: &DFSchema) -> Result<Vec<Column>> {
    let columns = references(plan)?.into_iter().filter_map(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) if schema.has_column(&column) => Some(column),
        _ => None,
    });
    Ok(columns.collect())
}

/// A relation of the distinct values of some outer columns.
pub(super) struct Domain {
    /// Its name.
    pub(super) name: TableReference,
    /// The outer columns; those of the domain are in the same order.
    pub(super) outer: Vec<Column>,
    /// Its rows.
    pub(super) plan: LogicalPlan,
    /// Working tables that have its columns.
    pub(super) working: Vec<Working>,
}

impl Domain {
    /// The values that `rows` has.
    ///
    /// # Errors
    /// 0A000 where a volatile function makes the values: the rows are computed twice, and it would
    /// make others the second time.
    pub(super) fn new(rows: LogicalPlan, outer: Vec<Column>) -> Result<Self> {
        refuse_volatile(&rows, &outer)?;
        let name = fresh("outer");
        let exprs = outer
            .iter()
            .enumerate()
            .map(|(place, column)| Expr::Column(column.clone()).alias(column_name(&name, place)));
        let plan = LogicalPlanBuilder::from(rows).project(exprs)?.distinct()?;
        let plan = plan.alias(name.clone())?.build()?;
        Ok(Self { name, outer, plan, working: Vec::new() })
    }

    /// The domain of a subquery that takes nothing from outside.
    pub(super) fn none() -> Self {
        let plan = LogicalPlanBuilder::empty(true).plan().clone();
        Self { name: fresh("outer"), outer: Vec::new(), plan, working: Vec::new() }
    }

    /// The same values under another name.
    pub(super) fn again(&self) -> Result<Self> {
        let name = fresh("outer");
        let exprs = self.exprs().into_iter().enumerate();
        let exprs = exprs.map(|(place, expr)| expr.alias(column_name(&name, place)));
        let plan = LogicalPlanBuilder::from(self.plan.clone()).project(exprs)?;
        let plan = plan.alias(name.clone())?.build()?;
        Ok(Self { name, outer: self.outer.clone(), plan, working: Vec::new() })
    }

    /// Its columns.
    pub(super) fn columns(&self) -> Vec<Column> {
        columns(&self.name, self.outer.len())
    }

    /// Its columns, as expressions.
    pub(super) fn exprs(&self) -> Vec<Expr> {
        self.columns().into_iter().map(Expr::Column).collect()
    }

    /// Whether a plan takes something from this domain.
    pub(super) fn is_used_by(&self, plan: &LogicalPlan) -> Result<bool> {
        let used = |expr: &Expr| matches!(expr, Expr::OuterReferenceColumn(_, column) if self.outer.contains(column));
        if references(plan)?.iter().any(used) {
            return Ok(true);
        }
        for working in &self.working {
            if working.is_read_by(plan)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same domain below a recursive query.
    pub(super) fn with_working(&self, working: Working) -> Self {
        let mut all = self.working.clone();
        all.push(working);
        let (name, outer, plan) = (self.name.clone(), self.outer.clone(), self.plan.clone());
        Self { name, outer, plan, working: all }
    }

    /// An expression with the domain's columns in place of the outer ones.
    pub(super) fn bind(&self, expr: Expr) -> Result<Expr> {
        let columns = self.columns();
        expr.transform_up(|expr| {
            let Expr::OuterReferenceColumn(_, column) = &expr else {
                return Ok(Transformed::no(expr));
            };
            let place = self.outer.iter().position(|one| one == column);
            Ok(match place.and_then(|place| columns.get(place)) {
                Some(column) => Transformed::yes(Expr::Column(column.clone())),
                None => Transformed::no(expr),
            })
        })
        .map(|done| done.data)
    }
}

fn refuse_volatile(rows: &LogicalPlan, outer: &[Column]) -> Result<()> {
    let made = rows.exists(|node| {
        let mut made = false;
        node.apply_expressions(|expr| {
            let (_, name) = expr.qualified_name();
            // What a projection makes beside the values wanted is not computed a second time.
            let aside = matches!(node, LogicalPlan::Projection(_))
                && outer.iter().all(|column| column.name != name);
            made |= expr.is_volatile() && !aside;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(made)
    })?;
    match made {
        false => Ok(()),
        true => Err(external(Error::unsupported(
            "a reference from a subquery to rows that a volatile function makes",
        ))),
    }
}

/// Joins two plans on pairs of columns, where NULL equals NULL.
pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    join_type: JoinType,
    keys: (Vec<Column>, Vec<Column>),
    filter: Option<Expr>,
) -> Result<LogicalPlan> {
    let left = LogicalPlanBuilder::from(left);
    if keys.0.is_empty() {
        let filter = filter.unwrap_or_else(|| datafusion::logical_expr::lit(true));
        return left.join_on(right, join_type, [filter])?.build();
    }
    left.join_detailed(right, join_type, keys, filter, NullEquality::NullEqualsNull)?.build()
}

/// Whether the plan is the empty `FROM`: one row without columns.
pub(super) fn is_one_empty_row(plan: &Arc<LogicalPlan>) -> bool {
    matches!(plan.as_ref(), LogicalPlan::EmptyRelation(empty) if empty.produce_one_row)
}
