//! Foreign keys that are looked at when the transaction commits (manual: sql-set-constraints).
//!
//! What a statement would check, waits: keys that its rows came to refer to, and keys that are
//! gone. By the commit the rows may be gone as well, or the keys back.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::references::{Keys, KeysOf, Orphans, add, each_hash};
use super::transaction::Transaction;
use crate::definition::{ForeignKey, Oid, Relation};
use crate::error::{Error, Result};

/// What waits for the commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Deferred {
    /// `SET CONSTRAINTS name`: whether they are deferred.
    modes: BTreeMap<Oid, bool>,
    /// `SET CONSTRAINTS ALL`.
    all: Option<bool>,
    /// By referring relation and foreign key: keys that rows refer to.
    pub(super) wanted: KeysOf,
    /// Likewise: keys that are gone.
    pub(super) gone: KeysOf,
}

impl Deferred {
    /// Whether a foreign key is looked at when the transaction commits.
    pub(super) fn has(&self, key: &ForeignKey<'_>) -> bool {
        let said = self.modes.get(&key.oid).copied().or(self.all);
        key.deferrable.is_some_and(|initially| said.unwrap_or(initially))
    }
}

impl Deferred {
    /// What `SET CONSTRAINTS` has said.
    fn modes(&self) -> Self {
        Self { modes: self.modes.clone(), all: self.all, ..Self::default() }
    }
}

impl Transaction {
    /// Begins as another one that has written nothing: with what `SET CONSTRAINTS` has said.
    pub fn defer_as(&mut self, before: &Self) {
        self.changes.references.deferred = before.changes.references.deferred.modes();
    }

    /// `SET CONSTRAINTS`, of these foreign keys or of all.
    pub fn defer(&mut self, keys: Option<&[Oid]>, deferred: bool) {
        let state = &mut self.changes.references.deferred;
        match keys {
            Some(keys) => state.modes.extend(keys.iter().map(|key| (*key, deferred))),
            None => (state.modes, state.all) = (BTreeMap::new(), Some(deferred)),
        }
    }

    /// Checks what has waited: before the commit all of it, else that of foreign keys which are
    /// not deferred any more.
    ///
    /// # Errors
    /// [`Error::ForeignKeyViolation`].
    pub fn check_deferred(&mut self, commits: bool) -> Result<()> {
        let deferred = &mut self.changes.references.deferred;
        let (wanted, gone) =
            (std::mem::take(&mut deferred.wanted), std::mem::take(&mut deferred.gone));
        let catalog = Arc::clone(&self.snapshot.catalog);
        for ((child, key), keys) in wanted {
            let Some(child) = catalog.relation_by_oid(child) else { continue };
            let Some(key) = child.foreign_keys().find(|one| one.oid == key) else { continue };
            match !commits && self.changes.references.deferred.has(&key) {
                true => add(
                    &mut self.changes.references.deferred.wanted,
                    (child.oid, key.oid),
                    keys.iter().copied(),
                ),
                false => self.check_wanted(child, &key, &keys)?,
            }
        }
        for ((child, key), keys) in gone {
            let Some(child) = catalog.relation_by_oid(child) else { continue };
            let Some(key) = child.foreign_keys().find(|one| one.oid == key) else { continue };
            match !commits && self.changes.references.deferred.has(&key) {
                true => add(
                    &mut self.changes.references.deferred.gone,
                    (child.oid, key.oid),
                    keys.iter().copied(),
                ),
                false => self.check_gone(child, &key, &keys)?,
            }
        }
        Ok(())
    }

    /// Keys that are not there are missed only by rows that are still there.
    fn check_wanted(
        &mut self,
        child: &Arc<Relation>,
        key: &ForeignKey<'_>,
        wanted: &Keys,
    ) -> Result<()> {
        let missing = self.missing(key, wanted)?;
        let mut looked_for: Keys = wanted.difference(&missing).copied().collect();
        if !missing.is_empty() {
            let table = self.snapshot.table(child.oid);
            let how = (key.columns, self.store.shared.hasher());
            each_hash(&table, child, how, |_, hash| {
                if missing.contains(&hash) {
                    looked_for.insert(hash);
                }
            })?;
        }
        self.check_key(child, key, &looked_for)
    }

    fn check_gone(
        &mut self,
        child: &Arc<Relation>,
        key: &ForeignKey<'_>,
        gone: &Keys,
    ) -> Result<()> {
        let missing = self.missing(key, gone)?;
        if missing.is_empty() {
            return Ok(());
        }
        match self.orphaned(child, key, &missing)? {
            Some(orphans) => Err(self.still_referenced(&orphans)?),
            None => Ok(()),
        }
    }

    /// Those keys among some that no row of the relation referred to has.
    fn missing(&mut self, key: &ForeignKey<'_>, keys: &Keys) -> Result<Keys> {
        let catalog = Arc::clone(&self.snapshot.catalog);
        let parent = catalog.relation_by_oid(key.references).ok_or(Error::Conflict)?;
        let unique = parent.unique_key_on(key.referenced).ok_or(Error::Conflict)?;
        let hashes: Vec<Option<u128>> = keys.iter().copied().map(Some).collect();
        self.ensure_own_keys(parent)?;
        let found = self.find_hashes(parent, unique, &hashes)?;
        let missing = hashes.iter().zip(found).filter(|(_, found)| found.is_none());
        Ok(missing.filter_map(|(hash, _)| *hash).collect())
    }

    /// The rows that refer to keys which are gone.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn orphaned(
        &mut self,
        child: &Arc<Relation>,
        key: &ForeignKey<'_>,
        gone: &Keys,
    ) -> Result<Option<Orphans>> {
        if !child.temporary {
            let barred = &mut self.changes.references.barred;
            add(barred, (child.oid, key.oid), gone.iter().copied());
        }
        let table = self.snapshot.table(child.oid);
        let mut rows = Vec::new();
        each_hash(&table, child, (key.columns, self.store.shared.hasher()), |address, hash| {
            if gone.contains(&hash) {
                rows.push(address);
            }
        })?;
        let orphans = Orphans { relation: Arc::clone(child), key: key.oid, rows };
        Ok((!orphans.rows.is_empty()).then_some(orphans))
    }
}
