//! Whether a query gives for changed rows what has changed in its result: every row of it comes of
//! one row of each table that it reads, and of nothing else.

use clientele_catalog::storage::stored_relation;
use datafusion::common::JoinType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

/// Looks at a plan; the error is the reason why not.
pub(super) fn check(plan: &LogicalPlan) -> Result<(), String> {
    let mut tables = Vec::new();
    let mut reason = None;
    let looked = plan.apply(|node| {
        reason = of_node(node, &mut tables);
        Ok(match reason {
            Some(_) => TreeNodeRecursion::Stop,
            None => TreeNodeRecursion::Continue,
        })
    });
    match (looked, reason) {
        (Ok(_), None) => Ok(()),
        (_, Some(reason)) => Err(reason),
        (Err(_), None) => Err("its plan cannot be read".to_owned()),
    }
}

fn of_node(node: &LogicalPlan, tables: &mut Vec<u32>) -> Option<String> {
    match node {
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => {}
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {}
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
            let provider = source_as_provider(&scan.source).ok()?;
            let Some((relation, _)) = stored_relation(provider.as_ref()) else {
                return Some("it reads rows that are not stored in tables".to_owned());
            };
            if tables.contains(&relation.oid) {
                return Some(format!("it reads table \"{}\" twice", relation.name));
            }
            tables.push(relation.oid);
        }
        _ => return Some("its query does more than to filter, join and compute".to_owned()),
    }
    let volatile =
        node.expressions().iter().any(|one| one.exists(|e| Ok(is_other(e))).unwrap_or(true));
    volatile.then(|| "its query asks for the time, or has subqueries".to_owned())
}

/// Whether an expression looks at more than its row.
fn is_other(expression: &Expr) -> bool {
    match expression {
        Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Immutable,
        Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_) => true,
        Expr::AggregateFunction(_) | Expr::WindowFunction(_) | Expr::Unnest(_) => true,
        _ => false,
    }
}
