//! Files in the place of parts: how flushes and compactions become visible.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::apply::file_record;
use super::{Committer, Sealed};
use crate::definition::Oid;
use crate::error::Result;
use crate::storage::log::{Payload, ReplaceRecord};
use crate::storage::part::{FilePart, PartId, RowAddress, TableData};
use crate::storage::snapshot::Snapshot;
use crate::storage::writer::Written;

/// Address of a row that was deleted before its part was rewritten.
pub(in crate::storage) const GONE: i64 = -1;

/// For each row of a part where it is now, as [`RowAddress::to_i64`], or [`GONE`].
pub(in crate::storage) type Moves = HashMap<PartId, Vec<i64>>;

/// Files for parts of one relation.
#[derive(Debug)]
pub(in crate::storage) struct TableReplacement {
    pub(in crate::storage) relation: Oid,
    pub(in crate::storage) removed: Vec<PartId>,
    pub(in crate::storage) files: Vec<Written>,
    pub(in crate::storage) moves: Moves,
}

/// Files for parts of any number of relations.
#[derive(Debug)]
pub(in crate::storage) struct Replacement {
    /// What the files were made from.
    pub(in crate::storage) base: Arc<Snapshot>,
    pub(in crate::storage) tables: Vec<TableReplacement>,
}

impl Replacement {
    /// Bytes of the files that go.
    pub(in crate::storage) fn removed_bytes(&self) -> u64 {
        let removed = self.tables.iter().flat_map(|change| {
            let table = self.base.table(change.relation);
            let parts = change.removed.iter();
            parts.map(move |part| table.file_part(*part).map_or(0, |one| one.entry.facts.bytes))
        });
        removed.sum()
    }
}

/// Parts that were replaced, for transactions that began before.
#[derive(Debug, Default)]
pub(super) struct Retired {
    moves: HashMap<PartId, Vec<i64>>,
    /// Versions of the snapshots from which on parts are gone.
    since: BTreeMap<u64, HashSet<PartId>>,
}

impl Retired {
    /// Where a row is today; `None` when that is not known any more or it was deleted.
    pub(super) fn follow(&self, table: &TableData, mut address: RowAddress) -> Option<RowAddress> {
        while !table.has_part(address.part) {
            let moved = self.moves.get(&address.part)?.get(usize::try_from(address.row).ok()?)?;
            if *moved == GONE {
                return None;
            }
            address = RowAddress::from_i64(*moved);
        }
        Some(address)
    }
}

impl Committer {
    /// Puts files in the place of parts. A relation whose parts are gone already (it was truncated
    /// or dropped meanwhile) is left out.
    pub(super) fn replace(&mut self, replacement: Replacement) -> Result<Sealed> {
        let mut payload = Payload::default();
        let mut retired = Vec::new();
        let Replacement { base, tables } = replacement;
        for change in tables {
            let table = self.working.table(change.relation);
            let there = change.removed.iter().all(|part| table.has_part(*part));
            if there && self.working.catalog.relation_by_oid(change.relation).is_some() {
                let record = self.replace_table(&base.table(change.relation), &change)?;
                payload.replaced.push(record);
                retired.push(change.moves);
            }
        }
        if !payload.replaced.is_empty() {
            let logged = self.log.add(&payload.encode()?).and_then(|()| self.log.write());
            if let Err(error) = logged {
                self.fail(&error, Vec::new());
                return Err(error);
            }
            let parts: HashSet<PartId> =
                retired.iter().flat_map(|moves| moves.keys().copied()).collect();
            self.retired.since.insert(self.working.version + 1, parts);
            self.retired.moves.extend(retired.into_iter().flatten());
            self.publish();
        }
        Ok(self.sealed())
    }

    fn replace_table(
        &mut self,
        base: &TableData,
        change: &TableReplacement,
    ) -> Result<ReplaceRecord> {
        let oid = change.relation;
        let mut deleted = deleted_since(base, &self.working.table(oid), change);
        let mut record =
            ReplaceRecord { relation: oid, removed: change.removed.clone(), files: Vec::new() };
        let table = Arc::make_mut(&mut self.working.tables).entry(oid).or_default();
        let table = Arc::make_mut(table);
        for part in &change.removed {
            self.buried.extend(table.file_part(*part).map(|part| Arc::clone(&part.entry)));
        }
        table.remove_parts(&change.removed);
        for written in &change.files {
            let id = written.entry.facts.part;
            let deleted = deleted.remove(&id).map(Arc::new);
            let part = FilePart { entry: Arc::clone(&written.entry), deleted };
            record.files.push(file_record(&part)?);
            self.kept.push(Arc::clone(&written.entry));
            table.add_file(part);
        }
        self.index_files(oid, change);
        Ok(record)
    }

    fn index_files(&self, relation: Oid, change: &TableReplacement) {
        for (constraint, index) in self.shared.indexes.of_relation(relation) {
            let mut index = index.write();
            index.retire(&change.removed);
            for written in &change.files {
                match written.keys.iter().find(|(one, _)| *one == constraint) {
                    Some((_, hashes)) => index.add(written.entry.facts.part, 0, hashes),
                    // The constraint is younger than the files: build the index anew.
                    None => index.valid_from = u64::MAX,
                }
            }
        }
        self.shared.indexes.remove_invalid();
    }

    /// Forgets replaced parts that no transaction can name any more.
    pub(super) fn forget_retired(&mut self) {
        if self.retired.since.is_empty() {
            return;
        }
        let oldest = self.shared.active.oldest().unwrap_or(self.working.version);
        while let Some(entry) = self.retired.since.first_entry() {
            if *entry.key() > oldest {
                break;
            }
            let (version, parts) = entry.remove_entry();
            self.retired.moves.retain(|part, _| !parts.contains(part));
            self.shared.indexes.forget(&parts, version);
            self.shared.values.forget(&parts);
            self.shared.rows.forget(&parts);
        }
    }
}

/// Rows deleted since the files were made, in the files' row numbers.
fn deleted_since(
    base: &TableData,
    now: &TableData,
    change: &TableReplacement,
) -> HashMap<PartId, RoaringBitmap> {
    let mut moved: HashMap<PartId, RoaringBitmap> = HashMap::new();
    for part in &change.removed {
        let (Some(dead), Some(moves)) = (now.deleted(*part), change.moves.get(part)) else {
            continue;
        };
        let before = base.deleted(*part);
        for row in dead.iter().filter(|row| !before.is_some_and(|before| before.contains(*row))) {
            let target = usize::try_from(row).ok().and_then(|row| moves.get(row).copied());
            if let Some(target) = target.filter(|target| *target != GONE) {
                let address = RowAddress::from_i64(target);
                moved.entry(address.part).or_default().insert(address.row);
            }
        }
    }
    moved
}
