//! Rows that are held back, because an identifier on them, or the key that they refer to, is that
//! of somebody who was erased. They are counted and not kept.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate, Utc};
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Date32Array, Int64Array};

use super::tombstones::{Tombstone, Tombstones};
use crate::definition::{Oid, Relation};
use crate::error::Result;
use crate::features::oids;
use crate::storage::keys::KeyHasher;
use crate::storage::part::{MemoryBatch, filter_all};
use crate::storage::stitching::{Gathered, Stitcher, system_batch};
use crate::storage::transaction::Transaction;
use crate::storage::{arrays, references};

/// What a transaction held back.
#[derive(Debug, Clone, Default)]
pub(in crate::storage) struct Held {
    /// Rows by table.
    pub(in crate::storage) rows: BTreeMap<Oid, u64>,
    /// Keys of those rows, by table, as hashes: rows that refer to them are held back, too.
    pub(in crate::storage) keys: BTreeMap<Oid, BTreeSet<u128>>,
}

impl Held {
    pub(in crate::storage) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(in crate::storage) fn absorb(&mut self, other: Self) {
        for (table, count) in other.rows {
            *self.rows.entry(table).or_default() += count;
        }
        for (table, keys) in other.keys {
            self.keys.entry(table).or_default().extend(keys);
        }
    }
}

/// What decides about the rows of one relation on their way in.
pub(in crate::storage) struct Gate {
    relation: Arc<Relation>,
    stitcher: Option<Stitcher>,
    tombstones: Arc<Tombstones>,
    hasher: KeyHasher,
    /// Keys that other rows of the transaction had which were held back.
    keys: BTreeMap<Oid, BTreeSet<u128>>,
    /// Columns of keys of the relation that others refer to.
    referred: Vec<Vec<i16>>,
}

impl Gate {
    pub(in crate::storage) fn of(transaction: &Transaction, relation: &Arc<Relation>) -> Self {
        let tombstones = transaction.store.shared.identity.tombstones();
        let stitcher = transaction.stitcher(relation);
        let referred = match tombstones.is_empty() || stitcher.is_none() {
            true => Vec::new(),
            false => references::keys_referred_to(&transaction.snapshot.catalog, relation),
        };
        Self {
            relation: Arc::clone(relation),
            stitcher,
            tombstones,
            hasher: transaction.store.shared.hasher(),
            keys: transaction.changes.held.keys.clone(),
            referred,
        }
    }

    /// Whether there is anything that rows could be held back for.
    pub(in crate::storage) fn may_hold(&self) -> bool {
        !self.keys.is_empty() || !self.tombstones.is_empty()
    }

    /// Gives rows (the live columns) their nodes and takes out those that are held back; says
    /// which ones stay, if not all do.
    ///
    /// # Errors
    /// A column is not of its domain's type.
    pub(in crate::storage) fn pass(
        &self,
        arrays: &mut Vec<ArrayRef>,
        (gathered, held): (&mut Gathered, &mut Held),
    ) -> Result<Option<BooleanArray>> {
        let refers = self.refers_to_held(arrays)?;
        if let Some(stay) = &refers {
            self.hold(arrays, stay, held)?;
        }
        let Some(stitcher) = &self.stitcher else { return Ok(refers) };
        let mark = gathered.mark();
        let Some(stay) = stitcher.stitch(arrays, gathered)? else { return Ok(refers) };
        // Nothing of a row that is held back is evidence.
        gathered.back_to(mark);
        self.hold(arrays, &stay, held)?;
        stitcher.stitch(arrays, gathered)?;
        Ok(Some(match refers {
            None => stay,
            Some(first) => both(&first, &stay),
        }))
    }

    fn hold(&self, arrays: &mut Vec<ArrayRef>, stay: &BooleanArray, held: &mut Held) -> Result<()> {
        let gone: BooleanArray = stay.iter().map(|one| one.map(|one| !one)).collect();
        let columns = arrays::live_numbers(&self.relation);
        let rows = gone.true_count();
        let batch =
            MemoryBatch { start: 0, columns, arrays: filter_all(arrays, Some(&gone))?, rows };
        for columns in &self.referred {
            let hashes = self.hasher.hash_batch(&self.relation, columns, &batch)?;
            held.keys.entry(self.relation.oid).or_default().extend(hashes.into_iter().flatten());
        }
        *held.rows.entry(self.relation.oid).or_default() += rows as u64;
        *arrays = filter_all(arrays, Some(stay))?;
        Ok(())
    }

    /// Which rows stay; `None`: all.
    fn refers_to_held(&self, arrays: &[ArrayRef]) -> Result<Option<BooleanArray>> {
        let mut gone: HashSet<usize> = HashSet::new();
        let rows = arrays.first().map_or(0, |array| array.len());
        for key in self.relation.foreign_keys() {
            let own = self.keys.get(&key.references);
            let known = self.tombstones.has_keys_of(key.references);
            if own.is_none() && !known {
                continue;
            }
            let columns = arrays::live_numbers(&self.relation);
            let batch = MemoryBatch { start: 0, columns, arrays: arrays.to_vec(), rows };
            let hashes = self.hasher.hash_batch(&self.relation, key.columns, &batch)?;
            gone.extend(hashes.iter().enumerate().filter_map(|(row, hash)| {
                let hash = (*hash)?;
                let held = own.is_some_and(|own| own.contains(&hash))
                    || (known && self.tombstones.contains(Tombstone::Key(key.references, hash)));
                held.then_some(row)
            }));
        }
        let stay = || (0..rows).map(|row| Some(!gone.contains(&row))).collect();
        Ok((!gone.is_empty()).then(stay))
    }
}

/// Of rows that stayed first, those that stayed then, too.
fn both(first: &BooleanArray, then: &BooleanArray) -> BooleanArray {
    let mut then = then.iter();
    first.iter().map(|one| Some(one == Some(true) && then.next().flatten() == Some(true))).collect()
}

impl Transaction {
    /// Rows that were held back so far, by table.
    pub fn held_back(&self) -> &BTreeMap<Oid, u64> {
        &self.changes.held.rows
    }

    /// Writes down what was held back, to be committed with the rows: counts, and the keys of the
    /// rows, as hashes.
    ///
    /// # Errors
    /// As [`Transaction::insert`].
    pub(in crate::storage) fn write_held(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.changes.held);
        if held.is_empty() {
            return Ok(());
        }
        let now = Utc::now();
        let tables = held.rows.keys().map(|one| Some(i64::from(*one)));
        let counts = held.rows.values().map(|one| i64::try_from(*one).ok());
        let day = now.num_days_from_ce() - NaiveDate::default().num_days_from_ce();
        let rows = system_batch(
            oids::HELD_BACK,
            vec![
                Arc::new(tables.collect::<Int64Array>()),
                Arc::new(Date32Array::from_value(day, held.rows.len())),
                Arc::new(counts.collect::<Int64Array>()),
            ],
        )?;
        self.insert(oids::HELD_BACK, rows)?;
        let keys = held.keys.iter();
        let keys: Vec<Tombstone<'_>> = keys
            .flat_map(|(table, keys)| keys.iter().map(|one| Tombstone::Key(*table, *one)))
            .collect();
        let known = self.store.shared.identity.tombstones();
        let new: Vec<_> = keys.into_iter().filter(|one| !known.contains(*one)).collect();
        self.bury(0, &new, now.timestamp_micros())
    }
}
