//! Filters go down to the scans, but not below an aggregate without groups: that has a row even
//! when nothing comes in. DataFusion's rule sees a filter without columns (`WHERE kind = 'b'` over
//! `SELECT 'a' AS kind, count(*) …`) as one over the grouping columns, of which there are none.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// DataFusion's `push_down_filter`, stopped above such aggregates.
#[derive(Debug)]
pub struct FiltersDown(Arc<dyn OptimizerRule + Send + Sync>);

impl FiltersDown {
    /// Puts it in the place of DataFusion's own rule.
    pub fn replace(rules: &mut [Arc<dyn OptimizerRule + Send + Sync>]) {
        for rule in rules.iter_mut().filter(|rule| rule.name() == "push_down_filter") {
            *rule = Arc::new(Self(Arc::clone(rule)));
        }
    }
}

impl OptimizerRule for FiltersDown {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        self.0.supports_rewrite()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        if let LogicalPlan::Filter(filter) = &plan
            && let LogicalPlan::Aggregate(aggregate) = filter.input.as_ref()
            && aggregate.group_expr.is_empty()
        {
            return Ok(Transformed::no(plan));
        }
        self.0.rewrite(plan, config)
    }
}
