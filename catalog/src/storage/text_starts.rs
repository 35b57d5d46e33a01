//! Whether any text of a column starts with some characters: asked once of each file.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::comparison::starts_with;
use datafusion::arrow::datatypes::DataType;

use super::file::FileEntry;
use super::reader::ColumnReader;
use super::snapshot::Snapshot;
use super::store::Store;
use super::value_indexes::{Key, Known};
use crate::definition::{Column, Relation};
use crate::error::Result;

impl Store {
    /// Whether any row of a relation, deleted ones included, has a text in the column that starts
    /// with `prefix`. Files are read the first time.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn has_text_starting(
        &self,
        snapshot: &Snapshot,
        (relation, column): (&Relation, &Column),
        prefix: &Arc<str>,
    ) -> Result<bool> {
        let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(false) };
        for batch in table.memory.iter().flat_map(|part| &part.batches) {
            if any_starts(&super::arrays::column_of(batch, column)?, prefix)? {
                return Ok(true);
            }
        }
        for part in table.files.iter() {
            let column_of = (column.number, column.pg_type);
            let key = Key::Starts(part.entry.facts.part, column_of, Arc::clone(prefix));
            let find = || {
                let known = Known::Starts(read_starts(&part.entry, column, prefix)?);
                Ok((known, size_of::<Key>() + size_of::<Known>()))
            };
            if !matches!(self.shared.values.get(key, find)?, Known::Starts(false)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn read_starts(entry: &FileEntry, column: &Column, prefix: &str) -> Result<bool> {
    let mut rows = ColumnReader::new(entry, vec![column], None)?;
    while let Some((columns, _)) = rows.next()? {
        for array in &columns {
            if any_starts(array, prefix)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn any_starts(texts: &ArrayRef, prefix: &str) -> Result<bool> {
    let texts = cast(texts, &DataType::Utf8View)?;
    let starting = starts_with(&texts, &StringViewArray::new_scalar(prefix))?;
    Ok(starting.true_count() > 0)
}
