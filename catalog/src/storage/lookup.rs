//! Point lookups: a unique key straight to its row, without a plan.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;

use super::arrays;
use super::key_index::SharedIndex;
use super::keys;
use super::part::{MemoryBatch, RowAddress, TableData};
use super::provider::provider_schema;
use super::snapshot::Snapshot;
use super::stitching::Customers;
use super::store::Store;
use crate::definition::{Oid, Relation};
use crate::error::{Error, Result};

/// Rows of a table up to which a lookup waits for its index to be built.
const WAIT_ROWS: u64 = 100_000;

/// Answer of [`Store::lookup`].
#[derive(Debug)]
pub enum Lookup {
    /// The row, in the provider's schema (without `ctid`), and where it is.
    Found(RecordBatch, RowAddress),
    /// No live row has the key.
    Absent,
    /// The index cannot tell for this snapshot: scan.
    Unknown,
}

impl Store {
    /// The row with a unique key. Values are in the order of the constraint's columns; of their
    /// Arrow types, or castable to them.
    ///
    /// A transaction that has written to the relation gets [`Lookup::Unknown`], and so does the
    /// first lookup after a start on a large table: its index is built meanwhile.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn lookup(
        self: &Arc<Self>,
        snapshot: &Snapshot,
        relation: &Arc<Relation>,
        constraint: Oid,
        key: &[ScalarValue],
    ) -> Result<Lookup> {
        let Some(index) = self.usable_index(snapshot, relation, constraint).await? else {
            return Ok(Lookup::Unknown);
        };
        let Some(hash) = self.key_hash(relation, constraint, key)? else {
            return Ok(Lookup::Absent);
        };
        let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(Lookup::Absent) };
        let found = index.read().find(hash, |address| table.is_live(address));
        self.shared.tallies.index_used(constraint, found.iter().len());
        match found {
            None => Ok(Lookup::Absent),
            Some(address) => {
                let schema = self.schema_of(snapshot, relation);
                let of = (relation, snapshot.customers.as_ref());
                let row = self.row(table, of, address, schema).await?;
                Ok(Lookup::Found(row, address))
            }
        }
    }

    async fn usable_index(
        &self,
        snapshot: &Snapshot,
        relation: &Relation,
        constraint: Oid,
    ) -> Result<Option<SharedIndex>> {
        if snapshot.own.contains_key(&relation.oid) || relation.temporary {
            return Ok(None);
        }
        if let Some(index) = self.shared.indexes.get(constraint) {
            let usable = index.read().valid_from <= snapshot.version;
            return Ok(usable.then_some(index));
        }
        let upkeep = Arc::clone(self.upkeep()?);
        let oid = relation.oid;
        let building = tokio::task::spawn_blocking(move || upkeep.key_index(oid, constraint));
        if snapshot.row_count(oid) > WAIT_ROWS {
            return Ok(None);
        }
        match building.await.map_err(|error| Error::Internal(error.to_string()))? {
            Ok(index) if index.read().valid_from <= snapshot.version => Ok(Some(index)),
            Ok(_) | Err(Error::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn key_hash(
        &self,
        relation: &Relation,
        constraint: Oid,
        key: &[ScalarValue],
    ) -> Result<Option<u128>> {
        let found = relation.unique_keys().find(|(one, _)| one.oid == constraint);
        let (_, numbers) =
            found.ok_or_else(|| Error::Internal(format!("no unique constraint {constraint}")))?;
        let columns = keys::key_columns(relation, numbers)?;
        if columns.len() != key.len() {
            return Err(Error::Internal("a key has another number of values".to_owned()));
        }
        let arrays = columns.iter().zip(key).map(|(column, value)| {
            let array = value.to_array()?;
            Ok((arrays::fit(&array, column.pg_type)?, column.pg_type))
        });
        let arrays: Vec<(ArrayRef, PgType)> = arrays.collect::<Result<_>>()?;
        let hashes = self.shared.hasher().hash(&arrays, 1)?;
        Ok(hashes.first().copied().flatten())
    }

    fn schema_of(&self, snapshot: &Snapshot, relation: &Relation) -> SchemaRef {
        match snapshot.catalog.relation_by_oid(relation.oid) {
            Some(known) if std::ptr::eq(known.as_ref(), relation) => self.schema(known, false),
            _ => provider_schema(relation, false),
        }
    }

    async fn row(
        self: &Arc<Self>,
        table: &Arc<TableData>,
        (relation, customers): (&Arc<Relation>, &Customers),
        address: RowAddress,
        schema: SchemaRef,
    ) -> Result<RecordBatch> {
        if let Some(part) = table.memory_part(address.part) {
            let (batch, index) = part.locate(address.row).ok_or_else(|| lost(address))?;
            return one_row(batch, index, (relation, customers), schema);
        }
        let columns = arrays::live_numbers(relation);
        let block = match self.shared.rows.get(address.part, address.row, &columns) {
            Some(block) => block,
            None => {
                let part = table.file_part(address.part).ok_or_else(|| lost(address))?;
                let (store, entry) = (Arc::clone(self), Arc::clone(&part.entry));
                let relation = Arc::clone(relation);
                let read = move || {
                    store.shared.rows.read(&entry, (address.row, &relation, columns.as_ref()))
                };
                let read = tokio::task::spawn_blocking(read).await;
                read.map_err(|error| Error::Internal(error.to_string()))??
            }
        };
        let index = address.row.checked_sub(block.start).and_then(|row| usize::try_from(row).ok());
        let index = index.filter(|index| *index < block.rows).ok_or_else(|| lost(address))?;
        one_row(&block, index, (relation, customers), schema)
    }
}

fn lost(address: RowAddress) -> Error {
    Error::Internal(format!("row {} of part {} is not there", address.row, address.part))
}

fn one_row(
    batch: &MemoryBatch,
    index: usize,
    (relation, customers): (&Relation, &Customers),
    schema: SchemaRef,
) -> Result<RecordBatch> {
    let row = MemoryBatch {
        start: 0,
        columns: Arc::clone(&batch.columns),
        arrays: batch.arrays.iter().map(|array| array.slice(index, 1)).collect(),
        rows: 1,
    };
    let arrays = relation.live_columns().map(|column| customers.column_of(&row, column));
    Ok(RecordBatch::try_new(schema, arrays.collect::<Result<_>>()?)?)
}
