//! How a column is kept in Parquet.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::types::IntervalMonthDayNano;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder,
    IntervalMonthDayNanoArray,
};
use datafusion::arrow::datatypes::{DataType, Field, IntervalMonthDayNanoType, IntervalUnit};

use super::arrays;
use crate::definition::{Column, Relation};
use crate::error::{Error, Result};

/// Bytes of a stored interval: months and days (32 bits each), nanoseconds (64), little endian.
const INTERVAL_BYTES: i32 = 16;

/// The Arrow type of a column in its files. Parquet has no interval with nanoseconds.
pub(super) fn stored_type(pg_type: PgType) -> DataType {
    match pg_type.arrow() {
        DataType::Interval(IntervalUnit::MonthDayNano) => DataType::FixedSizeBinary(INTERVAL_BYTES),
        other => other,
    }
}

/// The field of a column in its files.
pub(super) fn stored_field(column: &Column, metadata: HashMap<String, String>) -> Arc<Field> {
    let field = Field::new(&column.stored_name, stored_type(column.pg_type), true);
    Arc::new(field.with_metadata(metadata))
}

/// An array as it is stored.
///
/// # Errors
/// Arrow refuses a value.
pub(super) fn to_stored(array: &ArrayRef) -> Result<ArrayRef> {
    if !matches!(array.data_type(), DataType::Interval(IntervalUnit::MonthDayNano)) {
        return Ok(Arc::clone(array));
    }
    let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
    let mut stored = FixedSizeBinaryBuilder::with_capacity(intervals.len(), INTERVAL_BYTES);
    for value in intervals {
        match value {
            None => stored.append_null(),
            Some(value) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&value.months.to_le_bytes());
                bytes[4..8].copy_from_slice(&value.days.to_le_bytes());
                bytes[8..].copy_from_slice(&value.nanoseconds.to_le_bytes());
                stored.append_value(bytes)?;
            }
        }
    }
    Ok(Arc::new(stored.finish()))
}

/// A stored array as a column of that type.
///
/// # Errors
/// A value does not fit.
pub(super) fn from_stored(array: &ArrayRef, pg_type: PgType) -> Result<ArrayRef> {
    if stored_type(pg_type) == pg_type.arrow() {
        return arrays::fit(array, pg_type);
    }
    let stored = array.as_any().downcast_ref::<FixedSizeBinaryArray>();
    let stored =
        stored.ok_or_else(|| Error::Internal("an interval is not stored as bytes".to_owned()))?;
    Ok(Arc::new(
        stored.iter().map(|bytes| bytes.map(interval)).collect::<IntervalMonthDayNanoArray>(),
    ))
}

fn interval(bytes: &[u8]) -> IntervalMonthDayNano {
    let four = |from: usize| {
        let mut four = [0; 4];
        four.copy_from_slice(&bytes[from..from + 4]);
        i32::from_le_bytes(four)
    };
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[8..16]);
    IntervalMonthDayNano::new(four(0), four(4), i64::from_le_bytes(eight))
}

/// Whether values of a column must not appear in statistics: it has a domain that is not plain.
/// Built-in domains are all semantic; a user's own domain counts as personal, too, as it may be
/// declared over one.
pub(super) fn is_personal(column: &Column) -> bool {
    column.domain.is_some()
}

/// Whether a column is part of a key or of a declared index.
pub(super) fn is_key(relation: &Relation, column: &Column) -> bool {
    relation.unique_keys().any(|(_, columns)| columns.contains(&column.number))
        || relation.indexes.iter().any(|index| index.finds(column.number))
}

/// Whether a column gets a bloom filter: equality is asked for.
pub(super) fn wants_bloom_filter(relation: &Relation, column: &Column) -> bool {
    is_key(relation, column) || column.domain.is_some() || column.subject.is_some()
}
