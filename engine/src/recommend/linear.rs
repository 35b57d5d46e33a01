//! Whether a query gives for changed rows what has changed in its result: every row of it comes of
//! one row of each table that it reads, and of nothing else that changes.

use std::collections::BTreeSet;

use clientele_catalog::definition::Oid;
use clientele_catalog::storage::stored_relation;
use datafusion::common::JoinType;
use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, Volatility};

/// The tables that a plan reads.
#[derive(Default)]
pub(super) struct Tables {
    /// Those of whose rows its rows come.
    rows: BTreeSet<Oid>,
    /// Those that say whose rows may be used at all: they must be as they were.
    pub(super) fixed: BTreeSet<Oid>,
}

/// Looks at a plan; the error is the reason why not.
pub(super) fn check(plan: &LogicalPlan) -> Result<Tables, String> {
    let mut tables = Tables::default();
    tables.take(plan)?;
    match tables.rows.is_disjoint(&tables.fixed) {
        true => Ok(tables),
        false => Err("it reads a table twice".to_owned()),
    }
}

impl Tables {
    fn take(&mut self, plan: &LogicalPlan) -> Result<(), String> {
        pure(plan)?;
        match plan {
            LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => {
                plan.inputs().into_iter().try_for_each(|input| self.take(input))
            }
            LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
                self.take(&join.left)?;
                self.take(&join.right)
            }
            // Customers whom the engine leaves out.
            LogicalPlan::Join(join)
                if matches!(join.join_type, JoinType::LeftAnti | JoinType::LeftSemi) =>
            {
                self.take(&join.left)?;
                self.fix(&join.right)
            }
            LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
                match self.rows.insert(stored(scan)?) {
                    true => Ok(()),
                    false => Err("it reads a table twice".to_owned()),
                }
            }
            _ => Err("its query does more than to filter, join and compute".to_owned()),
        }
    }

    fn fix(&mut self, plan: &LogicalPlan) -> Result<(), String> {
        pure(plan)?;
        if let LogicalPlan::TableScan(scan) = plan {
            self.fixed.insert(stored(scan)?);
        }
        plan.inputs().into_iter().try_for_each(|input| self.fix(input))
    }
}

fn stored(scan: &TableScan) -> Result<Oid, String> {
    let other = || "it reads rows that are not stored in tables".to_owned();
    let provider = source_as_provider(&scan.source).map_err(|_| other())?;
    stored_relation(provider.as_ref()).map(|(relation, _)| relation.oid).ok_or_else(other)
}

/// Whether all that a node computes comes of its rows.
fn pure(plan: &LogicalPlan) -> Result<(), String> {
    let mut expressions = plan.expressions().into_iter();
    match expressions.any(|one| one.exists(|e| Ok(is_other(e))).unwrap_or(true)) {
        true => Err("its query asks for the time, or has subqueries".to_owned()),
        false => Ok(()),
    }
}

/// Whether an expression looks at more than its row.
fn is_other(expression: &Expr) -> bool {
    match expression {
        Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Immutable,
        Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_) => true,
        Expr::WindowFunction(_) | Expr::Unnest(_) => true,
        _ => false,
    }
}
