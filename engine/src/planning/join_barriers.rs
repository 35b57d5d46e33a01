//! A hash join whose build side is collected once waits, before it reads, until each of its
//! partitions has had the build side (it then filters what it reads by it). DataFusion 55 counts a
//! partition that is given up before as one to wait for, and a partitioned join above gives up its
//! probe side where it has nothing to join: the other partitions then wait for ever. Below such joins,
//! within one pipeline, nothing is filtered ahead.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

/// Takes the waiting out of joins that could wait for ever.
#[derive(Debug)]
pub struct JoinBarriers;

impl PhysicalOptimizerRule for JoinBarriers {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        free(plan, false)
    }

    fn name(&self) -> &str {
        "join_barriers"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `given_up`: a join above may give up single partitions of the plan before it has read them.
fn free(plan: Arc<dyn ExecutionPlan>, given_up: bool) -> Result<Arc<dyn ExecutionPlan>> {
    let of_children: Vec<bool> = match plan.downcast_ref::<HashJoinExec>() {
        Some(join) if join.mode == PartitionMode::Partitioned => {
            vec![given_up, given_up || reads_nothing_for_nothing(join.join_type)]
        }
        Some(_) => vec![false, given_up],
        None => {
            let task_of_its_own = plan.is::<RepartitionExec>()
                || plan.is::<CoalescePartitionsExec>()
                || plan.is::<SortPreservingMergeExec>();
            vec![given_up && !task_of_its_own; plan.children().len()]
        }
    };
    let before = plan.children();
    let mut children = Vec::with_capacity(before.len());
    for (child, given_up) in before.iter().zip(of_children) {
        children.push(free(Arc::clone(child), given_up)?);
    }
    let changed = before.iter().zip(&children).any(|(one, other)| !Arc::ptr_eq(one, other));
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    let plan = match changed {
        true => Arc::clone(&plan).replace_children(children, options)?,
        false => plan,
    };
    match plan.downcast_ref::<HashJoinExec>() {
        Some(join)
            if given_up
                && join.mode == PartitionMode::CollectLeft
                && join.dynamic_filter_expr().is_some() =>
        {
            join.builder().reset_state().build_exec()
        }
        _ => Ok(plan),
    }
}

/// Whether a join of that type has no rows where its build side has none.
fn reads_nothing_for_nothing(join_type: JoinType) -> bool {
    !matches!(
        join_type,
        JoinType::Right | JoinType::Full | JoinType::RightAnti | JoinType::RightMark
    )
}
