//! Window functions in one pass over each partition of rows.
//!
//! DataFusion sorts the rows by partition and order and then walks them row by row. Most windows
//! that analysts write (steps of a customer in time: `lag`, `row_number`, running and trailing
//! counts, sums, extremes) need less: rows are gathered by group, each small group is sorted by a
//! machine word, and a function is a loop over arrays.
//!
//! ```text
//! BoundedWindowAggExec ─▶ GroupedWindowExec      (rule, before distribution and sorts are planned)
//! batches ─▶ groups (hash) ─▶ Arranged: rows by group, then order ─▶ kernel per function ─▶ batches
//! ```
//!
//! What is not recognised, or does not fit into memory, goes DataFusion's way, which spills.
//!
//! | part | what it is |
//! |---|---|
//! | [`function`] | which functions and frames are recognised |
//! | [`arrange`] | rows by group and order |
//! | [`kernel`] | the functions |
//! | [`exec`] | the operator |

mod arrange;
mod exec;
mod function;
mod kernel;
mod once;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};

use exec::GroupedWindowExec;

/// Puts [`GroupedWindowExec`] in place of DataFusion's window operators. It must run before the
/// rules that add repartitioning and sorts.
#[derive(Debug)]
pub(crate) struct GroupedWindows;

impl PhysicalOptimizerRule for GroupedWindows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _options: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let exprs = if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
                window.window_expr()
            } else if let Some(window) = node.downcast_ref::<WindowAggExec>() {
                window.window_expr()
            } else {
                return Ok(Transformed::no(node));
            };
            let Some(functions) = function::recognise_all(exprs) else {
                return Ok(Transformed::no(node));
            };
            let keys = exprs.first().map(|expr| (expr.partition_by(), expr.order_by()));
            let Some((partition_by, order_by)) = keys else { return Ok(Transformed::no(node)) };
            let keys = (partition_by.to_vec(), order_by.to_vec());
            let input = node.children()[0].schema();
            if !function::distances_fit(&functions, order_by, &input)? {
                return Ok(Transformed::no(node));
            }
            let replaced = GroupedWindowExec::new(Arc::clone(&node), keys, functions);
            Ok(Transformed::yes(Arc::new(replaced) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "grouped_windows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
