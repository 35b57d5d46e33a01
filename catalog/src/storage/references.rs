//! Foreign keys (manual: ddl-constraints-fk): keys that rows refer to, and keys that are gone.
//!
//! New rows leave the hashes of the keys that they refer to; [`Transaction::check_references`]
//! looks for all of them at the end of the statement. Deleted rows of a table that others refer to
//! leave theirs; [`Transaction::orphans`] says which rows still refer to them. What was found among
//! committed rows is looked for again by the committer, who also looks at rows that came meanwhile.
//!
//! Hashes are those of the key index, so that both sides meet in it. A key with a NULL refers to
//! nothing (MATCH SIMPLE).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{cast, concat_batches, interleave, take_record_batch};
use roaring::RoaringBitmap;

use super::deferred::Deferred;
use super::file::FileEntry;
use super::keys::{self, KeyHasher};
use super::part::{FilePart, MemoryBatch, MemoryPart, OWN_PART, PartId, RowAddress, TableData};
use super::prepare::join_rows;
use super::reader::{self, ColumnReader};
use super::transaction::Transaction;
use super::{arrays, provider_schema};
use crate::Catalog;
use crate::definition::{ForeignKey, Oid, Relation};
use crate::error::{Error, Result};

/// Rows of a file up to which they are read one by one.
const SINGLE_ROWS_MAX: u64 = 16;

/// Distinct hashes of keys.
pub(super) type Keys = HashSet<u128>;
/// Keys by the foreign key of a relation, or by the unique key of a relation.
pub(super) type KeysOf = BTreeMap<(Oid, Oid), Arc<Keys>>;

/// What a transaction's writes have to do with foreign keys.
#[derive(Debug, Clone, Default)]
pub(super) struct References {
    /// By referring relation and foreign key: not yet looked for.
    pending: KeysOf,
    /// By unique key: deleted rows had them; nobody has looked yet who refers to them.
    removed: KeysOf,
    /// By relation that cascading keys refer to: rows that this statement replaced, and what came in
    /// their places, row by row.
    moved: BTreeMap<Oid, Vec<(RecordBatch, RecordBatch)>>,
    /// By unique key: must be there when the transaction commits.
    pub(super) held: KeysOf,
    /// By referring relation and foreign key: no row may have come that refers to them.
    pub(super) barred: KeysOf,
    /// What is looked at when the transaction commits.
    pub(super) deferred: Deferred,
}

/// Rows that refer to keys which are gone.
#[derive(Debug)]
pub struct Orphans {
    /// Their table.
    pub relation: Arc<Relation>,
    /// Its foreign key.
    pub key: Oid,
    /// Where they are.
    pub rows: Vec<RowAddress>,
}

fn in_columns(relation: &Relation, rows: &RecordBatch) -> MemoryBatch {
    MemoryBatch {
        start: 0,
        columns: arrays::live_numbers(relation),
        arrays: rows.columns().to_vec(),
        rows: rows.num_rows(),
    }
}

/// The keys that rows refer to, by foreign key.
///
/// # Errors
/// A column's type cannot be a key.
pub(super) fn referred(
    hasher: KeyHasher,
    relation: &Relation,
    rows: &MemoryBatch,
) -> Result<Vec<(Oid, Keys)>> {
    let hashes = |key: ForeignKey<'_>| {
        let hashes = hasher.hash_batch(relation, key.columns, rows)?;
        Ok((key.oid, hashes.into_iter().flatten().collect()))
    };
    relation.foreign_keys().map(hashes).collect()
}

pub(super) fn add(keys: &mut KeysOf, place: (Oid, Oid), new: impl IntoIterator<Item = u128>) {
    let mut new = new.into_iter().peekable();
    if new.peek().is_some() {
        Arc::make_mut(keys.entry(place).or_default()).extend(new);
    }
}

/// The foreign keys that refer to a unique key, with the relations that have them.
fn referring<'a>(
    catalog: &'a Catalog,
    relation: &'a Relation,
) -> impl Iterator<Item = (&'a Arc<Relation>, ForeignKey<'a>)> {
    catalog
        .relations()
        .flat_map(|one| one.foreign_keys().map(move |key| (one, key)))
        .filter(|(_, key)| key.references == relation.oid)
}

/// The columns of each key of a relation that others refer to.
pub(super) fn keys_referred_to(catalog: &Catalog, relation: &Relation) -> Vec<Vec<i16>> {
    let mut keys: Vec<Vec<i16>> =
        referring(catalog, relation).map(|(_, key)| key.referenced.to_vec()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl Transaction {
    /// Keys of deleted rows that others may refer to, by table, as hashes; before
    /// [`Transaction::orphans`] has looked at them.
    pub fn removed_keys(&self) -> Vec<(Oid, u128)> {
        let removed = self.changes.references.removed.iter();
        removed.flat_map(|((table, _), keys)| keys.iter().map(|key| (*table, *key))).collect()
    }

    /// Notes what new rows refer to.
    pub(super) fn refer(&mut self, relation: Oid, referred: Vec<(Oid, Keys)>) {
        for (key, hashes) in referred {
            add(&mut self.changes.references.pending, (relation, key), hashes);
        }
    }

    /// Notes what all rows of a relation refer to by a foreign key that is new.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn refer_all(&mut self, relation: &Relation, key: Oid) -> Result<()> {
        let Some(key) = relation.foreign_keys().find(|one| one.oid == key) else { return Ok(()) };
        let table = self.snapshot.table(relation.oid);
        let mut found = Keys::new();
        each_hash(&table, relation, (key.columns, self.store.shared.hasher()), |_, hash| {
            found.insert(hash);
        })?;
        add(&mut self.changes.references.pending, (relation.oid, key.oid), found);
        Ok(())
    }

    /// Refuses rows that refer to keys which are not there; called at the end of a statement.
    ///
    /// # Errors
    /// [`Error::ForeignKeyViolation`].
    pub fn check_references(&mut self) -> Result<()> {
        self.changes.references.moved.clear();
        for ((relation, key), wanted) in std::mem::take(&mut self.changes.references.pending) {
            let Some(relation) = self.snapshot.catalog.relation_by_oid(relation).map(Arc::clone)
            else {
                continue;
            };
            let Some(key) = relation.foreign_keys().find(|one| one.oid == key) else { continue };
            let deferred = &mut self.changes.references.deferred;
            if deferred.has(&key) {
                add(&mut deferred.wanted, (relation.oid, key.oid), wanted.iter().copied());
                continue;
            }
            self.check_key(&relation, &key, &wanted)?;
        }
        Ok(())
    }

    pub(super) fn check_key(
        &mut self,
        relation: &Relation,
        key: &ForeignKey<'_>,
        wanted: &Keys,
    ) -> Result<()> {
        let catalog = Arc::clone(&self.snapshot.catalog);
        let parent = catalog.relation_by_oid(key.references).ok_or(Error::Conflict)?;
        let unique = parent.unique_key_on(key.referenced).ok_or_else(|| {
            Error::Internal(format!("foreign key {} refers to no unique key", key.name))
        })?;
        let hashes: Vec<Option<u128>> = wanted.iter().copied().map(Some).collect();
        self.ensure_own_keys(parent)?;
        let found = self.find_hashes(parent, unique, &hashes)?;
        let missing = hashes.iter().zip(&found).find(|(_, found)| found.is_none());
        if let Some((Some(hash), _)) = missing {
            return Err(Error::ForeignKeyViolation {
                schema: self.schema_name(relation),
                table: relation.name.clone(),
                constraint: key.name.to_owned(),
                key: self.text_of(relation, key, (*hash, key.columns, relation))?,
                parent: parent.name.clone(),
                removed: false,
            });
        }
        if !parent.temporary {
            let own = |part: PartId| part == OWN_PART || self.wrote_file(parent.oid, part);
            let committed = hashes
                .iter()
                .zip(&found)
                .filter_map(|(hash, found)| found.filter(|address| !own(address.part)).and(*hash));
            let committed: Vec<u128> = committed.collect();
            add(&mut self.changes.references.held, (parent.oid, unique), committed);
        }
        Ok(())
    }

    fn wrote_file(&self, relation: Oid, part: PartId) -> bool {
        let changes = self.changes.tables.get(&relation);
        changes.is_some_and(|one| one.files.iter().any(|file| file.entry.facts.part == part))
    }

    fn schema_name(&self, relation: &Relation) -> String {
        let schema = self.snapshot.catalog.schema_by_oid(relation.schema);
        schema.map(|schema| schema.name.clone()).unwrap_or_default()
    }

    /// `(a, b)=(1, 2)` of a row of the relation with that key, under the names of `named`.
    fn text_of(
        &self,
        relation: &Relation,
        key: &ForeignKey<'_>,
        (hash, names, named): (u128, &[i16], &Relation),
    ) -> Result<Option<String>> {
        let table = self.snapshot.table(relation.oid);
        let mut found = None;
        each_hash(&table, relation, (key.columns, self.store.shared.hasher()), |address, one| {
            if one == hash {
                found = Some(address);
            }
        })?;
        let Some(address) = found else { return Ok(None) };
        let row = self.rows_at(relation, &[address])?;
        Ok(keys::text_of((named, names), (relation, key.columns), &row))
    }

    /// Notes the keys of rows that are about to be deleted, where others refer to them.
    pub(super) fn note_removed(
        &mut self,
        relation: &Relation,
        rows: &BTreeMap<PartId, RoaringBitmap>,
    ) -> Result<()> {
        let catalog = Arc::clone(&self.snapshot.catalog);
        let mut uniques: Vec<(Oid, &[i16])> = referring(&catalog, relation)
            .filter_map(|(_, key)| Some((relation.unique_key_on(key.referenced)?, key.referenced)))
            .collect();
        uniques.sort_unstable();
        uniques.dedup_by_key(|(unique, _)| *unique);
        let (table, hasher) = (self.snapshot.table(relation.oid), self.store.shared.hasher());
        for (unique, columns) in uniques {
            for (part, rows) in rows {
                let removed = match (table.memory_part(*part), table.file_part(*part)) {
                    (Some(part), _) => in_memory(part, relation, (columns, hasher), rows)?,
                    (None, Some(file)) => in_file(&file.entry, relation, (columns, hasher), rows)?,
                    (None, None) => Vec::new(),
                };
                add(&mut self.changes.references.removed, (relation.oid, unique), removed);
            }
        }
        Ok(())
    }

    /// Notes rows that are about to be replaced, where a foreign key follows them.
    pub(super) fn note_moved(
        &mut self,
        relation: &Relation,
        before: &[RowAddress],
        after: &[RecordBatch],
    ) -> Result<()> {
        let catalog = Arc::clone(&self.snapshot.catalog);
        if !referring(&catalog, relation).any(|(_, key)| key.on_update == 'c') {
            return Ok(());
        }
        let Some(schema) = after.first().map(RecordBatch::schema) else { return Ok(()) };
        let after = concat_batches(&schema, after)?;
        let (found, rows) = self.found_at(relation, before)?;
        let places: HashMap<RowAddress, u32> = before.iter().copied().zip(0..).collect();
        let places = found.iter().filter_map(|address| places.get(address).copied());
        let after = take_record_batch(&after, &UInt32Array::from_iter_values(places))?;
        self.changes.references.moved.entry(relation.oid).or_default().push((rows, after));
        Ok(())
    }

    /// What the referring columns of orphans become by `ON UPDATE CASCADE`, in the order of
    /// [`Transaction::found_at`]; `None` where no row came in the place of one that they refer to.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn followed(&self, orphans: &Orphans) -> Result<Option<Vec<(i16, ArrayRef)>>> {
        let (child, hasher) = (&orphans.relation, self.store.shared.hasher());
        let key = child.foreign_keys().find(|one| one.oid == orphans.key);
        let key = key.ok_or_else(|| Error::Internal("a foreign key is gone".to_owned()))?;
        let parent =
            self.snapshot.catalog.relation_by_oid(key.references).ok_or(Error::Conflict)?;
        let moved = self.changes.references.moved.get(&parent.oid).map_or(&[][..], Vec::as_slice);
        let mut successors = HashMap::new();
        for (pair, (before, _)) in moved.iter().enumerate() {
            let hashes = hasher.hash_batch(parent, key.referenced, &in_columns(parent, before))?;
            let places = hashes.into_iter().enumerate();
            successors.extend(places.filter_map(|(row, hash)| Some((hash?, (pair, row)))));
        }
        let (_, rows) = self.found_at(child, &orphans.rows)?;
        let hashes = hasher.hash_batch(child, key.columns, &in_columns(child, &rows))?;
        let places = hashes.iter().map(|hash| successors.get(&(*hash)?).copied());
        let Some(places) = places.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let mut values = Vec::with_capacity(key.columns.len());
        for (own, referenced) in key.columns.iter().zip(key.referenced) {
            let column = child.column_by_number(*own).ok_or(Error::Conflict)?;
            let at = parent.live_columns().position(|one| one.number == *referenced);
            let at = at.ok_or(Error::Conflict)?;
            let new: Vec<&dyn Array> =
                moved.iter().map(|(_, after)| after.column(at).as_ref()).collect();
            values.push((*own, cast(&interleave(&new, &places)?, &column.pg_type.arrow())?));
        }
        Ok(Some(values))
    }

    /// Rows that refer to keys which deleted rows had and no row has now; `by_update` says that the
    /// rows were updated.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn orphans(&mut self, by_update: bool) -> Result<Vec<Orphans>> {
        let catalog = Arc::clone(&self.snapshot.catalog);
        let mut orphans = Vec::new();
        for ((parent, unique), removed) in std::mem::take(&mut self.changes.references.removed) {
            let Some(parent) = catalog.relation_by_oid(parent) else { continue };
            let hashes: Vec<Option<u128>> = removed.iter().copied().map(Some).collect();
            self.ensure_own_keys(parent)?;
            let found = self.find_hashes(parent, unique, &hashes)?;
            let gone = hashes.iter().zip(found).filter(|(_, found)| found.is_none());
            let gone: Keys = gone.filter_map(|(hash, _)| *hash).collect();
            if gone.is_empty() {
                continue;
            }
            for (child, key) in referring(&catalog, parent) {
                if parent.unique_key_on(key.referenced) != Some(unique) {
                    continue;
                }
                let action = if by_update { key.on_update } else { key.on_delete };
                let deferred = &mut self.changes.references.deferred;
                // Only the check waits, never what is to be done (manual: sql-createtable).
                if action == 'a' && deferred.has(&key) {
                    add(&mut deferred.gone, (child.oid, key.oid), gone.iter().copied());
                    continue;
                }
                orphans.extend(self.orphaned(child, &key, &gone)?);
            }
        }
        Ok(orphans)
    }

    /// The refusal of a statement that leaves orphans.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn still_referenced(&self, orphans: &Orphans) -> Result<Error> {
        let relation = &orphans.relation;
        let key = relation.foreign_keys().find(|one| one.oid == orphans.key);
        let key = key.ok_or_else(|| Error::Internal("a foreign key is gone".to_owned()))?;
        let parent =
            self.snapshot.catalog.relation_by_oid(key.references).ok_or(Error::Conflict)?;
        let first = orphans.rows.get(..1).unwrap_or_default();
        let row = self.rows_at(relation, first)?;
        Ok(Error::ForeignKeyViolation {
            schema: self.schema_name(parent),
            table: relation.name.clone(),
            constraint: key.name.to_owned(),
            key: keys::text_of((parent, key.referenced), (relation, key.columns), &row),
            parent: parent.name.clone(),
            removed: true,
        })
    }

    /// The rows at these addresses, in the relation's live columns.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn rows_at(&self, relation: &Relation, rows: &[RowAddress]) -> Result<RecordBatch> {
        self.found_at(relation, rows).map(|(_, rows)| rows)
    }

    /// The rows at these addresses in the order of the parts, with their addresses in that order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn found_at(
        &self,
        relation: &Relation,
        rows: &[RowAddress],
    ) -> Result<(Vec<RowAddress>, RecordBatch)> {
        let table = self.snapshot.table(relation.oid);
        let wanted: HashSet<RowAddress> = rows.iter().copied().collect();
        let mut found: Vec<MemoryBatch> = Vec::new();
        let mut addresses = Vec::with_capacity(rows.len());
        let mut take = |part: PartId, start: u32, batch: MemoryBatch| -> Result<()> {
            let places = (start..).take(batch.rows).map(|row| RowAddress { part, row });
            addresses.extend(places.clone().filter(|address| wanted.contains(address)));
            let mask = places.map(|address| wanted.contains(&address)).collect();
            let arrays = super::part::filter_all(&batch.arrays, Some(&mask))?;
            let rows = mask.true_count();
            found.push(MemoryBatch { start: 0, columns: batch.columns, arrays, rows });
            Ok(())
        };
        let parts: HashSet<PartId> = rows.iter().map(|one| one.part).collect();
        let columns = arrays::live_numbers(relation);
        for part in table.memory.iter().filter(|part| parts.contains(&part.id)) {
            for batch in &part.batches {
                let own = relation.live_columns().map(|column| arrays::column_of(batch, column));
                let arrays = own.collect::<Result<_>>()?;
                let (rows, columns) = (batch.rows, Arc::clone(&columns));
                take(part.id, batch.start, MemoryBatch { start: 0, columns, arrays, rows })?;
            }
        }
        for file in table.files.iter().filter(|file| parts.contains(&file.entry.facts.part)) {
            let mut reader =
                ColumnReader::new(&file.entry, relation.live_columns().collect(), None)?;
            let mut start = 0;
            while let Some((arrays, rows)) = reader.next()? {
                let columns = Arc::clone(&columns);
                let batch = MemoryBatch { start: 0, columns, arrays, rows };
                take(file.entry.facts.part, start, batch)?;
                start += u32::try_from(rows).unwrap_or(0);
            }
        }
        let schema = provider_schema(relation, false);
        let rows = match join_rows(relation, &found.iter().collect::<Vec<_>>())? {
            Some(rows) => RecordBatch::try_new(schema, rows.arrays)?,
            None => RecordBatch::new_empty(schema),
        };
        Ok((addresses, rows))
    }
}

/// Keys of some rows of a memory part.
fn in_memory(
    part: &MemoryPart,
    relation: &Relation,
    (columns, hasher): (&[i16], KeyHasher),
    rows: &RoaringBitmap,
) -> Result<Vec<u128>> {
    let mut found = Vec::new();
    for batch in &part.batches {
        let end = batch.start + u32::try_from(batch.rows).unwrap_or(0);
        if rows.range_cardinality(batch.start..end) > 0 {
            let hashes = hasher.hash_batch(relation, columns, batch)?;
            let own = (batch.start..).zip(hashes).filter(|(row, _)| rows.contains(*row));
            found.extend(own.filter_map(|(_, hash)| hash));
        }
    }
    Ok(found)
}

/// Keys of some rows of a file: single rows are read as such.
fn in_file(
    entry: &FileEntry,
    relation: &Relation,
    (columns, hasher): (&[i16], KeyHasher),
    rows: &RoaringBitmap,
) -> Result<Vec<u128>> {
    if rows.len() > SINGLE_ROWS_MAX {
        let hashes = reader::key_hashes(entry, relation, columns, hasher)?;
        let own = (0..).zip(hashes).filter(|(row, _)| rows.contains(*row));
        return Ok(own.filter_map(|(_, hash)| hash).collect());
    }
    let mut found = Vec::new();
    for row in rows {
        let row = reader::read_row(entry, relation, usize::try_from(row).unwrap_or(usize::MAX))?;
        found.extend(hasher.hash_batch(relation, columns, &row)?.into_iter().flatten());
    }
    Ok(found)
}

/// Calls `each` with the address and the key of every live row that has a whole key.
pub(super) fn each_hash(
    table: &TableData,
    relation: &Relation,
    (columns, hasher): (&[i16], KeyHasher),
    mut each: impl FnMut(RowAddress, u128),
) -> Result<()> {
    let mut visit = |part: PartId, start: u32, hashes: Vec<Option<u128>>| {
        for (row, hash) in (start..).zip(hashes) {
            let address = RowAddress { part, row };
            if let Some(hash) = hash.filter(|_| table.is_live(address)) {
                each(address, hash);
            }
        }
    };
    for part in &table.memory {
        for batch in &part.batches {
            visit(part.id, batch.start, hasher.hash_batch(relation, columns, batch)?);
        }
    }
    for file in table.files.iter() {
        let hashes = reader::key_hashes(&file.entry, relation, columns, hasher)?;
        visit(file.entry.facts.part, 0, hashes);
    }
    Ok(())
}

/// The parts of a table that have rows which it had not before, without those it had.
pub(super) fn come_since(now: &TableData, before: &TableData) -> TableData {
    let mut come = TableData::default();
    if now.written_in == before.written_in {
        return come;
    }
    for part in &now.memory {
        let known = before.memory_part(part.id).map_or(0, |one| one.rows);
        if part.rows > known {
            let mut part = MemoryPart::clone(part);
            let mut old = RoaringBitmap::new();
            old.insert_range(0..known);
            super::part::add_rows(&mut part.deleted, &old);
            come.memory.push(Arc::new(part));
        }
    }
    let new = |file: &&FilePart| before.file_part(file.entry.facts.part).is_none();
    come.files = Arc::new(now.files.iter().filter(new).cloned().collect());
    come
}
