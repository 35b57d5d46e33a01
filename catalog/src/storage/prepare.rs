//! What a transaction hands to the committer: its changes in the form that is validated, applied
//! and logged. Made on the client's own thread, so that the committer has little left to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use roaring::RoaringBitmap;

use super::arrays;
use super::keys::{self, Hashes};
use super::log::{RowsRecord, encode_rows};
use super::part::{FilePart, MemoryBatch, MemoryPart, OWN_PART, PartId, filter_all};
use super::references::KeysOf;
use super::snapshot::Snapshot;
use super::stitching::Gathered;
use super::transaction::{NewFile, Transaction};
use crate::definition::{Object, Oid, Relation};
use crate::error::Result;
use crate::progress::Progress;

/// Changes to the rows of one relation.
pub(super) struct PreparedTable {
    /// The definition that the rows fit.
    pub(super) relation: Arc<Relation>,
    /// All rows committed so far go.
    pub(super) truncated: bool,
    /// The change holds only for exactly the rows that the transaction saw: a definition was
    /// changed that was checked against them.
    pub(super) only_if_unchanged: bool,
    pub(super) deleted: BTreeMap<PartId, Arc<RoaringBitmap>>,
    /// New rows that go to memory, with their keys.
    pub(super) rows: Option<MemoryBatch>,
    /// The rows as the log has them.
    pub(super) record: Option<RowsRecord>,
    pub(super) keys: Vec<(Oid, Hashes)>,
    /// New rows in files, with their keys.
    pub(super) files: Vec<(FilePart, NewFile)>,
}

/// A transaction's changes.
pub(super) struct Prepared {
    pub(super) base: Arc<Snapshot>,
    pub(super) objects: Vec<(Oid, Option<Arc<Object>>)>,
    pub(super) tables: Vec<PreparedTable>,
    /// Keys that must be there, by unique key.
    pub(super) held: KeysOf,
    /// Keys that no row may have come to refer to, by foreign key.
    pub(super) barred: KeysOf,
    /// What was seen for the first time.
    pub(super) gathered: Gathered,
}

/// Turns a transaction's changes into what the committer takes.
///
/// # Errors
/// A new unique constraint does not hold, or a value does not fit its column.
pub(super) fn prepare(transaction: &mut Transaction) -> Result<Prepared> {
    let gathered = std::mem::take(&mut transaction.gathered);
    let mut oids: Vec<Oid> = transaction.changes.tables.keys().copied().collect();
    for (oid, object) in &transaction.changes.objects {
        if object.is_some() && !transaction.changes.tables.contains_key(oid) {
            oids.push(*oid);
        }
    }
    let mut tables = Vec::with_capacity(oids.len());
    for oid in oids {
        if let Some(relation) = transaction.snapshot.catalog.relation_by_oid(oid)
            && relation.stores_rows()
        {
            tables.extend(prepare_table(transaction, relation)?);
        }
    }
    let objects =
        transaction.changes.objects.iter().map(|(oid, one)| (*oid, one.clone())).collect();
    let references = &transaction.changes.references;
    Ok(Prepared {
        base: Arc::clone(&transaction.base),
        objects,
        tables,
        held: references.held.clone(),
        barred: references.barred.clone(),
        gathered,
    })
}

fn prepare_table(
    transaction: &Transaction,
    relation: &Arc<Relation>,
) -> Result<Option<PreparedTable>> {
    let table = transaction.snapshot.table(relation.oid);
    let changes = transaction.changes.tables.get(&relation.oid).cloned().unwrap_or_default();
    let before = transaction.base.catalog.relation_by_oid(relation.oid);
    let reshaped = before.is_some_and(|before| {
        !Arc::ptr_eq(before, relation) && !same_shape(before, relation) && !changes.truncated
    });
    if let Some(before) = before {
        for constraint in relation.unique_constraints() {
            if !before.constraints.iter().any(|one| one.oid == constraint.oid) {
                transaction.check_unique(relation, constraint.oid, &Progress::default())?;
            }
        }
    }
    let rows = match table.memory_part(OWN_PART) {
        Some(part) => live_rows(part, relation)?,
        None => None,
    };
    let types: Vec<PgType> = relation.live_columns().map(|column| column.pg_type).collect();
    let record = rows.as_ref().map(|rows| encode_rows(rows, &types)).transpose()?;
    let hasher = transaction.store.shared.hasher();
    let keys = match &rows {
        Some(rows) => keys::hash_all(hasher, relation, rows)?,
        None => Vec::new(),
    };
    let files = changes
        .files
        .iter()
        .filter_map(|file| Some((table.file_part(file.entry.facts.part)?.clone(), file.clone())));
    let prepared = PreparedTable {
        relation: Arc::clone(relation),
        truncated: changes.truncated,
        only_if_unchanged: reshaped,
        files: files.collect(),
        deleted: changes.deleted,
        record,
        rows,
        keys,
    };
    Ok((!prepared.is_empty()).then_some(prepared))
}

impl PreparedTable {
    fn is_empty(&self) -> bool {
        let quiet = !self.truncated && !self.only_if_unchanged && self.deleted.is_empty();
        quiet && self.rows.is_none() && self.files.is_empty()
    }
}

/// Whether rows that fit one definition fit the other.
pub(super) fn same_shape(one: &Relation, other: &Relation) -> bool {
    one.columns == other.columns && one.constraints == other.constraints
}

/// The live rows of a part as one batch in the relation's present columns.
///
/// # Errors
/// A value does not fit its column.
fn live_rows(part: &MemoryPart, relation: &Relation) -> Result<Option<MemoryBatch>> {
    let mut batches = Vec::with_capacity(part.batches.len());
    for batch in &part.batches {
        let columns = relation.live_columns().map(|column| arrays::column_of(batch, column));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mask = batch.live_mask(part.deleted.as_deref());
        let rows = mask.as_ref().map_or(batch.rows, |mask| mask.true_count());
        let arrays = filter_all(&columns, mask.as_ref())?;
        let columns = arrays::live_numbers(relation);
        batches.push(MemoryBatch { start: 0, columns, arrays, rows });
    }
    join_rows(relation, &batches.iter().collect::<Vec<_>>())
}

/// One batch of several that have the relation's live columns; `None` when they have no rows.
///
/// # Errors
/// Arrow cannot join them.
pub(super) fn join_rows(
    relation: &Relation,
    batches: &[&MemoryBatch],
) -> Result<Option<MemoryBatch>> {
    let rows = batches.iter().map(|batch| batch.rows).sum();
    if rows == 0 {
        return Ok(None);
    }
    let columns = arrays::live_numbers(relation);
    let join = |at: usize| -> Result<ArrayRef> {
        let pieces: Vec<&dyn Array> =
            batches.iter().filter_map(|batch| batch.arrays.get(at).map(AsRef::as_ref)).collect();
        Ok(concat(&pieces)?)
    };
    let arrays = match batches {
        [one] => one.arrays.clone(),
        _ => (0..columns.len()).map(join).collect::<Result<_>>()?,
    };
    let arrays = arrays.iter().map(arrays::compact).collect();
    Ok(Some(MemoryBatch { start: 0, columns, arrays, rows }))
}
