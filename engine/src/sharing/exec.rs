//! The operator that reads a shared part.

use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};

use super::materialized::Materialized;

/// Reads a part that is computed once. A leaf: what computes the part is planned by itself.
#[derive(Debug)]
pub(super) struct SharedExec {
    rows: Arc<Materialized>,
    number: usize,
    reader: usize,
}

impl SharedExec {
    pub(super) fn new(rows: Arc<Materialized>, number: usize, reader: usize) -> Self {
        Self { rows, number, reader }
    }
}

impl DisplayAs for SharedExec {
    fn fmt_as(
        &self,
        _format: DisplayFormatType,
        formatter: &mut std::fmt::Formatter<'_>,
    ) -> std::fmt::Result {
        write!(formatter, "SharedExec: part={}", self.number)?;
        // The part is shown once, with its first reader.
        if self.reader == 0 {
            let part = DisplayableExecutionPlan::with_metrics(self.rows.plan().as_ref());
            let part = part.indent(false).to_string();
            write!(formatter, ", computed by\n{}", part.trim_end())?;
        }
        Ok(())
    }
}

impl ExecutionPlan for SharedExec {
    fn name(&self) -> &'static str {
        "SharedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.rows.plan().properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn statistics_from_inputs(
        &self,
        _input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let statistics = Statistics::new_unknown(&self.schema());
        Ok(Arc::new(statistics.with_num_rows(self.rows.size())))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.rows.read(partition, self.reader, &context)
    }
}
