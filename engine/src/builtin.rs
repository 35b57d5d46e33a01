//! Rows of built-in tables, as code makes them.

use std::sync::Arc;

use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::definition::{self, Oid, Relation};
use clientele_catalog::domains::Subject;
use clientele_catalog::features;
use clientele_catalog::storage::{
    NodeRows, RowAddress, Snapshot, Store, TemporarySpace, Transaction,
};
use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{Schema, SchemaRef};

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::Session;

/// A built-in relation as code has it.
///
/// # Errors
/// None in practice.
pub(crate) fn table(oid: Oid) -> Result<&'static Arc<Relation>> {
    features::relation(oid).ok_or_else(|| Error::internal("a built-in relation is missing"))
}

/// Rows of a built-in table, of columns in its order.
///
/// # Errors
/// None in practice: they fit the table.
pub(crate) fn batch(oid: Oid, columns: &[ArrayRef]) -> Result<RecordBatch> {
    let fields = table(oid)?.live_columns().map(|one| one.pg_type.field(&one.name, true));
    fitted(&Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)
}

/// Rows of a schema, of columns in its order: the elements of arrays say their type, too.
///
/// # Errors
/// None in practice: they fit.
pub(crate) fn fitted(schema: &SchemaRef, columns: &[ArrayRef]) -> Result<RecordBatch> {
    let columns = columns.iter().zip(schema.fields());
    let columns = columns
        .map(|(array, field)| cast(array, field.data_type()))
        .collect::<std::result::Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(Error::internal)
}

/// Begins a transaction of the engine's own, which has no temporary relations.
pub(crate) fn begin(store: &Arc<Store>) -> Transaction {
    let schema = definition::Schema {
        oid: 0,
        name: String::new(),
        owner: BOOTSTRAP_ROLE_OID,
        comment: None,
        grants: None,
    };
    store.begin(Arc::new(TemporarySpace::new(schema)))
}

/// Reads a built-in table: all columns, some rows at a time.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn each(context: &QueryContext, oid: Oid, take: impl FnMut(NodeRows)) -> Result<()> {
    let relation = table(oid)?;
    let numbers: Vec<i16> = relation.live_columns().map(|one| one.number).collect();
    let wanted = (Subject::Person, numbers.as_slice());
    Ok(context.store.node_rows(&context.snapshot, relation, wanted, take)?)
}

/// The rows of a built-in table, one batch for each, and where they are.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn stored(
    store: &Store,
    snapshot: &Snapshot,
    relation: Oid,
) -> Result<Vec<(RecordBatch, RowAddress)>> {
    let relation = table(relation)?;
    let numbers: Vec<i16> = relation.live_columns().map(|one| one.number).collect();
    let fields = relation.live_columns().map(|one| one.pg_type.field(&one.name, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut found = Vec::new();
    let mut failed = None;
    store.node_rows(snapshot, relation, (Subject::Person, &numbers), |rows: NodeRows| {
        match RecordBatch::try_new(Arc::clone(&schema), rows.columns) {
            Err(error) => failed = Some(error),
            Ok(batch) => {
                let rows = rows.addresses.iter().enumerate();
                found.extend(rows.map(|(row, address)| (batch.slice(row, 1), *address)));
            }
        }
    })?;
    match failed {
        None => Ok(found),
        Some(error) => Err(Error::internal(error)),
    }
}

/// Adds rows in the session's transaction.
///
/// # Errors
/// As [`Session::work`].
pub(crate) async fn insert(session: &mut Session, oid: Oid, columns: &[ArrayRef]) -> Result<()> {
    let rows = batch(oid, columns)?;
    let work = session.work().await?;
    work.lock().await.insert(oid, rows)?;
    Ok(())
}

/// Adds rows in a transaction, many of them straight to files.
///
/// # Errors
/// The disk is full.
pub(crate) async fn write(
    transaction: &mut Transaction,
    oid: Oid,
    columns: &[ArrayRef],
) -> Result<()> {
    let rows = futures::stream::iter([Ok::<_, Error>(batch(oid, columns)?)]);
    transaction.insert_bulk(oid, rows).await.map(drop)
}

/// A column of texts.
pub(crate) fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringViewArray>())
}

/// A column of numbers.
pub(crate) fn numbers(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int64Array>())
}

/// A column of instants, in microseconds since 1970.
pub(crate) fn times(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    let times = values.into_iter().collect::<TimestampMicrosecondArray>();
    Arc::new(times.with_timezone("UTC"))
}
