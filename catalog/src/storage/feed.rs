//! Whose rows commits have changed, for relations that somebody watches: what is computed from
//! them need only be computed anew for these customers.
//!
//! It is in memory alone. Who has not watched from the beginning learns that everything may have
//! changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use parking_lot::Mutex;
use roaring::RoaringBitmap;

use super::file::FileEntry;
use super::part::{MemoryPart, PartId, TableData};
use super::prepare::PreparedTable;
use super::reader::ColumnReader;
use super::store::Store;
use crate::definition::{Column, Oid, Relation};
use crate::domains::Subject;
use crate::error::Result;

/// Commits that are kept apart; older ones are taken together.
const ENTRIES_MAX: usize = 512;
/// Nodes of one relation from which on everything counts as changed.
const NODES_MAX: u64 = 4 << 20;

/// What has changed in a relation since some version.
#[derive(Debug, Clone, PartialEq)]
pub enum Touched {
    /// Rows of these nodes: people's, companies'. Rows of nobody do not count.
    Rows([RoaringBitmap; 2]),
    /// Any row.
    Everything,
    /// Nobody knows: the relation was not watched all the time.
    Unknown,
}

/// The changes of the relations that are watched.
#[derive(Debug, Default)]
pub(super) struct Feed(Mutex<Changes>);

#[derive(Debug, Default)]
struct Changes {
    /// Version of the last commit that has begun to note what it changes.
    begun: u64,
    watched: HashMap<Oid, Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    /// Every change after this version is known.
    complete_since: u64,
    /// In the order of their versions.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    version: u64,
    nodes: [RoaringBitmap; 2],
    /// Files that came, and files of which rows went: whose they are is read when somebody asks, if
    /// they are there still. Nothing here keeps a file: what is erased must go.
    files: Vec<(Weak<FileEntry>, Option<Arc<RoaringBitmap>>)>,
    everything: bool,
}

impl Entry {
    fn absorb(&mut self, other: Self) {
        self.version = other.version;
        self.everything |= other.everything;
        for (nodes, others) in self.nodes.iter_mut().zip(other.nodes) {
            *nodes |= others;
        }
        self.files.extend(other.files);
        if self.everything || self.nodes.iter().any(|nodes| nodes.len() > NODES_MAX) {
            *self = Self { version: self.version, everything: true, ..Self::default() };
        }
    }
}

impl Feed {
    fn note(&self, relation: Oid, entry: impl FnOnce() -> Entry) {
        let mut changes = self.0.lock();
        let Some(watched) = changes.watched.get_mut(&relation) else { return };
        let entry = entry();
        match watched.entries.last_mut().filter(|last| last.version == entry.version) {
            Some(last) => last.absorb(entry),
            None => watched.entries.push(entry),
        }
        if watched.entries.len() > ENTRIES_MAX {
            let mut older =
                watched.entries.drain(..ENTRIES_MAX / 2).collect::<Vec<_>>().into_iter();
            if let Some(mut first) = older.next() {
                older.for_each(|one| first.absorb(one));
                watched.entries.insert(0, first);
            }
        }
    }

    /// A commit is about to note what it changes.
    pub(super) fn begin(&self, version: u64) {
        self.0.lock().begun = version;
    }

    /// The definition of a relation has changed.
    pub(super) fn note_definition(&self, relation: Oid, version: u64) {
        self.note(relation, || Entry { version, everything: true, ..Entry::default() });
    }

    /// A commit is about to change the rows of a relation, which are `table` as yet.
    pub(super) fn note_rows(
        &self,
        (change, deleted): (
            &PreparedTable,
            &std::collections::BTreeMap<PartId, Arc<RoaringBitmap>>,
        ),
        table: &TableData,
        version: u64,
    ) {
        self.note(change.relation.oid, || entry((change, deleted), table, version));
    }
}

fn entry(
    (change, deleted): (&PreparedTable, &std::collections::BTreeMap<PartId, Arc<RoaringBitmap>>),
    table: &TableData,
    version: u64,
) -> Entry {
    let mut entry = Entry { version, ..Entry::default() };
    let columns = subject_columns(&change.relation);
    if change.truncated || columns.iter().all(Option::is_none) {
        entry.everything = true;
        return entry;
    }
    for (nodes, column) in entry.nodes.iter_mut().zip(&columns) {
        let Some(column) = column else { continue };
        if let Some(array) = change.rows.as_ref().and_then(|rows| rows.column(column.number)) {
            take(array, nodes, |_| true);
        }
        for (part, rows) in deleted {
            if let Some(part) = table.memory_part(*part) {
                take_deleted(part, rows, column, nodes);
            }
        }
    }
    for (part, rows) in deleted {
        let file = table.file_part(*part);
        entry.files.extend(file.map(|file| (Arc::downgrade(&file.entry), Some(Arc::clone(rows)))));
    }
    entry.files.extend(change.files.iter().map(|(part, _)| (Arc::downgrade(&part.entry), None)));
    entry
}

fn subject_columns(relation: &Relation) -> [Option<&Column>; 2] {
    Subject::ALL.map(|subject| relation.live_columns().find(|one| one.subject == Some(subject)))
}

fn take(array: &ArrayRef, into: &mut RoaringBitmap, wanted: impl Fn(usize) -> bool) {
    let Some(numbers) = array.as_primitive_opt::<Int64Type>() else { return };
    let node = |row: usize| u32::try_from(numbers.value(row)).ok();
    let rows = (0..numbers.len()).filter(|row| numbers.is_valid(*row) && wanted(*row));
    into.extend(rows.filter_map(node).filter(|node| *node != 0));
}

fn take_deleted(
    part: &MemoryPart,
    rows: &RoaringBitmap,
    column: &Column,
    into: &mut RoaringBitmap,
) {
    for row in rows {
        let Some((batch, at)) = part.locate(row) else { continue };
        if let Some(array) = batch.column(column.number) {
            take(&array.slice(at, 1), into, |_| true);
        }
    }
}

impl Store {
    /// Watches exactly these relations from now on; what was known of them up to a version is not
    /// needed any more.
    pub fn watch(&self, relations: &BTreeSet<Oid>, needed_since: u64) {
        let mut changes = self.shared.feed.0.lock();
        // A commit that is under way may not have noted all that it changes.
        let complete_since = self.snapshot().version.max(changes.begun);
        changes.watched.retain(|relation, _| relations.contains(relation));
        for relation in relations {
            let one = changes
                .watched
                .entry(*relation)
                .or_insert_with(|| Watched { complete_since, entries: Vec::new() });
            one.entries.retain(|entry| entry.version > needed_since);
        }
    }

    /// Whose rows of a relation have changed after a version, as far as commits are published.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn touched(&self, relation: &Relation, since: u64) -> Result<Touched> {
        let entries = {
            let changes = self.shared.feed.0.lock();
            match changes.watched.get(&relation.oid).filter(|one| one.complete_since <= since) {
                None => return Ok(Touched::Unknown),
                Some(one) => one
                    .entries
                    .iter()
                    .filter(|one| one.version > since)
                    .cloned()
                    .collect::<Vec<_>>(),
            }
        };
        let mut nodes: [RoaringBitmap; 2] = Default::default();
        let columns = subject_columns(relation);
        for entry in entries {
            if entry.everything {
                return Ok(Touched::Everything);
            }
            for (nodes, more) in nodes.iter_mut().zip(entry.nodes) {
                *nodes |= more;
            }
            for (file, rows) in &entry.files {
                let Some(file) = file.upgrade() else { return Ok(Touched::Unknown) };
                for (nodes, column) in nodes.iter_mut().zip(&columns) {
                    let Some(column) = column else { continue };
                    read(&file, (column, rows.as_deref()), nodes)?;
                }
            }
        }
        Ok(Touched::Rows(nodes))
    }
}

fn read(
    file: &FileEntry,
    (column, rows): (&Column, Option<&RoaringBitmap>),
    into: &mut RoaringBitmap,
) -> Result<()> {
    let mut reader = ColumnReader::new(file, vec![column], None)?;
    let mut start = 0;
    while let Some((arrays, count)) = reader.next()? {
        let wanted = |row: usize| {
            let row = u32::try_from(start + row).unwrap_or(u32::MAX);
            rows.is_none_or(|rows| rows.contains(row))
        };
        if let Some(array) = arrays.first() {
            take(array, into, wanted);
        }
        start += count;
    }
    Ok(())
}
