//! Texts in which somebody wrote who was erased: reasons, grounds, older definitions of segments.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::DataType;

use super::needles::{self, Needles};
use crate::definition::Relation;
use crate::domains::Subject;
use crate::error::Result;
use crate::storage::part::RowAddress;
use crate::storage::transaction::Transaction;

impl Transaction {
    /// Takes the identifiers of erased people out of the texts of a relation; returns how many rows
    /// had one.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn redact(&mut self, relation: &Arc<Relation>, erasures: &[i64]) -> Result<u64> {
        let needles = needles::read(&self.store.shared.directory, erasures)?;
        let numbers: Vec<i16> = relation.live_columns().map(|one| one.number).collect();
        let mut found: Vec<RowAddress> = Vec::new();
        let wanted = (Subject::Person, numbers.as_slice());
        self.store.node_rows(&self.snapshot, relation, wanted, |rows| {
            let all = rows.addresses.iter().enumerate();
            let names = |row| rows.columns.iter().any(|array| is_named(&needles, array, row));
            found.extend(all.filter(|(row, _)| names(*row)).map(|(_, address)| *address));
        })?;
        if found.is_empty() {
            return Ok(0);
        }
        let (found, before) = self.found_at(relation, &found)?;
        let columns = before.columns().iter().map(|array| redacted(&needles, array));
        let columns = columns.collect::<Result<_>>()?;
        let after = RecordBatch::try_new(before.schema(), columns)?;
        self.update(relation.oid, &found, &[after])?;
        Ok(found.len() as u64)
    }
}

fn is_named(needles: &Needles, array: &ArrayRef, row: usize) -> bool {
    if array.is_null(row) {
        return false;
    }
    let is_in = |text: &str| needles.in_text(text.as_bytes()).is_some();
    match array.data_type() {
        DataType::Utf8View => is_in(array.as_string_view().value(row)),
        DataType::List(_) => {
            let values = array.as_list::<i32>().value(row);
            let mut texts = values.as_string_view_opt().into_iter().flatten();
            texts.any(|text| text.is_some_and(is_in))
        }
        _ => false,
    }
}

fn redacted(needles: &Needles, array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Utf8View => {
            let texts = array.as_string_view().iter();
            let texts = texts.map(|text| text.map(|text| needles.without(text)));
            Ok(Arc::new(texts.collect::<StringViewArray>()))
        }
        DataType::List(item) if *item.data_type() == DataType::Utf8View => {
            let list = array.as_list::<i32>();
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            let values = redacted(needles, list.values())?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls)?))
        }
        _ => Ok(Arc::clone(array)),
    }
}
