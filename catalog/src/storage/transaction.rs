//! A transaction: what it reads, and the changes it gathers until it commits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::Utc;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use roaring::RoaringBitmap;

use super::active::ActiveGuard;
use super::arrays;
use super::erasure::{Gate, Held};
use super::file::FileEntry;
use super::keys::Hashes;
use super::own_keys::OwnKeys;
use super::part::{MemoryBatch, OWN_PART, PartId, RowAddress, add_rows};
use super::references::{self, References};
use super::snapshot::Snapshot;
use super::stitching::{self, Gathered, Mark, Stitcher};
use super::store::Store;
use super::tally::Tally;
use super::temporary::TemporarySpace;
use crate::definition::{Object, Oid, Relation};
use crate::error::{Error, Result};
use crate::features::oids;
use crate::privacy;

/// A file that a transaction wrote, with the keys of its rows.
#[derive(Debug, Clone)]
pub(super) struct NewFile {
    pub(super) entry: Arc<FileEntry>,
    pub(super) keys: Arc<Vec<(Oid, Hashes)>>,
}

/// What a transaction does to the rows of one relation.
#[derive(Debug, Clone, Default)]
pub(super) struct TableChanges {
    /// Committed rows are gone, all of them.
    pub(super) truncated: bool,
    /// Committed rows that it deleted.
    pub(super) deleted: BTreeMap<PartId, Arc<RoaringBitmap>>,
    pub(super) files: Vec<NewFile>,
}

/// All changes of a transaction but its rows in memory, which are in its snapshot.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes {
    /// Objects put, or dropped (`None`).
    pub(super) objects: BTreeMap<Oid, Option<Arc<Object>>>,
    pub(super) tables: BTreeMap<Oid, TableChanges>,
    pub(super) references: References,
    /// Rows of people who were erased.
    pub(super) held: Held,
}

/// A point that a transaction can go back to.
#[derive(Debug, Clone)]
pub struct Savepoint {
    gathered: Mark,
    written: Mark,
    recognised: Mark,
    snapshot: Arc<Snapshot>,
    temporary: Arc<TemporarySpace>,
    changes: Changes,
}

/// A transaction. Dropping it without [`Store::commit`] leaves nothing behind.
#[derive(Debug)]
pub struct Transaction {
    pub(super) store: Arc<Store>,
    pub(super) base: Arc<Snapshot>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) temporary: Arc<TemporarySpace>,
    pub(super) changes: Changes,
    pub(super) keys: HashMap<Oid, OwnKeys>,
    /// Identifiers and records that were not seen before.
    pub(super) gathered: Gathered,
    /// How much of that is written down.
    pub(super) written: Mark,
    /// How much of it its snapshot knows.
    pub(super) recognised: Mark,
    /// Says which snapshot it needs for as long as it lives.
    _active: ActiveGuard,
}

impl Transaction {
    pub(super) fn new(store: Arc<Store>, temporary: Arc<TemporarySpace>) -> Self {
        let (base, active) = store.shared.pinned();
        Self {
            snapshot: temporary.over(&base),
            store,
            base,
            temporary,
            changes: Changes::default(),
            keys: HashMap::new(),
            gathered: Gathered::default(),
            written: Mark::default(),
            recognised: Mark::default(),
            _active: active,
        }
    }

    /// What the transaction sees: the base and its own writes.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Version of the snapshot that it began with.
    pub fn base_version(&self) -> u64 {
        self.base.version
    }

    /// Whether there is nothing to write to the log. Temporary relations do not count.
    pub fn is_read_only(&self) -> bool {
        let Changes { objects, tables, held, .. } = &self.changes;
        objects.is_empty() && tables.is_empty() && held.is_empty()
    }

    /// Whether it changed the session's temporary relations since they were `before`.
    pub fn has_temporary_changes(&self, before: &Arc<TemporarySpace>) -> bool {
        !Arc::ptr_eq(&self.temporary, before)
    }

    /// Adds an object to the catalog or replaces the one of its OID.
    ///
    /// A relation that is `temporary` goes to the session's own space. A new unique constraint on
    /// a relation with rows is checked at commit ([`Transaction::check_unique`] checks it now).
    pub fn put(&mut self, mut object: Object) {
        let oid = object.oid();
        if let Object::Relation(after) = &mut object
            && let Some(before) = self.snapshot.catalog.relation_by_oid(oid)
        {
            privacy::keep_closed(&self.snapshot.catalog, before, after);
        }
        Arc::make_mut(&mut Arc::make_mut(&mut self.snapshot).catalog).put(object.clone());
        self.keys.remove(&oid);
        let temporary = match &object {
            Object::Relation(relation) => relation.temporary,
            Object::Schema(schema) => schema.oid == self.temporary.schema().oid,
            Object::Domain(_)
            | Object::Function(_)
            | Object::DefaultPrivileges(_)
            | Object::ForeignServer(_) => false,
        };
        if temporary {
            let schema = Object::Schema(self.temporary.schema().clone());
            let space = Arc::make_mut(&mut self.temporary);
            if !matches!(object, Object::Schema(_)) {
                space.objects.insert(oid, object);
            }
            let catalog = &mut Arc::make_mut(&mut self.snapshot).catalog;
            if catalog.schema_by_oid(schema.oid()).is_none() {
                Arc::make_mut(catalog).put(schema);
            }
        } else {
            self.changes.objects.insert(oid, Some(Arc::new(object)));
        }
    }

    /// Takes an object out of the catalog; the rows of a relation go with it.
    pub fn drop_object(&mut self, oid: Oid) {
        let snapshot = Arc::make_mut(&mut self.snapshot);
        Arc::make_mut(&mut snapshot.catalog).remove(oid);
        snapshot.own.insert(oid, Arc::default());
        self.keys.remove(&oid);
        if self.temporary.contains(oid) {
            let space = Arc::make_mut(&mut self.temporary);
            space.objects.remove(&oid);
            space.tables.remove(&oid);
            snapshot.own.remove(&oid);
            return;
        }
        self.changes.tables.remove(&oid);
        if self.base.catalog.relation_by_oid(oid).is_some() {
            // Should an object of this OID come again, it begins without rows.
            let gone = TableChanges { truncated: true, ..Default::default() };
            self.changes.tables.insert(oid, gone);
        }
        if self.base.catalog.object(oid).is_some() {
            self.changes.objects.insert(oid, None);
        } else {
            self.changes.objects.remove(&oid);
        }
    }

    /// Adds rows: the relation's live columns in order, of the types that [`PgType::arrow`] gives.
    /// Rows of people who were erased are held back.
    ///
    /// # Errors
    /// [`Error::UniqueViolation`] when a row's key is there already; nothing was added then.
    ///
    /// [`PgType::arrow`]: clientele_udfs::types::PgType::arrow
    pub fn insert(&mut self, relation: Oid, batch: RecordBatch) -> Result<()> {
        self.insert_counted(relation, &batch).map(drop)
    }

    /// As [`Transaction::insert`]; returns how many rows were not held back.
    ///
    /// # Errors
    /// As [`Transaction::insert`].
    pub(super) fn insert_counted(&mut self, relation: Oid, batch: &RecordBatch) -> Result<u64> {
        let relation = self.stored(relation)?;
        let gate = Gate::of(self, &relation);
        let inserted = self.add(&relation, &gate, batch)?;
        self.count(&relation, Tally { inserted, ..Default::default() });
        Ok(inserted)
    }

    /// Puts rows in the place of others; what is more than those is inserted.
    ///
    /// # Errors
    /// As [`Transaction::insert`]; the old rows are gone then.
    pub fn update(
        &mut self,
        relation: Oid,
        before: &[RowAddress],
        after: &[RecordBatch],
    ) -> Result<()> {
        let relation = self.stored(relation)?;
        let gate = Gate::of(self, &relation);
        self.note_moved(&relation, before, after)?;
        let apart = self.kept_apart(&relation, (before, after))?;
        let (before, after) = match &apart {
            Some(apart) => (apart.others_before.as_slice(), apart.others_after.as_slice()),
            None => (before, after),
        };
        let mut gone = self.changed_rows(&relation, &gate, (before, after))?;
        gone.extend(apart.iter().flat_map(|apart| &apart.before));
        let updated = self.remove(&relation, &gone)?;
        let mut rows = 0;
        for batch in after {
            rows += self.add(&relation, &gate, batch)?;
        }
        for (columns, count) in apart.into_iter().flat_map(|apart| apart.after) {
            rows += self.append(&relation, columns, count)?;
        }
        let inserted = rows.saturating_sub(updated);
        self.count(&relation, Tally { inserted, updated, deleted: 0 });
        Ok(())
    }

    /// Notes what was done for `pg_stat_user_tables`.
    pub(super) fn count(&self, relation: &Relation, rows: Tally) {
        // Temporary relations come and go with their sessions.
        if !relation.temporary {
            self.store.shared.tallies.add(relation.oid, rows);
        }
    }

    /// The rows among `before` whose new ones are not held back: others stay as they are.
    fn changed_rows(
        &self,
        relation: &Arc<Relation>,
        gate: &Gate,
        (before, after): (&[RowAddress], &[RecordBatch]),
    ) -> Result<Vec<RowAddress>> {
        let mut changed = before.to_vec();
        if !gate.may_hold() {
            return Ok(changed);
        }
        let mut place = 0;
        let mut stays = vec![true; before.len()];
        for batch in after {
            let mut arrays = arrays::own_arrays(relation, batch.columns())?;
            let (mut gathered, mut held) = (Gathered::default(), Held::default());
            let mask = gate.pass(&mut arrays, (&mut gathered, &mut held))?;
            for row in mask.iter().flatten().enumerate().filter(|(_, one)| *one != Some(true)) {
                if let Some(slot) = stays.get_mut(place + row.0) {
                    *slot = false;
                }
            }
            place += batch.num_rows();
        }
        let mut stays = stays.into_iter();
        changed.retain(|_| stays.next().unwrap_or(true));
        Ok(changed)
    }

    fn add(&mut self, relation: &Arc<Relation>, gate: &Gate, batch: &RecordBatch) -> Result<u64> {
        let mut arrays = arrays::own_arrays(relation, batch.columns())?;
        let stay = gate.pass(&mut arrays, (&mut self.gathered, &mut self.changes.held))?;
        let count = stay.map_or(batch.num_rows(), |stay| stay.true_count());
        self.append(relation, arrays, count)
    }

    /// Adds rows that have their nodes.
    pub(super) fn append(
        &mut self,
        relation: &Arc<Relation>,
        arrays: Vec<ArrayRef>,
        count: usize,
    ) -> Result<u64> {
        if count == 0 {
            return Ok(0);
        }
        super::keys::ready(relation)?;
        let columns = arrays::live_numbers(relation);
        let rows = MemoryBatch { start: 0, columns, arrays, rows: count };
        let hashes = super::keys::hash_all(self.store.shared.hasher(), relation, &rows)?;
        self.check_keys(relation, &rows, &hashes)?;
        let referred = references::referred(self.store.shared.hasher(), relation, &rows)?;
        self.refer(relation.oid, referred);
        let table = self.written(relation);
        let part = table.memory_part_mut(OWN_PART);
        let start = part.append(rows.columns, rows.arrays, rows.rows)?;
        if let Some(keys) = self.keys.get_mut(&relation.oid) {
            keys.add(RowAddress { part: OWN_PART, row: start }, &hashes);
        }
        self.keep_temporary(relation);
        Ok(count as u64)
    }

    /// Finds out whose rows of a relation are; `None`: it has no identifiers.
    pub(super) fn stitcher(&self, relation: &Relation) -> Option<Stitcher> {
        Stitcher::of(relation, &self.snapshot, &self.store.shared.identity)
    }

    /// Writes down what was gathered, to be committed with the rows.
    pub(super) async fn write_gathered(&mut self) -> Result<()> {
        let mark = self.gathered.mark();
        if mark == self.written {
            return Ok(());
        }
        let now = Utc::now().timestamp_micros();
        let [nodes, records] = stitching::rows(&self.gathered, self.written, now)?;
        self.written = mark;
        self.insert_beside([(oids::NODES, nodes), (oids::RECORDS, records)]).await
    }

    /// Deletes rows that the transaction sees; returns how many of them were live.
    ///
    /// # Errors
    /// The relation stores no rows.
    pub fn delete(&mut self, relation: Oid, rows: &[RowAddress]) -> Result<u64> {
        let relation = self.stored(relation)?;
        let deleted = self.remove(&relation, rows)?;
        self.count(&relation, Tally { deleted, ..Default::default() });
        Ok(deleted)
    }

    pub(super) fn remove(&mut self, relation: &Arc<Relation>, rows: &[RowAddress]) -> Result<u64> {
        let mut parts: BTreeMap<PartId, RoaringBitmap> = BTreeMap::new();
        let visible = self.snapshot.table(relation.oid);
        for address in rows.iter().filter(|address| visible.is_live(**address)) {
            parts.entry(address.part).or_default().insert(address.row);
        }
        drop(visible);
        self.note_removed(relation, &parts)?;
        let mut count = 0;
        for (part, rows) in parts {
            count += rows.len();
            self.written(relation).delete(part, &rows);
            let own_file = |changes: &TableChanges| {
                changes.files.iter().any(|file| file.entry.facts.part == part)
            };
            if let Some(changes) = self.changes.tables.get_mut(&relation.oid)
                && part != OWN_PART
                && !own_file(changes)
            {
                let mut deleted = changes.deleted.remove(&part);
                add_rows(&mut deleted, &rows);
                changes.deleted.extend(deleted.map(|deleted| (part, deleted)));
            }
        }
        self.keep_temporary(relation);
        Ok(count)
    }

    /// Deletes all rows: those the transaction sees and those committed until it commits.
    pub fn truncate(&mut self, relation: Oid) {
        let Ok(relation) = self.stored(relation) else { return };
        *self.written(&relation) = Default::default();
        self.keys.remove(&relation.oid);
        if let Some(changes) = self.changes.tables.get_mut(&relation.oid) {
            *changes = TableChanges { truncated: true, ..Default::default() };
        }
        self.keep_temporary(&relation);
    }

    /// Marks this state, to go back to.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint {
            gathered: self.gathered.mark(),
            written: self.written,
            recognised: self.recognised,
            snapshot: Arc::clone(&self.snapshot),
            temporary: Arc::clone(&self.temporary),
            changes: self.changes.clone(),
        }
    }

    /// Goes back to a savepoint of this transaction.
    pub fn rollback_to(&mut self, savepoint: Savepoint) {
        self.gathered.back_to(savepoint.gathered);
        self.written = savepoint.written;
        self.recognised = savepoint.recognised;
        self.snapshot = savepoint.snapshot;
        self.temporary = savepoint.temporary;
        self.changes = savepoint.changes;
        self.keys.clear();
    }

    /// The definition of a relation with rows, as the transaction has it.
    pub(super) fn stored(&self, relation: Oid) -> Result<Arc<Relation>> {
        let found = self.snapshot.catalog.relation_by_oid(relation);
        let found = found.filter(|relation| relation.stores_rows()).map(Arc::clone);
        found.ok_or_else(|| Error::Internal(format!("relation {relation} stores no rows")))
    }

    /// The rows of a relation that is about to be written.
    pub(super) fn written(&mut self, relation: &Relation) -> &mut super::part::TableData {
        if !relation.temporary {
            self.changes.tables.entry(relation.oid).or_default();
        }
        let snapshot = Arc::make_mut(&mut self.snapshot);
        if relation.temporary {
            // Two owners would make every one-row insert copy the part.
            Arc::make_mut(&mut self.temporary).tables.remove(&relation.oid);
        }
        snapshot.table_mut(relation.oid)
    }

    fn keep_temporary(&mut self, relation: &Relation) {
        if relation.temporary
            && let Some(table) = self.snapshot.own.get(&relation.oid)
        {
            Arc::make_mut(&mut self.temporary).tables.insert(relation.oid, Arc::clone(table));
        }
    }
}
