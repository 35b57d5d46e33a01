//! The one row that `SELECT … FROM sequence` shows: `last_value`, `log_cnt`, `is_called` (manual:
//! sql-createsequence, notes). It is looked at when the statement runs: plans are kept.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use clientele_catalog::definition::{Oid, Sequence};
use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::{MemTable, TableType};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use crate::planning::context::QueryContext;

/// A sequence as a relation.
pub struct SequenceRow {
    context: Arc<QueryContext>,
    oid: Oid,
    sequence: Sequence,
}

impl SequenceRow {
    /// The row of a sequence, as a statement sees it.
    pub fn new(context: &Arc<QueryContext>, oid: Oid, sequence: &Sequence) -> Self {
        Self { context: Arc::clone(context), oid, sequence: sequence.clone() }
    }

    /// The last value that was handed out, and whether one was; else the first one to come.
    fn state(&self) -> (i64, bool) {
        let sequence = &self.sequence;
        let reserved = super::sequences::next_reserved(&self.context, self.oid);
        let last = match reserved {
            Some(next) => next.checked_sub(sequence.increment),
            None => sequence.last_value,
        };
        // `setval(…, false)` at the beginning leaves what lies before it.
        let last = last.filter(|last| (sequence.minimum..=sequence.maximum).contains(last));
        last.map_or((sequence.start, false), |last| (last, true))
    }
}

impl fmt::Debug for SequenceRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SequenceRow").field("oid", &self.oid).finish()
    }
}

#[async_trait]
impl TableProvider for SequenceRow {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("last_value", DataType::Int64, false),
            Field::new("log_cnt", DataType::Int64, false),
            Field::new("is_called", DataType::Boolean, false),
        ]))
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let (last, called) = self.state();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![last])),
            Arc::new(Int64Array::from(vec![0])),
            Arc::new(BooleanArray::from(vec![called])),
        ];
        let row = RecordBatch::try_new(self.schema(), columns)?;
        let table = MemTable::try_new(self.schema(), vec![vec![row]])?;
        table.scan(state, projection, filters, limit).await
    }
}
