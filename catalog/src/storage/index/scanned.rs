//! A table of a snapshot, as its indexes see it from a plan.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::access::Condition;
use super::gather::{self, Gather};
use super::search::{Search, Stop};
use crate::definition::{Oid, Relation};
use crate::error::{Error, Result};
use crate::storage::part::{RowAddress, TableData};
use crate::storage::provider::{ScanColumn, StoredTable};
use crate::storage::shared::Shared;
use crate::storage::stitching::Customers;

/// Rows up to which a scan reads them one by one,
const ROWS_MAX: usize = 64 << 10;
/// and their share of the table: of more, reading all is as good.
const SHARE: u64 = 16;

/// What a scan reads from. Keeps its files.
#[derive(Debug)]
pub(in crate::storage) struct Scanned {
    shared: Arc<Shared>,
    pub(super) relation: Arc<Relation>,
    table: Arc<TableData>,
    customers: Arc<Customers>,
}

impl Scanned {
    pub(in crate::storage) fn new(table: &StoredTable) -> Self {
        Self {
            shared: Arc::clone(&table.store.shared),
            relation: Arc::clone(&table.relation),
            table: Arc::clone(&table.table),
            customers: Arc::clone(&table.customers),
        }
    }

    /// The addresses of rows that may fulfil all conditions, and the index that names them;
    /// `None`: reading all is as good.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn rows(&self, conditions: &[Condition]) -> Result<Option<(Oid, Vec<RowAddress>)>> {
        match self.search(conditions) {
            Ok(found) => Ok(Some(found)),
            Err(Stop::Declined | Stop::Unread) => Ok(None),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn search(&self, conditions: &[Condition]) -> Result<(Oid, Vec<RowAddress>), Stop> {
        let (relation, table) = (self.relation.as_ref(), self.table.as_ref());
        let share = usize::try_from(table.live_rows() / SHARE).unwrap_or(ROWS_MAX);
        for access in super::usable(relation, conditions)?.iter().filter(|one| one.is_narrow()) {
            let values = &self.shared.values;
            let search = Search { values, table, relation, access, may_read: true };
            let rows = match search.rows(share.min(ROWS_MAX)) {
                Err(Stop::Declined) => continue,
                found => found?,
            };
            if gather::is_affordable(&self.shared.rows, table, &rows) {
                self.shared.tallies.index_used(access.index, rows.len());
                return Ok((access.index, rows));
            }
        }
        Err(Stop::Declined)
    }

    fn gather<'a>(&'a self, columns: &'a [ScanColumn<'a>], schema: &'a SchemaRef) -> Gather<'a> {
        Gather {
            blocks: &self.shared.rows,
            table: &self.table,
            relation: &self.relation,
            customers: &self.customers,
            columns,
            schema,
        }
    }

    /// The rows of addresses, in some columns.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn read(
        &self,
        addresses: &[RowAddress],
        (columns, schema): (&[ScanColumn<'_>], &SchemaRef),
    ) -> Result<RecordBatch> {
        self.gather(columns, schema).rows(addresses, true).map_err(|stop| match stop {
            Stop::Failed(error) => error,
            other => Error::Internal(format!("rows of an index: {other:?}")),
        })
    }

    /// The name of an index.
    pub(super) fn name_of(&self, index: Oid) -> &str {
        let keys = self.relation.unique_keys().map(|(one, _)| (one.oid, one.name.as_str()));
        let plain = self.relation.indexes.iter().map(|one| (one.oid, one.name.as_str()));
        keys.chain(plain).find(|(oid, _)| *oid == index).map_or("", |(_, name)| name)
    }
}
