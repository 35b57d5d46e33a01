//! The index of one unique constraint: hash of the key to the addresses that have it or had it.
//!
//! An entry may be stale (its row was deleted, its part rewritten): whoever looks up says which
//! addresses are live in the snapshot in question. Entries of rewritten parts stay until no
//! transaction can see those parts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hashbrown::HashTable;
use parking_lot::RwLock;

use super::keys::{self, Hashes, KeyHasher};
use super::part::{MemoryPart, PartId, RowAddress, TableData};
use super::reader;
use crate::definition::{Constraint, Oid, Relation};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Rows of one key, dead ones included, from which on the oldest are forgotten.
const HISTORY: usize = 64;
/// How many of them are kept then.
const HISTORY_KEPT: usize = 8;
/// Rows that are added under one lock.
const PRELOAD_ROWS: usize = 16 << 10;

/// The index of one constraint.
#[derive(Debug)]
pub(super) struct KeyIndex {
    pub(super) relation: Oid,
    constraint: Oid,
    entries: HashTable<(u128, RowAddress)>,
    /// How many rows of each part are in.
    covered: HashMap<PartId, u32>,
    /// Rows of parts that were rewritten.
    stale: usize,
    /// Parts that no transaction sees, with entries still.
    gone: HashSet<PartId>,
    /// Snapshots before this version may see rows that the index does not know.
    pub(super) valid_from: u64,
}

impl KeyIndex {
    pub(super) fn new(relation: Oid, constraint: Oid, valid_from: u64) -> Self {
        Self {
            relation,
            constraint,
            entries: HashTable::new(),
            covered: HashMap::new(),
            stale: 0,
            gone: HashSet::new(),
            valid_from,
        }
    }

    /// Adds what the table has and the index does not.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn catch_up(
        &mut self,
        table: &TableData,
        relation: &Relation,
        hasher: KeyHasher,
    ) -> Result<()> {
        self.build(table, relation, hasher, &Progress::default())
    }

    /// As [`KeyIndex::catch_up`]; says how far it is.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn build(
        &mut self,
        table: &TableData,
        relation: &Relation,
        hasher: KeyHasher,
        progress: &Progress,
    ) -> Result<()> {
        progress.expect(table.file_bytes());
        let constraint = relation.unique_constraint(self.constraint).ok_or(Error::Conflict)?;
        for part in &table.memory {
            self.cover_memory(part, (relation, constraint), hasher)?;
            progress.advance_rows(part.rows.into());
        }
        for part in table.files.iter() {
            let facts = &part.entry.facts;
            if !self.covered.contains_key(&facts.part) {
                let hashes = reader::constraint_hashes(&part.entry, relation, constraint, hasher)?;
                let hashes = hashes.ok_or_else(|| keys::not_compiled(constraint))?;
                self.add(facts.part, 0, &hashes);
            }
            progress.advance(facts.bytes);
            progress.advance_rows(facts.rows);
        }
        Ok(())
    }

    fn cover_memory(
        &mut self,
        part: &MemoryPart,
        (relation, constraint): (&Relation, &Constraint),
        hasher: KeyHasher,
    ) -> Result<()> {
        let covered = self.covered.get(&part.id).copied().unwrap_or(0);
        for batch in &part.batches {
            let end = batch.start + u32::try_from(batch.rows).unwrap_or(0);
            if end > covered {
                let hashes = hasher.hash_constraint(relation, constraint, batch)?;
                let hashes = hashes.ok_or_else(|| keys::not_compiled(constraint))?;
                let skip = covered.saturating_sub(batch.start);
                let rest = hashes.get(usize::try_from(skip).unwrap_or(0)..).unwrap_or(&[]);
                self.add(part.id, batch.start + skip, rest);
            }
        }
        Ok(())
    }

    /// Adds keys of rows that are committed as `version`, and cuts the history of keys that are
    /// written again and again: at most one row of a key is live, and it is among the last.
    fn add_committed(&mut self, part: PartId, start: u32, hashes: &[Option<u128>], version: u64) {
        let end = start + u32::try_from(hashes.len()).unwrap_or(0);
        if self.covered.get(&part).is_some_and(|covered| *covered >= end) {
            return;
        }
        self.add(part, start, hashes);
        for hash in hashes.iter().flatten() {
            let same = self.entries.iter_hash(bucket(*hash)).filter(|(one, _)| one == hash);
            let mut addresses: Vec<RowAddress> = Vec::new();
            if same.clone().count() <= HISTORY {
                continue;
            }
            addresses.extend(same.map(|(_, address)| *address));
            addresses.sort_unstable();
            for address in addresses.iter().take(addresses.len() - HISTORY_KEPT) {
                let entry = (*hash, *address);
                if let Ok(entry) = self.entries.find_entry(bucket(*hash), |one| *one == entry) {
                    entry.remove();
                }
            }
            self.valid_from = self.valid_from.max(version);
        }
    }

    /// Adds keys of rows of a part, from row `start`.
    pub(super) fn add(&mut self, part: PartId, start: u32, hashes: &[Option<u128>]) {
        self.entries.reserve(hashes.len(), |(hash, _)| bucket(*hash));
        for (row, hash) in (start..).zip(hashes) {
            if let Some(hash) = hash {
                let entry = (*hash, RowAddress { part, row });
                self.entries.insert_unique(bucket(*hash), entry, |(hash, _)| bucket(*hash));
            }
        }
        let end = start + u32::try_from(hashes.len()).unwrap_or(0);
        let covered = self.covered.entry(part).or_insert(0);
        *covered = end.max(*covered);
    }

    /// The address with that key that is live, says `live`.
    pub(super) fn find(&self, hash: u128, live: impl Fn(RowAddress) -> bool) -> Option<RowAddress> {
        let same = self.entries.iter_hash(bucket(hash)).filter(|(one, _)| *one == hash);
        same.map(|(_, address)| *address).find(|address| live(*address))
    }

    /// Notes that parts were rewritten; their rows stay known to those who see them.
    pub(super) fn retire(&mut self, parts: &[PartId]) {
        for part in parts {
            let rows = self.covered.get(part).copied().unwrap_or(0);
            self.stale += usize::try_from(rows).unwrap_or(0);
        }
    }

    /// Forgets rows of parts that no transaction sees, once there are enough of them to be worth
    /// the walk. Snapshots before `version` cannot be answered from then on.
    fn forget(&mut self, parts: &HashSet<PartId>, version: u64) {
        if !self.covered.keys().any(|part| parts.contains(part)) {
            return;
        }
        self.gone.extend(parts.iter().copied());
        if self.stale * 4 > self.entries.len() {
            let gone = std::mem::take(&mut self.gone);
            self.entries.retain(|(_, address)| !gone.contains(&address.part));
            self.covered.retain(|part, _| !gone.contains(part));
            self.valid_from = self.valid_from.max(version);
            self.stale = 0;
        }
    }

    /// Two live rows with one key, if there are any.
    pub(super) fn duplicate(&self, live: impl Fn(RowAddress) -> bool) -> Option<RowAddress> {
        let mut seen = HashSet::with_capacity(self.entries.len());
        let rows = self.entries.iter().filter(|(_, address)| live(*address));
        rows.into_iter().find(|(hash, _)| !seen.insert(*hash)).map(|(_, address)| *address)
    }
}

fn bucket(hash: u128) -> u64 {
    hash as u64
}

/// An index that is shared between readers and the committer.
pub(super) type SharedIndex = Arc<RwLock<KeyIndex>>;

/// The indexes of a database, by constraint.
#[derive(Debug, Default)]
pub(super) struct KeyIndexes(RwLock<HashMap<Oid, SharedIndex>>);

impl KeyIndexes {
    pub(super) fn get(&self, constraint: Oid) -> Option<SharedIndex> {
        self.0.read().get(&constraint).map(Arc::clone)
    }

    pub(super) fn install(&self, constraint: Oid, index: KeyIndex) -> SharedIndex {
        let index = Arc::new(RwLock::new(index));
        self.0.write().insert(constraint, Arc::clone(&index));
        index
    }

    /// Drops the indexes of a relation; they are built again when they are needed.
    pub(super) fn drop_relation(&self, relation: Oid) {
        self.0.write().retain(|_, index| index.read().relation != relation);
    }

    /// Drops indexes that miss rows of the present.
    pub(super) fn remove_invalid(&self) {
        self.0.write().retain(|_, index| index.read().valid_from != u64::MAX);
    }

    /// The indexes of a relation that exist.
    pub(super) fn of_relation(&self, relation: Oid) -> Vec<(Oid, SharedIndex)> {
        let all = self.0.read();
        let own = all.iter().filter(|(_, index)| index.read().relation == relation);
        own.map(|(oid, index)| (*oid, Arc::clone(index))).collect()
    }

    /// Adds rows to the indexes that exist; they become visible with `version`.
    pub(super) fn add(&self, first: RowAddress, keys: &[(Oid, Hashes)], version: u64) {
        for (constraint, hashes) in keys {
            if let Some(index) = self.get(*constraint) {
                index.write().add_committed(first.part, first.row, hashes, version);
            }
        }
    }

    /// Adds the rows of a file ahead of its commit: nobody sees the part before, and the committer
    /// has not to do it then. In pieces, so that readers are not kept waiting.
    pub(super) fn preload(&self, part: PartId, keys: &[(Oid, Hashes)]) {
        for (constraint, hashes) in keys {
            let Some(index) = self.get(*constraint) else { continue };
            for (piece, start) in hashes.chunks(PRELOAD_ROWS).zip((0..).step_by(PRELOAD_ROWS)) {
                index.write().add(part, start, piece);
            }
        }
    }

    pub(super) fn forget(&self, parts: &HashSet<PartId>, version: u64) {
        for index in self.0.read().values() {
            index.write().forget(parts, version);
        }
    }
}
