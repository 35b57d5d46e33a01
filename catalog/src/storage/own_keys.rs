//! Unique keys within a transaction: of its own rows, and against what it sees as committed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use parking_lot::RwLock;

use super::arrays;
use super::key_index::{KeyIndex, SharedIndex};
use super::keys::{self, Hashes, KeyHasher};
use super::part::{MemoryBatch, OWN_PART, RowAddress, TableData};
use super::reader;
use super::transaction::Transaction;
use super::writer::Written;
use crate::definition::{Oid, Relation};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Keys of the rows that a transaction added to one relation: the last address of each key.
#[derive(Debug, Default)]
pub(super) struct OwnKeys {
    rows: HashMap<Oid, HashMap<u128, RowAddress>>,
    /// Indexes that only this transaction has: of constraints or snapshots that the shared ones
    /// do not know.
    private: HashMap<Oid, SharedIndex>,
}

impl OwnKeys {
    pub(super) fn add(&mut self, first: RowAddress, keys: &[(Oid, Hashes)]) {
        for (constraint, hashes) in keys {
            let rows = self.rows.entry(*constraint).or_default();
            for (row, hash) in (first.row..).zip(hashes) {
                if let Some(hash) = hash {
                    rows.insert(*hash, RowAddress { part: first.part, row });
                }
            }
        }
    }

    fn find(&self, constraint: Oid, hash: u128, table: &TableData) -> Option<RowAddress> {
        let address = self.rows.get(&constraint)?.get(&hash)?;
        table.is_live(*address).then_some(*address)
    }

    /// The keys of rows that are there already: after a savepoint was gone back to, or in a
    /// temporary relation.
    fn of(table: &TableData, relation: &Relation, hasher: KeyHasher) -> Result<Self> {
        let mut own = Self::default();
        if let Some(part) = table.memory_part(OWN_PART) {
            for batch in &part.batches {
                let hashes = keys::hash_all(hasher, relation, batch)?;
                own.add(RowAddress { part: OWN_PART, row: batch.start }, &hashes);
            }
        }
        Ok(own)
    }
}

impl Transaction {
    /// The live row that has the key of each input row, for `ON CONFLICT`, and whether an earlier
    /// input row has it; `None` for no row or a key with a NULL. The batch has the relation's live
    /// columns in order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn find_key(
        &mut self,
        relation: &Relation,
        constraint: Oid,
        batch: &RecordBatch,
    ) -> Result<Vec<(Option<RowAddress>, bool)>> {
        let key = relation
            .unique_constraint(constraint)
            .ok_or_else(|| Error::Internal(format!("no unique constraint {constraint}")))?;
        let rows = MemoryBatch {
            start: 0,
            columns: arrays::live_numbers(relation),
            arrays: arrays::own_arrays(relation, batch.columns())?,
            rows: batch.num_rows(),
        };
        let hashes = self.store.shared.hasher().hash_constraint(relation, key, &rows)?;
        let hashes = hashes.ok_or_else(|| keys::not_compiled(key))?;
        self.ensure_own_keys(relation)?;
        let found = self.find_hashes(relation, constraint, &hashes)?;
        let mut seen = HashSet::with_capacity(hashes.len());
        let again = hashes.iter().map(|hash| hash.is_some_and(|hash| !seen.insert(hash)));
        Ok(found.into_iter().zip(again).collect())
    }

    /// Checks that no key of a constraint is there twice (`ALTER TABLE … ADD UNIQUE`).
    ///
    /// # Errors
    /// [`Error::UniqueViolation`].
    pub fn check_unique(
        &self,
        relation: &Relation,
        constraint: Oid,
        progress: &Progress,
    ) -> Result<()> {
        let table = self.snapshot.table(relation.oid);
        progress.enter("building index: scanning table");
        let index = self.private_index(&table, (relation, constraint), progress)?;
        match index.duplicate(|address| table.is_live(address)) {
            None => Ok(()),
            Some(_) => Err(self.violation(relation, constraint, None)),
        }
    }

    /// Refuses rows whose key is there, or there twice among them.
    pub(super) fn check_keys(
        &mut self,
        relation: &Relation,
        batch: &MemoryBatch,
        keys: &[(Oid, Hashes)],
    ) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.ensure_own_keys(relation)?;
        for (constraint, hashes) in keys {
            let found = self.find_hashes(relation, *constraint, hashes)?;
            let twice = || repeated(hashes);
            if let Some(row) = found.iter().position(Option::is_some).or_else(twice) {
                let key = keys::key_text(relation, *constraint, batch, row);
                return Err(self.violation(relation, *constraint, key));
            }
        }
        Ok(())
    }

    /// As [`Transaction::check_keys`], for rows that are in a file.
    pub(super) fn check_file_keys(&mut self, relation: &Relation, written: &Written) -> Result<()> {
        for (constraint, hashes) in written.keys.iter() {
            let found = self.find_hashes(relation, *constraint, hashes)?;
            let twice = || repeated(hashes);
            if let Some(row) = found.iter().position(Option::is_some).or_else(twice) {
                let row = reader::read_row(&written.entry, relation, row)?;
                let key = keys::key_text(relation, *constraint, &row, 0);
                return Err(self.violation(relation, *constraint, key));
            }
        }
        Ok(())
    }

    pub(super) fn find_hashes(
        &mut self,
        relation: &Relation,
        constraint: Oid,
        hashes: &[Option<u128>],
    ) -> Result<Vec<Option<RowAddress>>> {
        let table = self.snapshot.table(relation.oid);
        let index = self.committed_index(relation, constraint)?;
        let index = index.as_ref().map(|index| index.read());
        let own = self.keys.get(&relation.oid);
        let find = |hash: u128| {
            own.and_then(|own| own.find(constraint, hash, &table)).or_else(|| {
                index.as_ref().and_then(|index| index.find(hash, |address| table.is_live(address)))
            })
        };
        Ok(hashes.iter().map(|hash| hash.and_then(find)).collect())
    }

    pub(super) fn ensure_own_keys(&mut self, relation: &Relation) -> Result<()> {
        if self.keys.contains_key(&relation.oid) {
            return Ok(());
        }
        let hasher = self.store.shared.hasher();
        let table = self.snapshot.table(relation.oid);
        let mut own = OwnKeys::of(&table, relation, hasher)?;
        for file in self.changes.tables.get(&relation.oid).iter().flat_map(|one| &one.files) {
            own.add(RowAddress { part: file.entry.facts.part, row: 0 }, &file.keys);
        }
        self.keys.insert(relation.oid, own);
        Ok(())
    }

    /// The index of the committed rows that the transaction may see; `None` when there are none.
    fn committed_index(
        &mut self,
        relation: &Relation,
        constraint: Oid,
    ) -> Result<Option<SharedIndex>> {
        let base = self.base.table(relation.oid);
        let truncated = self.changes.tables.get(&relation.oid).is_some_and(|one| one.truncated);
        if relation.temporary || truncated || (base.memory.is_empty() && base.files.is_empty()) {
            return Ok(None);
        }
        let own = self.keys.get(&relation.oid);
        if let Some(private) = own.and_then(|own| own.private.get(&constraint)) {
            return Ok(Some(Arc::clone(private)));
        }
        let known = self.base.catalog.relation_by_oid(relation.oid);
        let known = known.is_some_and(|known| {
            known.unique_constraint(constraint).is_some() && known.columns == relation.columns
        });
        if known {
            let index = self.store.upkeep()?.key_index(relation.oid, constraint)?;
            if index.read().valid_from <= self.base.version {
                return Ok(Some(index));
            }
        }
        let nobody = Progress::default();
        let index = self.private_index(&base, (relation, constraint), &nobody)?;
        let index = Arc::new(RwLock::new(index));
        let own = self.keys.entry(relation.oid).or_default();
        own.private.insert(constraint, Arc::clone(&index));
        Ok(Some(index))
    }

    fn private_index(
        &self,
        table: &TableData,
        (relation, constraint): (&Relation, Oid),
        progress: &Progress,
    ) -> Result<KeyIndex> {
        let mut index = KeyIndex::new(relation.oid, constraint, self.base.version);
        index.build(table, relation, self.store.shared.hasher(), progress)?;
        Ok(index)
    }

    pub(super) fn violation(
        &self,
        relation: &Relation,
        constraint: Oid,
        key: Option<String>,
    ) -> Error {
        super::commit::violation(&self.snapshot.catalog, relation, constraint, key)
    }
}

/// A row whose key an earlier row of the same batch has.
fn repeated(hashes: &[Option<u128>]) -> Option<usize> {
    if hashes.len() < 2 {
        return None;
    }
    let mut seen = HashSet::with_capacity(hashes.len());
    hashes.iter().position(|hash| hash.is_some_and(|hash| !seen.insert(hash)))
}
