//! Rows of stored tables, read while a plan is made.

use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::storage::{Snapshot, Store};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::physical_plan::collect;

/// Where rows are read from.
pub(super) struct From<'a> {
    pub(super) store: &'a Arc<Store>,
    pub(super) snapshot: &'a Arc<Snapshot>,
    pub(super) state: &'a dyn Session,
}

impl From<'_> {
    /// Every row of a small table.
    pub(super) async fn all(&self, relation: Oid) -> Result<Vec<RecordBatch>> {
        let Some(relation) = self.snapshot.catalog.relation_by_oid(relation) else {
            return Ok(Vec::new());
        };
        if self.snapshot.row_count(relation.oid) == 0 {
            return Ok(Vec::new());
        }
        let table = self.store.table_provider(self.snapshot, relation, false);
        let plan = table.scan(self.state, None, &[], None).await?;
        collect(plan, self.state.task_ctx()).await
    }
}

/// A text of a row.
pub(super) fn text<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> Option<&'a str> {
    let array = batch.column_by_name(name)?.as_string_view_opt()?;
    array.is_valid(row).then(|| array.value(row))
}

/// A truth of a row; NULL is false.
pub(super) fn truth(batch: &RecordBatch, name: &str, row: usize) -> bool {
    let array = batch.column_by_name(name).and_then(|array| array.as_boolean_opt());
    array.is_some_and(|array| array.is_valid(row) && array.value(row))
}

/// A number of a row.
pub(super) fn number(batch: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let array = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
    array.is_valid(row).then(|| array.value(row))
}

/// An instant of a row, in microseconds since 1970.
pub(super) fn instant(batch: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let array = batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    array.is_valid(row).then(|| array.value(row))
}

/// The texts of an array of a row.
pub(super) fn texts(batch: &RecordBatch, name: &str, row: usize) -> Vec<String> {
    let list = batch.column_by_name(name).and_then(|array| array.as_list_opt::<i32>());
    let Some(list) = list.filter(|list| list.is_valid(row)) else { return Vec::new() };
    let values = list.value(row);
    let Some(values) = values.as_string_view_opt() else { return Vec::new() };
    values.iter().flatten().map(str::to_owned).collect()
}
