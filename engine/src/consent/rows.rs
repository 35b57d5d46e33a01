//! Rows of the feature's tables.

use std::sync::Arc;

use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::features;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::Schema;

use crate::error::{Error, Result};
use crate::session::Session;

/// A built-in table as code has it.
pub(super) fn table(oid: Oid) -> Result<&'static Arc<Relation>> {
    features::relation(oid).ok_or_else(|| Error::internal("a built-in relation is missing"))
}

/// Adds a row in the session's transaction: a value for each column of the table, in order.
pub(super) async fn insert(session: &mut Session, oid: Oid, values: &[ArrayRef]) -> Result<()> {
    let fields = table(oid)?.live_columns().map(|one| one.pg_type.field(&one.name, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let values = values.iter().zip(schema.fields());
    let values = values.map(|(array, field)| cast(array, field.data_type()));
    let values = values.collect::<std::result::Result<_, _>>().map_err(Error::internal)?;
    let rows = RecordBatch::try_new(schema, values).map_err(Error::internal)?;
    let work = session.work().await?;
    work.lock().await.insert(oid, rows)?;
    Ok(())
}
