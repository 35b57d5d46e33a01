//! Decoded rows of files, for point lookups.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::arrays;
use super::file::FileEntry;
use super::part::{MemoryBatch, PartId};
use super::reader::ColumnReader;
use crate::definition::Relation;
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

    /// The block that holds a row, when it is there and has all columns of the relation.
    pub(super) fn get(
        &self,
        part: PartId,
        row: u32,
        relation: &Relation,
    ) -> Option<Arc<MemoryBatch>> {
        let mut state = self.state.lock();
        state.tick += 1;
        let tick = state.tick;
        let block = state.blocks.get_mut(&(part, row / BLOCK_ROWS))?;
        let complete =
            relation.live_columns().all(|column| block.rows.columns.contains(&column.number));
        block.used = tick;
        complete.then(|| Arc::clone(&block.rows))
    }

    /// Reads the block that holds a row, and keeps it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn read(
        &self,
        entry: &FileEntry,
        row: u32,
        relation: &Relation,
    ) -> Result<Arc<MemoryBatch>> {
        let start = row / BLOCK_ROWS * BLOCK_ROWS;
        let first = usize::try_from(start).unwrap_or(0);
        let last = usize::try_from(start.saturating_add(BLOCK_ROWS)).unwrap_or(0);
        let columns = relation.live_columns().collect();
        let mut reader = ColumnReader::new(entry, columns, Some(first..last))?;
        let mut pieces = Vec::new();
        while let Some((arrays, rows)) = reader.next()? {
            let columns = arrays::live_numbers(relation);
            pieces.push(MemoryBatch { start: 0, columns, arrays, rows });
        }
        let joined = super::prepare::join_rows(relation, &pieces.iter().collect::<Vec<_>>())?;
        let mut block = joined.unwrap_or_else(|| MemoryBatch {
            start,
            columns: arrays::live_numbers(relation),
            arrays: Vec::new(),
            rows: 0,
        });
        block.start = start;
        let block = Arc::new(block);
        self.keep((entry.facts.part, row / BLOCK_ROWS), &block);
        Ok(block)
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
