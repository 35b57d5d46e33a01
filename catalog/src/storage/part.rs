//! The parts of a table: what its rows are kept in.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::{concat, filter};
use roaring::RoaringBitmap;

use super::file::FileEntry;
use crate::error::{Error, Result};

/// Number of a part; unique within a database, never reused.
pub type PartId = u32;

/// The part that holds a transaction's own, not yet committed rows of any relation.
pub(super) const OWN_PART: PartId = PartId::MAX >> 1;

/// Batches of this many rows are not merged further: a scan hands them out as they are.
const FULL_BATCH_ROWS: usize = 8192;

/// How many batches of one size class are merged into one of the next.
const FAN_IN: usize = 8;

/// Where a row is. Stable until its part is rewritten by a flush or a compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowAddress {
    /// The part.
    pub part: PartId,
    /// Row number in the part, from 0.
    pub row: u32,
}

impl RowAddress {
    /// The address as `ctid` shows it: `part << 32 | row`.
    pub fn to_i64(self) -> i64 {
        i64::from(self.part) << 32 | i64::from(self.row)
    }

    /// The address that [`RowAddress::to_i64`] made.
    pub fn from_i64(value: i64) -> Self {
        let (part, row) = (value >> 32, value & i64::from(u32::MAX));
        Self { part: u32::try_from(part).unwrap_or(OWN_PART), row: u32::try_from(row).unwrap_or(0) }
    }
}

/// Rows that were written together, or merged since: columns by number.
#[derive(Debug, Clone)]
pub struct MemoryBatch {
    /// Row number of the first row in the part.
    pub start: u32,
    /// Numbers of the columns in `arrays`.
    pub columns: Arc<[i16]>,
    /// One array for each column, all of the same length.
    pub arrays: Vec<ArrayRef>,
    /// How many rows there are.
    pub rows: usize,
}

impl MemoryBatch {
    /// The column of that number.
    pub fn column(&self, number: i16) -> Option<&ArrayRef> {
        self.columns.iter().position(|one| *one == number).and_then(|at| self.arrays.get(at))
    }

    /// The rows that `deleted` (row numbers of the part) does not name; `None` when all are live.
    pub fn live_mask(&self, deleted: Option<&RoaringBitmap>) -> Option<BooleanArray> {
        let deleted = deleted?;
        let end = self.start + u32::try_from(self.rows).unwrap_or(0);
        if deleted.range_cardinality(self.start..end) == 0 {
            return None;
        }
        Some((self.start..end).map(|row| Some(!deleted.contains(row))).collect())
    }

    /// One batch of the rows of several that are alike.
    pub(super) fn merge(batches: &[Arc<Self>]) -> Result<Option<Arc<Self>>> {
        let Some(first) = batches.first() else { return Ok(None) };
        let arrays = (0..first.arrays.len()).map(|at| {
            let pieces: Vec<&dyn Array> =
                batches.iter().filter_map(|one| one.arrays.get(at).map(AsRef::as_ref)).collect();
            Ok(super::arrays::compact(&concat(&pieces)?))
        });
        Ok(Some(Arc::new(Self {
            start: first.start,
            columns: Arc::clone(&first.columns),
            arrays: arrays.collect::<Result<_>>()?,
            rows: batches.iter().map(|one| one.rows).sum(),
        })))
    }

    fn alike(&self, other: &Self) -> bool {
        self.columns == other.columns
            && self.arrays.iter().zip(&other.arrays).all(|(a, b)| a.data_type() == b.data_type())
    }
}

/// Rows in memory. They are in the log, or belong to a transaction that has not committed.
#[derive(Debug, Clone)]
pub struct MemoryPart {
    /// Its number.
    pub id: PartId,
    /// Its rows in order; few batches, however many commits there were.
    pub batches: Vec<Arc<MemoryBatch>>,
    /// How many rows there are, deleted ones included.
    pub rows: u32,
    /// Bytes of memory, roughly.
    pub bytes: usize,
    /// Row numbers of deleted rows.
    pub deleted: Option<Arc<RoaringBitmap>>,
}

impl MemoryPart {
    /// A part without rows.
    pub fn new(id: PartId) -> Self {
        Self { id, batches: Vec::new(), rows: 0, bytes: 0, deleted: None }
    }

    /// Adds rows; returns the number of the first.
    ///
    /// Eight batches of about one size become one: each row is copied `log8(n)` times, and a part
    /// of `n` one-row commits has `O(log n)` batches up to the size of a full batch.
    ///
    /// # Errors
    /// The part is full, or Arrow cannot join the batches.
    pub fn append(
        &mut self,
        columns: Arc<[i16]>,
        arrays: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<u32> {
        let start = self.rows;
        let count = u32::try_from(rows).map_err(|_| full())?;
        self.rows = start.checked_add(count).ok_or_else(full)?;
        self.bytes += arrays.iter().map(super::arrays::byte_size).sum::<usize>();
        self.batches.push(Arc::new(MemoryBatch { start, columns, arrays, rows }));
        while let Some(from) = self.mergeable_from() {
            let merged = MemoryBatch::merge(&self.batches[from..])?;
            self.batches.truncate(from);
            self.batches.extend(merged);
        }
        Ok(start)
    }

    /// First of the last batches that are to become one.
    fn mergeable_from(&self) -> Option<usize> {
        let last = self.batches.last().filter(|last| last.rows < FULL_BATCH_ROWS)?;
        let class = size_class(last.rows);
        let run = self.batches.iter().rev();
        let run = run.take_while(|one| size_class(one.rows) <= class && one.alike(last)).count();
        (run >= FAN_IN).then(|| self.batches.len() - run)
    }

    /// Whether the row exists and is not deleted.
    pub fn is_live(&self, row: u32) -> bool {
        row < self.rows && !self.deleted.as_ref().is_some_and(|deleted| deleted.contains(row))
    }

    /// The batch that holds the row, and the row's index in it.
    pub fn locate(&self, row: u32) -> Option<(&Arc<MemoryBatch>, usize)> {
        let at = self.batches.partition_point(|batch| batch.start <= row).checked_sub(1)?;
        let batch = self.batches.get(at)?;
        let index = usize::try_from(row - batch.start).ok()?;
        (index < batch.rows).then_some((batch, index))
    }

    /// How many rows are live.
    pub fn live_rows(&self) -> u64 {
        u64::from(self.rows) - self.deleted.as_ref().map_or(0, |deleted| deleted.len())
    }
}

fn full() -> Error {
    Error::Internal("a part cannot hold more rows".to_owned())
}

fn size_class(rows: usize) -> u32 {
    rows.max(1).ilog2() / FAN_IN.ilog2()
}

/// Rows in an immutable Parquet file.
#[derive(Debug, Clone)]
pub struct FilePart {
    /// The file.
    pub entry: Arc<FileEntry>,
    /// Row numbers of deleted rows.
    pub deleted: Option<Arc<RoaringBitmap>>,
}

impl FilePart {
    /// Whether the row exists and is not deleted.
    pub fn is_live(&self, row: u32) -> bool {
        u64::from(row) < self.entry.facts.rows
            && !self.deleted.as_ref().is_some_and(|deleted| deleted.contains(row))
    }

    /// How many rows are live.
    pub fn live_rows(&self) -> u64 {
        self.entry.facts.rows - self.deleted.as_ref().map_or(0, |deleted| deleted.len())
    }
}

/// The rows of one relation at one instant.
#[derive(Debug, Clone, Default)]
pub struct TableData {
    /// Parts in memory, oldest first.
    pub memory: Vec<Arc<MemoryPart>>,
    /// Parts in files, by number.
    pub files: Arc<Vec<FilePart>>,
    /// Version of the snapshot that a transaction last changed the rows in.
    pub written_in: u64,
}

impl TableData {
    /// How many rows are live.
    pub fn live_rows(&self) -> u64 {
        let memory: u64 = self.memory.iter().map(|part| part.live_rows()).sum();
        memory + self.files.iter().map(FilePart::live_rows).sum::<u64>()
    }

    /// Bytes of the files.
    pub fn file_bytes(&self) -> u64 {
        self.files.iter().map(|part| part.entry.facts.bytes).sum()
    }

    /// How many rows are deleted and still there.
    pub fn dead_rows(&self) -> u64 {
        let memory = self.memory.iter().filter_map(|part| part.deleted.as_ref());
        let files = self.files.iter().filter_map(|part| part.deleted.as_ref());
        memory.chain(files).map(|deleted| deleted.len()).sum()
    }

    /// Whether there are no rows, not even deleted ones.
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.files.is_empty()
    }

    /// Bytes of memory, roughly.
    pub fn memory_bytes(&self) -> usize {
        self.memory.iter().map(|part| part.bytes).sum()
    }

    /// The memory part of that number.
    pub fn memory_part(&self, id: PartId) -> Option<&Arc<MemoryPart>> {
        self.memory.iter().find(|part| part.id == id)
    }

    /// The file part of that number.
    pub fn file_part(&self, id: PartId) -> Option<&FilePart> {
        let at = self.files.binary_search_by_key(&id, |part| part.entry.facts.part).ok()?;
        self.files.get(at)
    }

    /// Whether there is a part of that number.
    pub fn has_part(&self, id: PartId) -> bool {
        self.memory_part(id).is_some() || self.file_part(id).is_some()
    }

    /// Whether a row exists and is not deleted.
    pub fn is_live(&self, address: RowAddress) -> bool {
        match self.memory_part(address.part) {
            Some(part) => part.is_live(address.row),
            None => self.file_part(address.part).is_some_and(|part| part.is_live(address.row)),
        }
    }

    /// Deleted rows of a part.
    pub fn deleted(&self, id: PartId) -> Option<&Arc<RoaringBitmap>> {
        match self.memory_part(id) {
            Some(part) => part.deleted.as_ref(),
            None => self.file_part(id).and_then(|part| part.deleted.as_ref()),
        }
    }

    /// The part of that number to append to; made when it is not there.
    pub(super) fn memory_part_mut(&mut self, id: PartId) -> &mut MemoryPart {
        let at = self.memory.iter().position(|part| part.id == id).unwrap_or_else(|| {
            self.memory.push(Arc::new(MemoryPart::new(id)));
            self.memory.len() - 1
        });
        Arc::make_mut(&mut self.memory[at])
    }

    /// Marks rows of a part as deleted; does nothing when there is no such part.
    pub(super) fn delete(&mut self, id: PartId, rows: &RoaringBitmap) {
        if let Some(part) = self.memory.iter_mut().find(|part| part.id == id) {
            add_rows(&mut Arc::make_mut(part).deleted, rows);
        } else if let Ok(at) = self.files.binary_search_by_key(&id, |part| part.entry.facts.part) {
            add_rows(&mut Arc::make_mut(&mut self.files)[at].deleted, rows);
        }
    }

    /// Adds a file part in its place.
    pub(super) fn add_file(&mut self, part: FilePart) {
        let files = Arc::make_mut(&mut self.files);
        let at = files.partition_point(|one| one.entry.facts.part < part.entry.facts.part);
        files.insert(at, part);
    }

    /// Takes parts away.
    pub(super) fn remove_parts(&mut self, parts: &[PartId]) {
        self.memory.retain(|part| !parts.contains(&part.id));
        if self.files.iter().any(|part| parts.contains(&part.entry.facts.part)) {
            Arc::make_mut(&mut self.files).retain(|part| !parts.contains(&part.entry.facts.part));
        }
    }
}

/// Adds row numbers to a bitmap that may be shared.
pub(super) fn add_rows(bitmap: &mut Option<Arc<RoaringBitmap>>, rows: &RoaringBitmap) {
    let bitmap = bitmap.get_or_insert_with(|| Arc::new(RoaringBitmap::new()));
    *Arc::make_mut(bitmap) |= rows;
}

/// The live rows of arrays that belong to one batch.
pub(super) fn filter_all(
    arrays: &[ArrayRef],
    mask: Option<&BooleanArray>,
) -> Result<Vec<ArrayRef>> {
    match mask {
        None => Ok(arrays.to_vec()),
        Some(mask) => arrays.iter().map(|array| Ok(filter(array, mask)?)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::Int32Array;

    #[test]
    fn one_row_appends_leave_few_batches() {
        let mut part = MemoryPart::new(1);
        let columns: Arc<[i16]> = Arc::from([1_i16]);
        for row in 0..5000 {
            let start =
                part.append(Arc::clone(&columns), vec![Arc::new(Int32Array::from(vec![row]))], 1);
            assert_eq!(start.unwrap(), u32::try_from(row).unwrap());
        }
        assert!(part.batches.len() < 40, "{}", part.batches.len());
        let (batch, index) = part.locate(4321).unwrap();
        let array = batch.arrays[0].as_any().downcast_ref::<Int32Array>().unwrap();
        assert_eq!(array.value(index), 4321);
        assert!(part.locate(5000).is_none());
    }

    #[test]
    fn an_address_survives_its_number() {
        let address = RowAddress { part: OWN_PART, row: u32::MAX };
        assert_eq!(RowAddress::from_i64(address.to_i64()), address);
    }
}
