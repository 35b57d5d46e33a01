//! What is known of the values in parts: kept in memory, bounded, made when it is first asked for.
//!
//! Rows of a part never change, so nothing here grows old; what belongs to a part that was
//! rewritten is forgotten with it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clientele_udfs::types::PgType;
use parking_lot::Mutex;
use parquet::bloom_filter::Sbbf;

use super::index::{Bounds, SortedBlock};
use super::part::PartId;
use super::prune::GroupIndex;
use crate::error::Result;

/// A column by its number, and its type: an ALTER TABLE may change that.
pub(super) type TypedColumn = (i16, PgType);

/// What something is known of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A column of a file: its bloom filters.
    Filters(PartId, i16),
    /// A column of a row group: its values' hashes.
    Group(PartId, TypedColumn, u32),
    /// A column of a file: the bounds of its row groups.
    Bounds(PartId, TypedColumn),
    /// Columns of some rows of a part, from the first: their order.
    Sorted { part: PartId, columns: Arc<[TypedColumn]>, first: u32, rows: u32 },
    /// A column of a file, and some characters.
    Starts(PartId, TypedColumn, Arc<str>),
}

impl Key {
    fn part(&self) -> PartId {
        match self {
            Self::Filters(part, _) | Self::Group(part, ..) | Self::Bounds(part, _) => *part,
            Self::Starts(part, ..) => *part,
            Self::Sorted { part, .. } => *part,
        }
    }
}

/// What is known.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// A bloom filter of each row group; `None`: the group has none.
    Filters(Arc<Vec<Option<Sbbf>>>),
    Group(Arc<GroupIndex>),
    Bounds(Arc<Vec<Bounds>>),
    /// `None`: the rows are too large.
    Sorted(Option<Arc<SortedBlock>>),
    /// Whether any text starts with the characters.
    Starts(bool),
}

/// All that is known, the least recently used dropped first.
#[derive(Debug)]
pub(super) struct ValueIndexes {
    bytes_max: usize,
    state: Mutex<State>,
    /// What somebody finds out just now; others wait for it.
    sought: Mutex<HashMap<Key, Arc<Mutex<()>>>>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Key, (Known, usize, u64)>,
    bytes: usize,
    tick: u64,
}

impl ValueIndexes {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, state: Mutex::default(), sought: Mutex::default() }
    }

    /// Bytes of all that is kept, at most.
    pub(super) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// What is known already.
    pub(super) fn known(&self, key: &Key) -> Option<Known> {
        let mut state = self.state.lock();
        state.tick += 1;
        let tick = state.tick;
        let (known, _, used) = state.known.get_mut(key)?;
        *used = tick;
        Some(known.clone())
    }

    /// What is known, or what is found out now, with its bytes; by one of those who ask at once.
    ///
    /// # Errors
    /// What `find` fails with.
    pub(super) fn get(
        &self,
        key: Key,
        find: impl FnOnce() -> Result<(Known, usize)>,
    ) -> Result<Known> {
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let turn = Arc::clone(self.sought.lock().entry(key.clone()).or_default());
        let _turn = turn.lock();
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let found = find();
        if let Ok((known, bytes)) = &found {
            self.keep(key.clone(), known.clone(), *bytes);
        }
        self.sought.lock().remove(&key);
        found.map(|(known, _)| known)
    }

    fn keep(&self, key: Key, known: Known, bytes: usize) {
        let mut state = self.state.lock();
        let tick = state.tick;
        if let Some((_, before, _)) = state.known.insert(key, (known, bytes, tick)) {
            state.bytes -= before;
        }
        state.bytes += bytes;
        if state.bytes > self.bytes_max {
            state.drop_oldest(self.bytes_max / 4 * 3);
        }
    }

    /// Forgets what is known of parts that nobody sees any more.
    pub(super) fn forget(&self, parts: &HashSet<PartId>) {
        let mut state = self.state.lock();
        let mut freed = 0;
        state.known.retain(|key, (_, bytes, _)| {
            let stays = !parts.contains(&key.part());
            freed += if stays { 0 } else { *bytes };
            stays
        });
        state.bytes -= freed;
    }
}

impl State {
    fn drop_oldest(&mut self, bytes: usize) {
        let mut by_use: Vec<(u64, Key)> =
            self.known.iter().map(|(key, (_, _, used))| (*used, key.clone())).collect();
        by_use.sort_unstable_by_key(|(used, _)| *used);
        for (_, key) in by_use {
            if self.bytes <= bytes {
                break;
            }
            if let Some((_, bytes, _)) = self.known.remove(&key) {
                self.bytes -= bytes;
            }
        }
    }
}
