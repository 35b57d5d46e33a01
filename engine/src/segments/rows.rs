//! Rows of the feature's own tables.

use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::features;
use clientele_catalog::storage::Transaction;
use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::Schema;

use crate::error::{Error, Result};

pub(super) fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringViewArray>())
}

pub(super) fn integers(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int64Array>())
}

/// Instants, in microseconds since 1970.
pub(super) fn times(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    let times = values.into_iter().collect::<TimestampMicrosecondArray>();
    Arc::new(times.with_timezone("UTC"))
}

/// Columns as rows of a built-in table.
///
/// # Errors
/// None in practice: they fit the table.
pub(super) fn batch(relation: Oid, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let definition = features::relation(relation)
        .ok_or_else(|| Error::internal("a built-in relation is missing"))?;
    let fields = definition.live_columns().map(|one| one.pg_type.field(&one.name, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = columns.iter().zip(schema.fields());
    let columns = columns
        .map(|(array, field)| cast(array, field.data_type()))
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::internal)?;
    RecordBatch::try_new(schema, columns).map_err(Error::internal)
}

/// Adds rows to a built-in table, many of them straight to files.
///
/// # Errors
/// The disk is full.
pub(super) async fn write(
    transaction: &mut Transaction,
    relation: Oid,
    columns: Vec<ArrayRef>,
) -> Result<()> {
    let rows = batch(relation, columns)?;
    let rows = futures::stream::iter([Ok::<_, Error>(rows)]);
    transaction.insert_bulk(relation, rows).await.map(drop)
}
