//! Fan-out: identifiers that were seen with too many others connect nothing.
//!
//! A till's e-mail address on ten thousand receipts would make one customer of all of them. The
//! cheap count in [`Row::count`] bounds the neighbours from above; only where it passes the
//! limit are they counted exactly, and kept as long as they are within it: of what is beyond, more
//! evidence changes nothing.

use hashbrown::{HashMap, HashSet};

use super::row::Row;
use super::settle::Batch;
use super::store::Store;
use super::{Graph, Node};

/// The distinct identifiers that one identifier was seen with.
#[derive(Clone, Default)]
pub(super) struct Neighbours {
    seen: HashSet<Node>,
    by_space: HashMap<u32, u32>,
    most: u32,
}

impl Neighbours {
    /// All, or so many that one namespace has more than `enough`.
    fn of(store: &Store, node: Node, enough: u32) -> Self {
        let mut neighbours = Self::default();
        for record in store.records_of(node) {
            neighbours.add_members(store, node, record);
            if neighbours.most > enough {
                break;
            }
        }
        neighbours
    }

    fn add_members(&mut self, store: &Store, node: Node, record: Node) {
        for &member in store.members(record) {
            let row = store.row(member);
            if member != node && row.is(Row::IDENTIFIER) && self.seen.insert(member) {
                let count = self.by_space.entry(row.space()).or_default();
                *count += 1;
                self.most = self.most.max(*count);
            }
        }
    }
}

impl Graph {
    /// The largest number of distinct identifiers of one namespace that `node` was seen with.
    pub fn degree(&self, node: Node) -> u32 {
        match self.heavy.get(&node) {
            Some(neighbours) => neighbours.most,
            None => Neighbours::of(&self.store, node, u32::MAX).most,
        }
    }

    /// Counts a new record for those of its members that are counted exactly.
    pub(super) fn count_heavy(&mut self, record: Node, batch: &mut Batch) {
        for &member in self.store.members(record) {
            let Some(neighbours) = self.heavy.get_mut(&member) else { continue };
            neighbours.add_members(&self.store, member, record);
            // More evidence never releases.
            if !self.store.row(member).is(Row::QUARANTINED) {
                batch.candidates.push(member);
            }
        }
    }

    /// Counts an identifier for those that were seen with it before it was introduced itself.
    pub(super) fn count_late(&mut self, node: Node, batch: &mut Batch) {
        for record in self.store.records_of(node) {
            for &member in self.store.members(record) {
                if let Some(neighbours) = self.heavy.get_mut(&member) {
                    neighbours.add_members(&self.store, member, record);
                    batch.candidates.push(member);
                }
            }
        }
    }

    /// Whether the cheap count lets the neighbours pass the limit.
    pub(super) fn may_exceed(&self, row: Row) -> bool {
        row.is(Row::IDENTIFIER) && row.count > self.spaces.fan_out(row.space())
    }

    /// Decides which of the candidates are quarantined, before anything is united.
    pub(super) fn quarantine(&mut self, batch: &mut Batch) {
        for node in std::mem::take(&mut batch.recount) {
            if self.store.row(node).is(Row::HEAVY) {
                self.heavy.remove(&node);
                self.store.rows[node as usize].clear(Row::HEAVY);
                batch.candidates.push(node);
            }
        }
        let mut candidates = std::mem::take(&mut batch.candidates);
        candidates.sort_unstable();
        candidates.dedup();
        for node in candidates {
            let row = self.store.row(node);
            if !row.is(Row::IDENTIFIER) {
                continue;
            }
            let limit = self.spaces.fan_out(row.space());
            let exceeds = self.may_exceed(row) && self.exceeds(node, limit);
            if exceeds && !row.is(Row::QUARANTINED) {
                self.dissolve(node, node, batch);
                self.store.rows[node as usize].set(Row::QUARANTINED);
                batch.changes.quarantined.push(node);
            } else if !exceeds && row.is(Row::QUARANTINED) {
                self.store.rows[node as usize].clear(Row::QUARANTINED);
                self.open(node, batch);
                batch.changes.released.push(node);
            }
        }
    }

    fn exceeds(&mut self, node: Node, limit: u32) -> bool {
        self.store.rows[node as usize].set(Row::HEAVY);
        let known = self.heavy.remove(&node);
        let neighbours = known.unwrap_or_else(|| Neighbours::of(&self.store, node, limit));
        let exceeds = neighbours.most > limit;
        if !exceeds {
            self.heavy.insert(node, neighbours);
        }
        exceeds
    }
}
