//! Rows by address: from memory, or from the decoded blocks of files that are kept.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::SchemaRef;

use super::search::Stop;
use crate::definition::Relation;
use crate::error::{Error, Result};
use crate::storage::arrays;
use crate::storage::part::{FilePart, MemoryBatch, RowAddress, TableData};
use crate::storage::provider::ScanColumn;
use crate::storage::row_cache::{BLOCK_ROWS, RowCache};
use crate::storage::stitching::Customers;

/// How many times a row is larger in memory than in its file, roughly.
const UNPACKED: u64 = 4;

/// Where rows come from, and as what they are shown.
pub(super) struct Gather<'a> {
    pub(super) blocks: &'a RowCache,
    pub(super) table: &'a TableData,
    pub(super) relation: &'a Relation,
    pub(super) customers: &'a Customers,
    pub(super) columns: &'a [ScanColumn<'a>],
    pub(super) schema: &'a SchemaRef,
}

impl Gather<'_> {
    /// The rows, in the order of their addresses; files are read only if they may.
    ///
    /// # Errors
    /// [`Stop`].
    pub(super) fn rows(
        &self,
        addresses: &[RowAddress],
        may_read: bool,
    ) -> Result<RecordBatch, Stop> {
        let mut sources: Vec<Arc<MemoryBatch>> = Vec::new();
        let mut known: HashMap<(u32, u32), usize> = HashMap::new();
        let mut places = Vec::with_capacity(addresses.len());
        if !self.columns.iter().any(|column| column.number().is_some()) {
            return Ok(self.shown(addresses, &[], &[])?);
        }
        for address in addresses {
            let lost = || Error::Internal(format!("row {} is not there", address.row));
            let (source, at) = match self.table.memory_part(address.part) {
                Some(part) => {
                    let (batch, at) = part.locate(address.row).ok_or_else(lost)?;
                    let next = || Ok(Arc::clone(batch));
                    (source(&mut sources, &mut known, (part.id, batch.start), next)?, at)
                }
                None => {
                    let part = self.table.file_part(address.part).ok_or_else(lost)?;
                    let start = address.row / BLOCK_ROWS * BLOCK_ROWS;
                    let next = || self.block(part, address.row, may_read);
                    let source = source(&mut sources, &mut known, (address.part, start), next)?;
                    (source, (address.row - start) as usize)
                }
            };
            places.push((source, at));
        }
        Ok(self.shown(addresses, &sources, &places)?)
    }

    fn block(&self, part: &FilePart, row: u32, may_read: bool) -> Result<Arc<MemoryBatch>, Stop> {
        let numbers: Vec<i16> = self.columns.iter().filter_map(ScanColumn::number).collect();
        let wanted = (row, self.relation, numbers.as_slice());
        match may_read {
            true => Ok(self.blocks.block(&part.entry, wanted)?),
            false => self.blocks.get(part.entry.facts.part, row, &numbers).ok_or(Stop::Unread),
        }
    }

    fn shown(
        &self,
        addresses: &[RowAddress],
        sources: &[Arc<MemoryBatch>],
        places: &[(usize, usize)],
    ) -> Result<RecordBatch> {
        let column = |column: &ScanColumn<'_>| -> Result<ArrayRef> {
            let ScanColumn::Stored(column) = column else {
                let numbers = addresses.iter().map(|address| address.to_i64());
                return Ok(Arc::new(Int64Array::from_iter_values(numbers)));
            };
            let whole = sources.iter().map(|source| arrays::column_of(source, column));
            let whole = whole.collect::<Result<Vec<_>>>()?;
            let whole: Vec<&dyn Array> = whole.iter().map(AsRef::as_ref).collect();
            let found = interleave(&whole, places)?;
            Ok(match column.subject {
                Some(subject) => self.customers.show(subject, &found),
                None => found,
            })
        };
        let options = RecordBatchOptions::new().with_row_count(Some(addresses.len()));
        if addresses.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(self.schema)));
        }
        let columns = self.columns.iter().map(column).collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new_with_options(Arc::clone(self.schema), columns, &options)?)
    }
}

/// Whether the blocks that hold rows find room together; rows that lie so far apart are for a scan.
pub(super) fn is_affordable(kept: &RowCache, table: &TableData, addresses: &[RowAddress]) -> bool {
    let mut blocks: HashSet<(u32, u32)> = HashSet::new();
    let mut bytes = 0;
    for address in addresses {
        let Some(part) = table.file_part(address.part) else { continue };
        if blocks.insert((address.part, address.row / BLOCK_ROWS)) {
            let facts = &part.entry.facts;
            let rows = u64::from(BLOCK_ROWS).min(facts.rows);
            bytes += facts.bytes * UNPACKED * rows / facts.rows.max(1);
        }
    }
    bytes <= kept.bytes_max() as u64 / 2
}

/// The place of a source among those that are known; it is got when it is not.
fn source(
    sources: &mut Vec<Arc<MemoryBatch>>,
    known: &mut HashMap<(u32, u32), usize>,
    name: (u32, u32),
    next: impl FnOnce() -> Result<Arc<MemoryBatch>, Stop>,
) -> Result<usize, Stop> {
    if let Some(at) = known.get(&name) {
        return Ok(*at);
    }
    sources.push(next()?);
    known.insert(name, sources.len() - 1);
    Ok(sources.len() - 1)
}
