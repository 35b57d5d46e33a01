//! How many rows have been inserted, updated and deleted since the server started, and how often
//! indexes were used: what `pg_stat_user_tables` and `pg_stat_user_indexes` show. As in PostgreSQL, what was rolled back counts, too: it was work.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::definition::Oid;

/// Rows written to a relation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows that came.
    pub inserted: u64,
    /// Rows that took the place of others.
    pub updated: u64,
    /// Rows that went; a TRUNCATE counts none.
    pub deleted: u64,
}

/// Use of an index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexTally {
    /// How many times it was searched.
    pub scans: u64,
    /// Rows that it named.
    pub rows: u64,
}

/// By relation, and by index.
#[derive(Debug, Default)]
pub(super) struct Tallies(Mutex<HashMap<Oid, Tally>>, Mutex<HashMap<Oid, IndexTally>>);

impl Tallies {
    pub(super) fn add(&self, relation: Oid, more: Tally) {
        let mut tallies = self.0.lock();
        let tally = tallies.entry(relation).or_default();
        tally.inserted += more.inserted;
        tally.updated += more.updated;
        tally.deleted += more.deleted;
    }

    pub(super) fn of(&self, relation: Oid) -> Tally {
        self.0.lock().get(&relation).copied().unwrap_or_default()
    }

    pub(super) fn index_used(&self, index: Oid, rows: usize) {
        let mut tallies = self.1.lock();
        let tally = tallies.entry(index).or_default();
        tally.scans += 1;
        tally.rows += rows as u64;
    }

    pub(super) fn of_index(&self, index: Oid) -> IndexTally {
        self.1.lock().get(&index).copied().unwrap_or_default()
    }

    pub(super) fn forget(&self, relation: Oid) {
        self.0.lock().remove(&relation);
    }
}
