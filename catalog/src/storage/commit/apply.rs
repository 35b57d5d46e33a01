//! Applying a validated transaction to the working state, and writing it down for the log.

use std::sync::Arc;

use super::Committer;
use super::validate::Deleted;
use crate::definition::{Object, Oid};
use crate::domains::Subject;
use crate::error::Result;
use crate::features::oids;
use crate::storage::log::{BitmapBody, FileRecord, Payload, TableRecord};
use crate::storage::part::{FilePart, RowAddress, TableData};
use crate::storage::prepare::{Prepared, PreparedTable, same_shape};

impl Committer {
    pub(super) fn apply(&mut self, prepared: Prepared, deleted: &[Deleted]) -> Result<()> {
        let mut payload = Payload::default();
        self.shared.feed.begin(self.working.version + 1);
        if !prepared.gathered.is_empty() {
            let forgotten = prepared.gathered.forgotten(Subject::Person);
            self.erased.add(self.working.version + 1, forgotten);
            self.gathered.push(prepared.gathered);
        }
        for (oid, object) in &prepared.objects {
            self.apply_object(*oid, object.as_deref());
            match object {
                Some(object) => payload.objects.push(object.as_ref().clone()),
                None => payload.dropped.push(*oid),
            }
        }
        for (change, deleted) in prepared.tables.into_iter().zip(deleted) {
            payload.tables.push(self.apply_table(change, deleted)?);
        }
        self.log.add(&payload.encode()?)
    }

    fn apply_object(&mut self, oid: Oid, object: Option<&Object>) {
        let before = self.working.catalog.relation_by_oid(oid).map(Arc::clone);
        // A domain may be a namespace of identifiers.
        let domain = self.working.catalog.domain_by_oid(oid).is_some();
        self.new_limits |= domain || matches!(object, Some(Object::Domain(_)));
        let catalog = Arc::make_mut(&mut self.working.catalog);
        match object {
            Some(object) => catalog.put(object.clone()),
            None => {
                catalog.remove(oid);
                self.clear_table(oid);
                self.shared.tallies.forget(oid);
                Arc::make_mut(&mut self.working.tables).remove(&oid);
            }
        }
        let after = self.working.catalog.relation_by_oid(oid);
        let same = match (&before, after) {
            (Some(before), Some(after)) => same_shape(before, after),
            _ => false,
        };
        if before.is_some() && !same {
            self.shared.feed.note_definition(oid, self.working.version + 1);
            self.shared.indexes.drop_relation(oid);
        }
    }

    fn clear_table(&mut self, oid: Oid) {
        self.open.remove(&oid);
        if let Some(table) = Arc::make_mut(&mut self.working.tables).get_mut(&oid) {
            self.buried.extend(table.files.iter().map(|part| Arc::clone(&part.entry)));
            *table =
                Arc::new(TableData { written_in: self.working.version + 1, ..Default::default() });
        }
    }

    fn apply_table(&mut self, change: PreparedTable, deleted: &Deleted) -> Result<TableRecord> {
        let oid = change.relation.oid;
        self.new_limits |= oid == oids::RULE_CHANGES;
        self.new_blocked |= oid == oids::BLOCKED_VALUES;
        self.new_tombstones |= oid == oids::TOMBSTONES;
        let mut record =
            TableRecord { relation: oid, truncated: change.truncated, ..Default::default() };
        let before = self.working.tables.get(&oid).map(Arc::clone).unwrap_or_default();
        let next = self.working.version + 1;
        self.shared.feed.note_rows((&change, deleted), &before, next);
        drop(before);
        if change.truncated {
            self.clear_table(oid);
        }
        let version = self.working.version + 1;
        let shared = &self.shared;
        let table = Arc::make_mut(&mut self.working.tables).entry(oid).or_default();
        let table = Arc::make_mut(table);
        table.written_in = version;
        for (part, rows) in deleted {
            record.deleted.push((*part, BitmapBody::new(rows)?));
            table.delete(*part, rows);
        }
        if let (Some(rows), Some(mut written)) = (change.rows, change.record) {
            let id = *self.open.entry(oid).or_insert_with(|| shared.allocate_part());
            let part = table.memory_part_mut(id);
            let start = part.append(rows.columns, rows.arrays, rows.rows)?;
            shared.indexes.add(RowAddress { part: id, row: start }, &change.keys, version);
            (written.part, written.start) = (id, start);
            record.rows = Some(written);
        }
        for (part, file) in change.files {
            let first = RowAddress { part: part.entry.facts.part, row: 0 };
            shared.indexes.add(first, &file.keys, version);
            record.files.push(file_record(&part)?);
            self.kept.push(Arc::clone(&part.entry));
            table.add_file(part);
        }
        Ok(record)
    }
}

/// A file as the log names it.
pub(super) fn file_record(part: &FilePart) -> Result<FileRecord> {
    let deleted = part.deleted.as_ref().map(|rows| BitmapBody::new(rows)).transpose()?;
    Ok(FileRecord { facts: part.entry.facts.clone(), deleted })
}
