//! Rows are grouped, joined and counted by the values that pseudonyms are made of; the pseudonyms
//! are made late, of what is left, and not at all where nobody asks for them.
//!
//! ```text
//! Aggregate(email; count(*))                 Projection(named(email), count)
//!   Projection(pseudonym(email) AS email) ─▶   Aggregate(email; count(*))
//!     Scan                                       Projection(normal(email) AS email)
//!                                                  Scan
//! ```
//!
//! Equal pseudonyms are those of equal normalised values, unless a column holds pseudonyms already
//! (a table made of treated values does): such columns are treated where they are read. Whatever
//! does more with a value than tell whether it is equal to another, or NULL, meets the pseudonym.

mod read;
mod work;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::storage::stored_rows;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, ScalarUDF};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::treat;
use crate::planning::values::external;
use work::{Work, named};

/// A column of a table: the relation and the column's number.
type Source = (Oid, i16);

/// Columns that hold normalised values in place of pseudonyms.
type Late = HashMap<Column, Value>;

/// What a column holds, and where its values are from.
#[derive(Clone)]
struct Value {
    named: Arc<ScalarUDF>,
    sources: Vec<Source>,
}

/// Puts pseudonyms above what only compares them.
#[derive(Debug)]
pub(crate) struct LatePseudonyms;

impl OptimizerRule for LatePseudonyms {
    fn name(&self) -> &'static str {
        "late_pseudonyms"
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        if !plan.exists(|node| Ok(treats(node)))? {
            return Ok(Transformed::no(plan));
        }
        let plan = plan.transform_up(untreated_nulls)?;
        let mut refused = HashSet::new();
        loop {
            let mut work = Work { refused, met: HashMap::new(), compared: HashSet::new() };
            let (late, left) = work.node(plan.data.clone())?;
            if work.compared.is_empty() {
                return Ok(plan);
            }
            let mut unfit = Vec::new();
            for (source, prefix) in &work.met {
                let fits = work.compared.contains(source);
                if !fits || holds_pseudonyms(&plan.data, *source, prefix)? {
                    unfit.push(*source);
                }
            }
            if unfit.is_empty() {
                return Ok(Transformed::yes(named(late, &left, |_| true)?));
            }
            refused = work.refused;
            refused.extend(unfit);
        }
    }
}

/// Whether a node makes pseudonyms.
fn treats(node: &LogicalPlan) -> bool {
    let whole = |expr: &Expr| {
        Ok(matches!(expr, Expr::ScalarFunction(call) if treat::makes_pseudonyms(&call.func)))
    };
    node.expressions().iter().any(|expr| expr.exists(whole).unwrap_or(false))
}

/// A pseudonym is NULL where its value is.
fn untreated_nulls(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    // The names of outputs of other nodes tell what they are computed by.
    if !matches!(node, LogicalPlan::Filter(_) | LogicalPlan::TableScan(_)) {
        return Ok(Transformed::no(node));
    }
    node.map_expressions(|expr| {
        expr.transform_up(|expr| {
            let (Expr::IsNull(inner) | Expr::IsNotNull(inner)) = &expr else {
                return Ok(Transformed::no(expr));
            };
            let value = match inner.as_ref() {
                Expr::ScalarFunction(call) if treat::makes_pseudonyms(&call.func) => {
                    call.args.first().cloned()
                }
                _ => None,
            };
            let Some(value) = value.map(Box::new) else { return Ok(Transformed::no(expr)) };
            Ok(Transformed::yes(match expr {
                Expr::IsNull(_) => Expr::IsNull(value),
                _ => Expr::IsNotNull(value),
            }))
        })
    })
}

/// Whether a column may hold pseudonyms already.
fn holds_pseudonyms(plan: &LogicalPlan, source: Source, prefix: &Arc<str>) -> Result<bool> {
    let (mut found, mut holds) = (false, false);
    plan.apply(|node| {
        let LogicalPlan::TableScan(scan) = node else { return Ok(TreeNodeRecursion::Continue) };
        let provider = source_as_provider(&scan.source)?;
        if let Some((store, snapshot, relation)) = stored_rows(provider.as_ref())
            && relation.oid == source.0
            && let Some(column) = relation.column_by_number(source.1)
        {
            found = true;
            let asked = store.has_text_starting(snapshot, (relation, column), prefix);
            holds |= asked.map_err(|error| external(error.into()))?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(holds || !found)
}
