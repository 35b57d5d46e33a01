//! The operator that reads the rows that an index names.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result as DataFusionResult, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::stream;

use super::gather::Gather;
use super::search::Stop;
use crate::definition::Relation;
use crate::error::Error;
use crate::storage::part::{RowAddress, TableData};
use crate::storage::provider::external;
use crate::storage::shared::Shared;
use crate::storage::stitching::Customers;

/// Rows of a batch at most.
const BATCH_ROWS: usize = 8192;

/// What is read.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) shared: Arc<Shared>,
    pub(super) relation: Arc<Relation>,
    pub(super) table: Arc<TableData>,
    pub(super) customers: Arc<Customers>,
    /// The columns of the provider, by place.
    pub(super) projection: Vec<usize>,
    pub(super) addresses: Vec<RowAddress>,
    /// Name of the index.
    pub(super) index: String,
}

/// Reads rows by their addresses.
#[derive(Debug)]
pub(super) struct IndexScanExec {
    rows: Arc<Rows>,
    properties: Arc<PlanProperties>,
}

impl IndexScanExec {
    pub(super) fn new(rows: Rows, schema: &SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { rows: Arc::new(rows), properties: Arc::new(properties) }
    }
}

impl Rows {
    fn read(&self, from: usize, schema: &SchemaRef) -> DataFusionResult<arrow::array::RecordBatch> {
        let to = self.addresses.len().min(from + BATCH_ROWS);
        let columns = super::columns(&self.relation, &self.projection);
        let gather = Gather {
            blocks: &self.shared.rows,
            table: &self.table,
            relation: &self.relation,
            customers: &self.customers,
            columns: &columns,
            schema,
        };
        let rows = gather.rows(self.addresses.get(from..to).unwrap_or_default(), true);
        rows.map_err(|stop| match stop {
            Stop::Failed(error) => external(error),
            other => external(Error::Internal(format!("rows of an index: {other:?}"))),
        })
    }
}

impl DisplayAs for IndexScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rows { index, relation, addresses, .. } = self.rows.as_ref();
        write!(f, "Index Scan using {index} on {}: rows={}", relation.name, addresses.len())
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
        let rows = Precision::Exact(self.rows.addresses.len());
        Ok(Arc::new(Statistics::new_unknown(&self.schema()).with_num_rows(rows)))
    }

    fn execute(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let (rows, schema) = (Arc::clone(&self.rows), self.schema());
        let starts = (0..rows.addresses.len()).step_by(BATCH_ROWS);
        let as_read = Arc::clone(&schema);
        let batches = stream::iter(starts.map(move |from| rows.read(from, &as_read)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}
