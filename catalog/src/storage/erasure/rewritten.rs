//! Rows that stay without what an erasure takes from them.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray, new_null_array,
};

use crate::definition::{Column, Oid, Relation};
use crate::domains::Subject;
use crate::error::Result;
use crate::storage::part::RowAddress;
use crate::storage::stitching::identifiers_of;
use crate::storage::transaction::Transaction;

impl Transaction {
    /// Clears all columns but some of rows that a legal hold keeps of an erasure. They are nobody's
    /// then: in place of a node they have the number of the erasure, below zero, by which they are
    /// found when the hold ends.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn keep_columns(
        &mut self,
        relation: Oid,
        (rows, erasure): (&[RowAddress], i64),
        is_kept: &dyn Fn(&Column) -> bool,
    ) -> Result<u64> {
        let relation = self.stored(relation)?;
        let before = self.rows_at(&relation, rows)?;
        let pairs = relation.live_columns().zip(before.columns());
        let mark: ArrayRef = Arc::new(Int64Array::from(vec![-erasure; before.num_rows()]));
        let columns = pairs.map(|(column, array)| match column.subject {
            Some(Subject::Person) => Arc::clone(&mark),
            _ if is_kept(column) => Arc::clone(array),
            _ => new_null_array(array.data_type(), array.len()),
        });
        let columns: Vec<ArrayRef> = columns.collect();
        self.remove(&relation, rows)?;
        // Past the gate: an identifier among the kept columns has a tombstone.
        self.append(&relation, columns, before.num_rows())
    }

    /// Takes identifiers out of rows of other people.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn clear_identifiers(
        &mut self,
        relation: Oid,
        rows: &[RowAddress],
        identifiers: &HashSet<(Oid, String)>,
    ) -> Result<u64> {
        let relation = self.stored(relation)?;
        let before = self.rows_at(&relation, rows)?;
        let mut columns = before.columns().to_vec();
        for (place, column) in relation.live_columns().enumerate() {
            let Some(array) = columns.get_mut(place) else { continue };
            let Some(values) = array.as_string_view_opt() else { continue };
            let catalog = Arc::clone(&self.snapshot.catalog);
            let named = |value: &&str| {
                let own = identifiers_of(&catalog, column, value);
                own.into_iter().any(|one| identifiers.contains(&one))
            };
            let cleared: StringViewArray =
                values.iter().map(|value| value.filter(|value| !named(value))).collect();
            *array = Arc::new(cleared);
        }
        let after = RecordBatch::try_new(before.schema(), columns)?;
        self.update(relation.oid, rows, &[after])?;
        Ok(before.num_rows() as u64)
    }

    /// Clears columns, by number, of some rows.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn clear_columns(
        &mut self,
        relation: &Relation,
        rows: &[RowAddress],
        numbers: &[i16],
    ) -> Result<()> {
        let before = self.rows_at(relation, rows)?;
        let pairs = relation.live_columns().zip(before.columns());
        let columns = pairs.map(|(column, array)| match numbers.contains(&column.number) {
            true => new_null_array(array.data_type(), array.len()),
            false => Arc::clone(array),
        });
        let after = RecordBatch::try_new(before.schema(), columns.collect())?;
        self.update(relation.oid, rows, &[after])
    }
}
