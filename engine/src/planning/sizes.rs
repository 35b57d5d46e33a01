//! How many rows an operator gives, roughly: enough to put the smaller side of a join into memory.
//!
//! DataFusion knows the rows of tables and of filters, and says nothing of joins and groups without
//! counts of distinct values, which our files do not have: the larger side was held as often as not.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::{JoinType, Result, Statistics};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::operator_statistics::{
    DefaultStatisticsProvider, ExtendedStatistics, FilterStatisticsProvider,
    LimitStatisticsProvider, PassthroughStatisticsProvider, ProjectionStatisticsProvider,
    StatisticsProvider, StatisticsRegistry, StatisticsResult, UnionStatisticsProvider,
};

/// Rows of a group where nothing is known of them.
const ROWS_OF_A_GROUP: usize = 10;

/// What DataFusion knows, and guesses where it does not.
pub fn registry() -> StatisticsRegistry {
    StatisticsRegistry::with_providers(vec![
        Arc::new(FilterStatisticsProvider),
        Arc::new(ProjectionStatisticsProvider),
        Arc::new(PassthroughStatisticsProvider),
        Arc::new(LimitStatisticsProvider),
        Arc::new(UnionStatisticsProvider),
        Arc::new(Guess),
        Arc::new(DefaultStatisticsProvider),
    ])
}

/// The rows of a plan, if something is known of the tables in it.
pub fn rows(plan: &Arc<dyn ExecutionPlan>) -> Precision<usize> {
    let found = registry().compute(plan.as_ref());
    found.map_or(Precision::Absent, |found| found.base().num_rows)
}

#[derive(Debug)]
struct Guess;

impl StatisticsProvider for Guess {
    fn compute_statistics(
        &self,
        plan: &dyn ExecutionPlan,
        inputs: &[ExtendedStatistics],
    ) -> Result<StatisticsResult> {
        let inputs: Option<Vec<usize>> =
            inputs.iter().map(|input| input.base().num_rows.get_value().copied()).collect();
        let Some(rows) = inputs.and_then(|inputs| guess(plan, &inputs)) else {
            return Ok(StatisticsResult::Delegate);
        };
        let unknown = Statistics::new_unknown(&plan.schema());
        let guessed = unknown.with_num_rows(Precision::Inexact(rows));
        Ok(StatisticsResult::Computed(ExtendedStatistics::new(guessed)))
    }
}

/// A join follows a key to a row that is there; a group has some rows.
fn guess(plan: &dyn ExecutionPlan, inputs: &[usize]) -> Option<usize> {
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return joined(*join.join_type(), inputs);
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        return joined(*join.join_type(), inputs);
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        let grouped = !aggregate.group_expr().expr().is_empty();
        return grouped.then_some(inputs.first()?.div_ceil(ROWS_OF_A_GROUP));
    }
    let kept = matches!(plan.cardinality_effect(), CardinalityEffect::Equal);
    (kept && inputs.len() == 1).then(|| inputs[0])
}

fn joined(kind: JoinType, inputs: &[usize]) -> Option<usize> {
    let &[left, right] = inputs else { return None };
    Some(match kind {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => left.max(right),
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => left,
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => right,
    })
}
