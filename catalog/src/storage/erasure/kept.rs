//! Rows that a legal hold keeps of somebody who was erased stay the hold's when they are updated, or
//! when their table is written anew: they go when it ends. One that is given an identifier is the row
//! of whom that names.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, new_null_array,
};
use datafusion::arrow::compute::{filter_record_batch, not};
use datafusion::arrow::datatypes::Int64Type;
use roaring::RoaringBitmap;

use super::rows::person_columns;
use crate::definition::{Column, Oid, Relation};
use crate::domains::{self, Subject};
use crate::error::Result;
use crate::features::oids;
use crate::storage::arrays;
use crate::storage::part::RowAddress;
use crate::storage::reader::ColumnReader;
use crate::storage::transaction::Transaction;

/// What an update does to rows that are kept, and to all others.
#[derive(Debug, Default)]
pub(in crate::storage) struct Apart {
    /// Rows that are kept, as they were.
    pub(in crate::storage) before: Vec<RowAddress>,
    /// As they are now, marked: columns, and how many rows.
    pub(in crate::storage) after: Vec<(Vec<ArrayRef>, usize)>,
    /// The others as they were.
    pub(in crate::storage) others_before: Vec<RowAddress>,
    /// The others as they are now.
    pub(in crate::storage) others_after: Vec<RecordBatch>,
}

impl Transaction {
    /// Tells rows that are kept from others that are updated; `None`: there are none.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(in crate::storage) fn kept_apart(
        &self,
        relation: &Relation,
        (before, after): (&[RowAddress], &[RecordBatch]),
    ) -> Result<Option<Apart>> {
        let people = person_columns(relation);
        let Some(column) = people.first().filter(|_| self.snapshot.row_count(oids::ERASURES) > 0)
        else {
            return Ok(None);
        };
        let nameless = after.iter().flat_map(|batch| self.nameless(relation, batch));
        let pairs = before.iter().zip(nameless);
        let candidates: Vec<RowAddress> =
            pairs.filter(|(_, nameless)| *nameless).map(|(address, _)| *address).collect();
        let marks = self.marks_at(relation, column, &candidates)?;
        if marks.is_empty() {
            return Ok(None);
        }
        let mut apart = Apart::default();
        let mark = |address: &RowAddress| marks.get(address).copied();
        let (kept, others) = before.iter().partition(|address| mark(address).is_some());
        (apart.before, apart.others_before) = (kept, others);
        // What is more than the old rows is new.
        let mut of_rows = before.iter().map(mark).chain(std::iter::repeat(None));
        for batch in after {
            let marks: Int64Array = of_rows.by_ref().take(batch.num_rows()).collect();
            let (others, kept) = told_apart(relation, batch, &marks)?;
            apart.others_after.push(others);
            apart.after.push(kept);
        }
        Ok(Some(apart))
    }

    /// The marks of the rows of a relation that are kept, as the transaction sees them.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn marks(&self, relation: &Relation) -> Result<HashMap<RowAddress, i64>> {
        let mut found = HashMap::new();
        let people = person_columns(relation);
        let Some(column) = people.first().filter(|_| self.snapshot.row_count(oids::ERASURES) > 0)
        else {
            return Ok(found);
        };
        let wanted = (Subject::Person, &[column.number][..]);
        self.store.node_rows(&self.snapshot, relation, wanted, |rows| {
            let marks = rows.columns.first().and_then(|one| one.as_primitive_opt::<Int64Type>());
            let all = rows.addresses.iter().zip(marks.into_iter().flatten());
            found.extend(all.filter_map(|(at, mark)| Some((*at, mark.filter(|one| *one < 0)?))));
        })?;
        Ok(found)
    }

    /// As [`Transaction::insert`], of rows of which some have marks: these stay kept.
    ///
    /// # Errors
    /// As [`Transaction::insert`].
    pub fn insert_marked(
        &mut self,
        relation: Oid,
        batch: RecordBatch,
        marks: &Int64Array,
    ) -> Result<()> {
        if marks.null_count() == marks.len() {
            return self.insert(relation, batch);
        }
        let stored = self.stored(relation)?;
        let (others, (columns, count)) = told_apart(&stored, &batch, marks)?;
        self.insert(relation, others)?;
        self.append(&stored, columns, count).map(drop)
    }

    /// Of each row whether it names nobody.
    fn nameless(&self, relation: &Relation, rows: &RecordBatch) -> Vec<bool> {
        let catalog = &self.snapshot.catalog;
        let identifies = |column: &Column| {
            let meaning = column.domain.and_then(|one| domains::meaning(catalog, one));
            meaning.is_some_and(domains::SemanticDomain::identifies)
        };
        let columns = relation.live_columns().zip(rows.columns());
        let names: Vec<&ArrayRef> =
            columns.filter(|(one, _)| identifies(one)).map(|(_, array)| array).collect();
        (0..rows.num_rows()).map(|row| names.iter().all(|one| one.is_null(row))).collect()
    }

    /// The marks of those among some rows that have one.
    fn marks_at(
        &self,
        relation: &Relation,
        column: &Column,
        rows: &[RowAddress],
    ) -> Result<HashMap<RowAddress, i64>> {
        let mut found = HashMap::new();
        let table = self.snapshot.table(relation.oid);
        let mut take = |address: RowAddress, array: &ArrayRef, at: usize| {
            let numbers = array.as_primitive_opt::<Int64Type>().filter(|one| one.is_valid(at));
            let mark = numbers.map(|one| one.value(at)).filter(|one| *one < 0);
            found.extend(mark.map(|mark| (address, mark)));
        };
        for part in &table.memory {
            let own: RoaringBitmap =
                rows.iter().filter(|one| one.part == part.id).map(|one| one.row).collect();
            for batch in part.batches.iter().filter(|_| !own.is_empty()) {
                let array = arrays::column_of(batch, column)?;
                for (at, row) in (batch.start..).take(batch.rows).enumerate() {
                    if own.contains(row) {
                        take(RowAddress { part: part.id, row }, &array, at);
                    }
                }
            }
        }
        for file in table.files.iter() {
            let part = file.entry.facts.part;
            let own: RoaringBitmap =
                rows.iter().filter(|one| one.part == part).map(|one| one.row).collect();
            if own.is_empty() {
                continue;
            }
            let mut reader = ColumnReader::of_rows(&file.entry, vec![column], &own)?;
            let mut own = own.iter();
            while let Some((columns, count)) = reader.next()? {
                let Some(array) = columns.first() else { continue };
                for (at, row) in own.by_ref().take(count).enumerate() {
                    take(RowAddress { part, row }, array, at);
                }
            }
        }
        Ok(found)
    }
}

/// Rows without a mark, and those with one: their columns, and how many they are.
fn told_apart(
    relation: &Relation,
    batch: &RecordBatch,
    marks: &Int64Array,
) -> Result<(RecordBatch, (Vec<ArrayRef>, usize))> {
    let is_kept: BooleanArray = marks.iter().map(|one| Some(one.is_some())).collect();
    let others = filter_record_batch(batch, &not(&is_kept)?)?;
    let rows = filter_record_batch(batch, &is_kept)?;
    let marks = marks.iter().flatten().collect::<Int64Array>();
    Ok((others, (marked(relation, &rows, marks)?, rows.num_rows())))
}

/// Rows with their marks in the columns that say whose they are.
fn marked(relation: &Relation, rows: &RecordBatch, marks: Int64Array) -> Result<Vec<ArrayRef>> {
    let marks: ArrayRef = Arc::new(marks);
    let mut own = arrays::own_arrays(relation, rows.columns())?;
    for (column, slot) in relation.live_columns().zip(own.iter_mut()) {
        match column.subject {
            Some(Subject::Person) => *slot = Arc::clone(&marks),
            Some(Subject::Company) => *slot = new_null_array(slot.data_type(), slot.len()),
            None => {}
        }
    }
    Ok(own)
}
