//! Decoded rows of files, for point lookups.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use parking_lot::Mutex;

use super::arrays;
use super::file::FileEntry;
use super::part::{MemoryBatch, PartId};
use super::reader::ColumnReader;
use crate::definition::{Column, Relation};
use crate::error::Result;

/// Rows that are read at once: a page has to be decoded as a whole anyway.
pub(super) const BLOCK_ROWS: u32 = 8192;

/// Blocks of rows, the least recently used ones dropped first.
#[derive(Debug)]
pub(super) struct RowCache {
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    blocks: HashMap<(PartId, u32), Block>,
    bytes: usize,
    tick: u64,
}

#[derive(Debug)]
struct Block {
    rows: Arc<MemoryBatch>,
    bytes: usize,
    used: u64,
}

impl RowCache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, state: Mutex::default() }
    }

    /// Bytes of all that is kept, at most.
    pub(super) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// The block that holds a row, when it is there and has all these columns.
    pub(super) fn get(&self, part: PartId, row: u32, columns: &[i16]) -> Option<Arc<MemoryBatch>> {
        let mut state = self.state.lock();
        state.tick += 1;
        let tick = state.tick;
        let block = state.blocks.get_mut(&(part, row / BLOCK_ROWS))?;
        let complete = columns.iter().all(|number| block.rows.columns.contains(number));
        block.used = tick;
        complete.then(|| Arc::clone(&block.rows))
    }

    /// The block that holds a row, with these columns; it is read if it has to be.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn block(
        &self,
        entry: &FileEntry,
        (row, relation, columns): (u32, &Relation, &[i16]),
    ) -> Result<Arc<MemoryBatch>> {
        match self.get(entry.facts.part, row, columns) {
            Some(block) => Ok(block),
            None => self.read(entry, (row, relation, columns)),
        }
    }

    /// Reads the block that holds a row, and keeps it: these columns, and those that it had.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn read(
        &self,
        entry: &FileEntry,
        (row, relation, columns): (u32, &Relation, &[i16]),
    ) -> Result<Arc<MemoryBatch>> {
        let key = (entry.facts.part, row / BLOCK_ROWS);
        let known = self.state.lock().blocks.get(&key).map(|block| Arc::clone(&block.rows.columns));
        let wanted = |column: &&Column| {
            let number = &column.number;
            columns.contains(number) || known.as_ref().is_some_and(|known| known.contains(number))
        };
        let columns: Vec<&Column> = relation.live_columns().filter(wanted).collect();
        let numbers: Arc<[i16]> = columns.iter().map(|column| column.number).collect();
        let start = row / BLOCK_ROWS * BLOCK_ROWS;
        let first = usize::try_from(start).unwrap_or(0);
        let last = usize::try_from(start.saturating_add(BLOCK_ROWS)).unwrap_or(0);
        let mut reader = ColumnReader::new(entry, columns, Some(first..last))?;
        let mut block =
            MemoryBatch { start, columns: Arc::clone(&numbers), arrays: Vec::new(), rows: 0 };
        let mut pieces: Vec<Vec<ArrayRef>> = Vec::new();
        while let Some((arrays, rows)) = reader.next()? {
            block.rows += rows;
            pieces.push(arrays);
        }
        for at in 0..numbers.len() {
            let pieces: Vec<&dyn Array> =
                pieces.iter().filter_map(|one| one.get(at).map(AsRef::as_ref)).collect();
            if !pieces.is_empty() {
                block.arrays.push(arrays::compact(&concat(&pieces)?));
            }
        }
        let block = Arc::new(block);
        self.keep(key, &block);
        Ok(block)
    }

    /// Forgets rows of parts that nobody sees any more.
    pub(super) fn forget(&self, parts: &HashSet<PartId>) {
        let mut state = self.state.lock();
        let mut freed = 0;
        state.blocks.retain(|(part, _), block| {
            let stays = !parts.contains(part);
            freed += if stays { 0 } else { block.bytes };
            stays
        });
        state.bytes -= freed;
    }

    fn keep(&self, key: (PartId, u32), rows: &Arc<MemoryBatch>) {
        let bytes = rows.arrays.iter().map(arrays::byte_size).sum();
        let mut state = self.state.lock();
        state.tick += 1;
        let block = Block { rows: Arc::clone(rows), bytes, used: state.tick };
        state.bytes += bytes;
        if let Some(old) = state.blocks.insert(key, block) {
            state.bytes -= old.bytes;
        }
        if state.bytes > self.bytes_max {
            state.drop_oldest(self.bytes_max / 4 * 3);
        }
    }
}

impl State {
    /// Drops the least recently used blocks until no more than `bytes` are left.
    fn drop_oldest(&mut self, bytes: usize) {
        let mut by_use: Vec<_> =
            self.blocks.iter().map(|(key, block)| (block.used, *key)).collect();
        by_use.sort_unstable();
        for (_, key) in by_use {
            if self.bytes <= bytes {
                break;
            }
            if let Some(block) = self.blocks.remove(&key) {
                self.bytes -= block.bytes;
            }
        }
    }
}
