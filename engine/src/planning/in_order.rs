//! Rows of functions and of the catalog come in the order in which they are made, as clients are
//! used to: they are not dealt out to several threads, whose batches overtake one another.

use std::sync::Arc;

use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::memory::LazyMemoryExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};

use super::ORIGIN_KEY;

/// Takes off what deals such rows out.
#[derive(Debug)]
pub struct InOrder;

impl PhysicalOptimizerRule for InOrder {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _options: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let dealt = node.downcast_ref::<RepartitionExec>().filter(|node| {
                matches!(node.partitioning(), Partitioning::RoundRobinBatch(_))
                    && node.input().output_partitioning().partition_count() == 1
                    && is_made_in_order(node.input())
            });
            Ok(match dealt {
                Some(dealt) => Transformed::yes(Arc::clone(dealt.input())),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "in_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether the rows come from one list that is no table's.
fn is_made_in_order(plan: &Arc<dyn ExecutionPlan>) -> bool {
    match plan.children().as_slice() {
        [input] => !plan.is::<RepartitionExec>() && is_made_in_order(input),
        [] => {
            let of_table = |plan: &Arc<dyn ExecutionPlan>| {
                plan.schema().fields().iter().any(|one| one.metadata().contains_key(ORIGIN_KEY))
            };
            let in_memory = plan.downcast_ref::<DataSourceExec>().is_some_and(|source| {
                source.data_source().downcast_ref::<MemorySourceConfig>().is_some()
            });
            plan.is::<EmptyExec>()
                || plan.is::<LazyMemoryExec>()
                || plan.is::<PlaceholderRowExec>()
                || in_memory && !of_table(plan)
        }
        _ => false,
    }
}
