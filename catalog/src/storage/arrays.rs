//! Small work on Arrow arrays: sizes, copies without slack, columns fitted to a definition.

use std::sync::Arc;

use clientele_udfs::input;
use clientele_udfs::numeric::column;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use super::part::MemoryBatch;
use crate::definition::{Column, Relation};
use crate::error::{Error, Result};

/// Bytes that the values of an array need, roughly: a slice counts only its rows.
pub(super) fn byte_size(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8View => {
            let views = array.as_string_view();
            views.len() * 16 + views.total_buffer_bytes_used()
        }
        _ => array
            .to_data()
            .get_slice_memory_size()
            .unwrap_or_else(|_| array.get_array_memory_size()),
    }
}

/// The same values without bytes that no value refers to. A view array that was filtered, sliced
/// or joined keeps all buffers of its origin alive; a one-row slice could hold megabytes.
pub(super) fn compact(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => {
            let views = array.as_string_view();
            let kept: usize = views.data_buffers().iter().map(|buffer| buffer.len()).sum();
            let used = views.total_buffer_bytes_used();
            let scattered =
                views.data_buffers().len() > 2 && views.data_buffers().len() > views.len() / 64;
            if kept > used + used / 4 || scattered {
                Arc::new(views.gc())
            } else {
                Arc::clone(array)
            }
        }
        DataType::List(field) if field.data_type() == &DataType::Utf8View => {
            let list = array.as_list::<i32>();
            let (Some(first), Some(last)) = (list.offsets().first(), list.offsets().last()) else {
                return Arc::clone(array);
            };
            let length = usize::try_from(last - first).unwrap_or(0);
            let values = list.values().slice(usize::try_from(*first).unwrap_or(0), length);
            let offsets = list.offsets().iter().map(|offset| offset - first).collect::<Vec<i32>>();
            let offsets = arrow::buffer::OffsetBuffer::new(offsets.into());
            match ListArray::try_new(
                Arc::clone(field),
                offsets,
                compact(&values),
                list.nulls().cloned(),
            ) {
                Ok(list) => Arc::new(list),
                Err(_) => Arc::clone(array),
            }
        }
        _ => Arc::clone(array),
    }
}

/// The value of rows that are older than the column.
///
/// # Errors
/// The text does not fit the type.
pub(super) fn missing_value(column: &Column) -> Result<ScalarValue> {
    let wanted = column.pg_type.arrow();
    let Some(text) = &column.missing else {
        return Ok(ScalarValue::try_from(&wanted)?);
    };
    let value =
        input::parse(column.pg_type, Some(text), &input::Context::default()).map_err(|error| {
            Error::Internal(format!(
                "column \"{}\" has an impossible value for old rows: {error}",
                column.name
            ))
        })?;
    Ok(value.cast_to(&wanted)?)
}

/// An array as a column of that type; widened types (`numeric(12,2)` to `numeric(14,2)`) are cast.
///
/// # Errors
/// A value does not fit.
pub(super) fn fit(array: &ArrayRef, pg_type: PgType) -> Result<ArrayRef> {
    let wanted = pg_type.arrow();
    if array.data_type() == &wanted {
        return Ok(Arc::clone(array));
    }
    let free = |array| column::free(array).map_err(|error| Error::Internal(error.to_string()));
    match wanted {
        // Numbers that were kept with one scale before each had its own.
        DataType::LargeBinary => free(array),
        DataType::List(ref item) if *item.data_type() == DataType::LargeBinary => {
            Ok(cast(&free(array)?, &wanted)?)
        }
        wanted => Ok(cast(array, &wanted)?),
    }
}

/// One column of a batch as the definition has it now.
///
/// # Errors
/// A value does not fit the column's type.
pub(super) fn column_of(batch: &MemoryBatch, column: &Column) -> Result<ArrayRef> {
    match batch.column(column.number) {
        Some(array) => fit(array, column.pg_type),
        None => match missing_value(column)? {
            value if value.is_null() => Ok(new_null_array(&column.pg_type.arrow(), batch.rows)),
            value => Ok(value.to_array_of_size(batch.rows)?),
        },
    }
}

/// Numbers of a relation's columns.
pub(super) fn live_numbers(relation: &Relation) -> Arc<[i16]> {
    relation.live_columns().map(|column| column.number).collect()
}

/// The arrays of a batch of new rows, which has a relation's live columns in their order.
///
/// # Errors
/// The batch has other columns.
pub(super) fn own_arrays(relation: &Relation, arrays: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    let count = relation.live_columns().count();
    if count != arrays.len() {
        let found = arrays.len();
        return Err(Error::Internal(format!("rows of {found} columns for a relation of {count}")));
    }
    let columns = relation.live_columns().zip(arrays);
    columns.map(|(column, array)| Ok(compact(&fit(array, column.pg_type)?))).collect()
}
