//! Rows that came and rows that went since a model was made, as snapshots in which a table has only
//! these.

use std::sync::Arc;

use clientele_catalog::storage::{FilePart, MemoryPart, Snapshot, TableData};
use roaring::RoaringBitmap;

use super::linear::Tables;
use super::seen::{Seen, SeenPart, Table};

/// What a query gives more and less, once for each table that has changed.
#[derive(Default)]
pub(super) struct Delta {
    /// Its rows in these came.
    pub(super) plus: Vec<Snapshot>,
    /// Its rows in these went.
    pub(super) minus: Vec<Snapshot>,
}

impl Seen {
    /// What has changed until a snapshot. Of several tables that a query joins, the change of each
    /// meets the tables before it as they are and those after it as they were. The error is the
    /// reason why that cannot be told.
    pub(super) fn delta(&self, now: &Snapshot, of: &Tables) -> Result<Delta, String> {
        let Some(tables) = self.tables.as_ref().filter(|_| self.files.is_empty()) else {
            return Err("it reads rows that are not stored in tables".to_owned());
        };
        let is_fixed = |one: &&Table| of.fixed.contains(&one.oid);
        if tables.iter().filter(is_fixed).any(|one| !one.is_still(now)) {
            return Err("whose rows may be used has changed".to_owned());
        }
        let mut delta = Delta::default();
        for (place, table) in tables.iter().enumerate().filter(|(_, one)| !one.is_still(now)) {
            let data = now.table(table.oid);
            let name = || now.catalog.relation_by_oid(table.oid).map(|one| one.name.clone());
            if !table.has_files(&data) {
                let name = name().unwrap_or_default();
                return Err(format!("files of table \"{name}\" were rewritten"));
            }
            let mut base = now.clone();
            for later in &tables[place + 1..] {
                let data = now.table(later.oid);
                if !later.has_files(&data) {
                    return Err("files of tables that it joins were rewritten".to_owned());
                }
                base = base.with_rows(later.oid, later.as_it_was(&data));
            }
            let (plus, minus) = (table.came(&data), table.went(&data));
            if !plus.is_empty() {
                delta.plus.push(base.with_rows(table.oid, plus));
            }
            if !minus.is_empty() {
                // They went as they were: of whom they were then.
                let base = base.with_customers(Arc::clone(&self.customers));
                delta.minus.push(base.with_rows(table.oid, minus));
            }
        }
        Ok(delta)
    }
}

impl Table {
    /// Whether every file is there that was. What stood in memory is kept here.
    fn has_files(&self, data: &TableData) -> bool {
        let mut files = self.parts.iter().filter(|(_, part)| part.memory.is_none());
        files.all(|(id, _)| data.file_part(*id).is_some())
    }

    /// The rows as they were.
    fn as_it_was(&self, data: &TableData) -> TableData {
        let memory = self.parts.values().filter_map(|part| part.memory.clone()).collect();
        let files = data.files.iter().filter_map(|file| {
            let part = self.parts.get(&file.entry.facts.part)?;
            Some(FilePart { entry: Arc::clone(&file.entry), deleted: part.deleted.clone() })
        });
        TableData { memory, files: Arc::new(files.collect()), written_in: data.written_in }
    }

    /// New parts, and what is new in those that grow.
    pub(super) fn came(&self, data: &TableData) -> TableData {
        let memory = data.memory.iter().filter_map(|part| match self.parts.get(&part.id) {
            None => Some(Arc::clone(part)),
            Some(seen) => new_rows(part, seen),
        });
        let is_new = |file: &&FilePart| !self.parts.contains_key(&file.entry.facts.part);
        TableData {
            memory: memory.collect(),
            files: Arc::new(data.files.iter().filter(is_new).cloned().collect()),
            written_in: data.written_in,
        }
    }

    /// What is deleted since, and what stood in memory and stands elsewhere now, among what came.
    pub(super) fn went(&self, data: &TableData) -> TableData {
        let memory = self.parts.iter().filter_map(|(id, seen)| {
            let part = seen.memory.as_ref()?;
            let Some(now) = data.memory_part(*id) else { return Some(Arc::clone(part)) };
            let live = fewer(now.deleted.as_ref(), seen.deleted.as_ref())?;
            let deleted = Some(others(&live, part.rows));
            Some(Arc::new(MemoryPart { deleted, ..part.as_ref().clone() }))
        });
        let files = data.files.iter().filter_map(|file| {
            let seen = self.parts.get(&file.entry.facts.part)?;
            let live = fewer(file.deleted.as_ref(), seen.deleted.as_ref())?;
            let rows = u32::try_from(file.entry.facts.rows).unwrap_or(u32::MAX);
            let deleted = Some(others(&live, rows));
            Some(FilePart { entry: Arc::clone(&file.entry), deleted })
        });
        let memory: Vec<Arc<MemoryPart>> = memory.filter(|part| part.live_rows() > 0).collect();
        TableData { memory, files: Arc::new(files.collect()), written_in: data.written_in }
    }
}

/// A part without the rows that were there.
fn new_rows(part: &Arc<MemoryPart>, seen: &SeenPart) -> Option<Arc<MemoryPart>> {
    let known = seen.memory.as_ref().map_or(0, |memory| memory.rows);
    let mut deleted = part.deleted.as_ref().map(|rows| rows.as_ref().clone()).unwrap_or_default();
    deleted.insert_range(0..known);
    let new = MemoryPart { deleted: Some(Arc::new(deleted)), ..part.as_ref().clone() };
    (new.live_rows() > 0).then(|| Arc::new(new))
}

/// Rows that are deleted and were not.
fn fewer(
    now: Option<&Arc<RoaringBitmap>>,
    then: Option<&Arc<RoaringBitmap>>,
) -> Option<RoaringBitmap> {
    let now = now?;
    let gone = match then {
        Some(then) if Arc::ptr_eq(then, now) => return None,
        Some(then) => now.as_ref() - then.as_ref(),
        None => now.as_ref().clone(),
    };
    (!gone.is_empty()).then_some(gone)
}

/// All rows but some.
fn others(rows: &RoaringBitmap, count: u32) -> Arc<RoaringBitmap> {
    let mut others = RoaringBitmap::new();
    others.insert_range(0..count);
    Arc::new(others - rows)
}
