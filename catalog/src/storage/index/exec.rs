//! The operator that reads the rows that an index names.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result as DataFusionResult, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::stream;

use super::scanned::Scanned;
use crate::definition::Oid;
use crate::storage::part::RowAddress;
use crate::storage::provider::external;

/// Rows of a batch at most.
pub(super) const BATCH_ROWS: usize = 8192;

/// Reads rows by their addresses.
#[derive(Debug)]
pub(super) struct IndexScanExec {
    scanned: Arc<Scanned>,
    index: Oid,
    addresses: Arc<Vec<RowAddress>>,
    /// The columns of the provider, by place.
    projection: Arc<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl IndexScanExec {
    pub(super) fn new(
        scanned: Arc<Scanned>,
        (index, addresses): (Oid, Vec<RowAddress>),
        projection: Vec<usize>,
        schema: &SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        // Few batches: there is nothing to yield between.
        let properties = properties.with_scheduling_type(SchedulingType::Cooperative);
        let (addresses, projection) = (Arc::new(addresses), Arc::new(projection));
        Self { scanned, index, addresses, projection, properties: Arc::new(properties) }
    }
}

impl DisplayAs for IndexScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // How many rows there are is not said: a policy may hide some from who asks.
        let (index, table) = (self.scanned.name_of(self.index), &self.scanned.relation.name);
        write!(f, "Index Scan using {index} on {table}")
    }
}

impl ExecutionPlan for IndexScanExec {
    fn name(&self) -> &'static str {
        "Index Scan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn partition_statistics(&self, _partition: Option<usize>) -> DataFusionResult<Arc<Statistics>> {
        let rows = Precision::Exact(self.addresses.len());
        Ok(Arc::new(Statistics::new_unknown(&self.schema()).with_num_rows(rows)))
    }

    fn execute(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let (scanned, addresses) = (Arc::clone(&self.scanned), Arc::clone(&self.addresses));
        let (projection, schema) = (Arc::clone(&self.projection), self.schema());
        let starts = (0..addresses.len()).step_by(BATCH_ROWS);
        let as_read = Arc::clone(&schema);
        let batches = stream::iter(starts.map(move |from| {
            let to = addresses.len().min(from + BATCH_ROWS);
            let columns = super::columns(&scanned.relation, &projection);
            let rows = addresses.get(from..to).unwrap_or_default();
            scanned.read(rows, (&columns, &as_read)).map_err(external)
        }));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}
