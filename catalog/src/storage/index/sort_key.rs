//! Values of an index's columns as bytes that sort as the values do, NULLs last.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::ScalarValue;

use crate::definition::Column;
use crate::error::Result;

/// What the first byte of a value that is not NULL is at least.
const PRESENT: u8 = 1;
/// The one byte of a NULL.
const NULL: u8 = 0xFF;

/// Whether values compare as their bytes do: in DataFusion's operators and in `ORDER BY` alike.
/// Floating-point numbers do not (`-0.0 = 0.0`), nor does `character(n)` with its spaces.
pub(super) fn is_sortable(column: &Column) -> bool {
    let plain = matches!(
        column.pg_type.arrow(),
        DataType::Boolean
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Date32
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Decimal128(..)
            | DataType::LargeBinary
            | DataType::Binary
            | DataType::Utf8View
    );
    // What a column says of whose a row is stands for another number in queries.
    plain && column.subject.is_none() && column.pg_type.oid != PgType::BPCHAR.oid
}

/// Rows of columns of these types as bytes.
///
/// # Errors
/// Arrow cannot sort a type.
pub(super) fn encode(types: &[PgType], columns: &[ArrayRef]) -> Result<Rows> {
    let options = SortOptions { descending: false, nulls_first: false };
    let field = |one: &PgType| SortField::new_with_options(one.arrow(), options);
    let converter = RowConverter::new(types.iter().map(field).collect())?;
    Ok(converter.convert_columns(columns)?)
}

/// One value as bytes; `None` when it is no value of that type.
///
/// # Errors
/// Arrow cannot sort the type.
pub(super) fn encode_value(pg_type: PgType, value: &ScalarValue) -> Result<Option<Vec<u8>>> {
    let wanted = pg_type.arrow();
    let fitting = match value.data_type() {
        given if given == wanted => Some(value.clone()),
        DataType::Utf8 | DataType::LargeUtf8 if wanted == DataType::Utf8View => {
            Some(value.cast_to(&wanted)?)
        }
        _ => None,
    };
    let Some(value) = fitting.filter(|value| !value.is_null()) else { return Ok(None) };
    let array: ArrayRef = value.to_array()?;
    let rows = encode(&[pg_type], &[Arc::clone(&array)])?;
    Ok(Some(rows.row(0).data().to_vec()))
}

/// Keys from the first, included, to the last, excluded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyRange {
    pub(super) from: Vec<u8>,
    /// `None`: to the end.
    pub(super) to: Option<Vec<u8>>,
}

impl KeyRange {
    /// All keys that begin so.
    pub(super) fn beginning_with(prefix: Vec<u8>) -> Self {
        Self { to: after(&prefix), from: prefix }
    }

    /// Those of them whose next column is not NULL.
    pub(super) fn present(prefix: &[u8]) -> Self {
        Self { from: [prefix, &[PRESENT]].concat(), to: Some([prefix, &[NULL]].concat()) }
    }

    /// Those of them whose next column is NULL.
    pub(super) fn null(prefix: &[u8]) -> Self {
        Self::beginning_with([prefix, &[NULL]].concat())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }
}

/// The first bytes behind all that begin so.
pub(super) fn after(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut next = prefix[..=last].to_vec();
    if let Some(byte) = next.last_mut() {
        *byte += 1;
    }
    Some(next)
}

/// The bytes of a NULL.
pub(super) fn is_null(key: &[u8]) -> bool {
    key.first() == Some(&NULL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Int64Array, StringViewArray};

    #[test]
    fn ranges_hold_what_they_name() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(7), None]));
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some(""), None, Some("a")]));
        let types = [PgType::INT8, PgType::TEXT];
        let rows = encode(&types, &[numbers, texts]).unwrap();
        let holds = |range: &KeyRange, row: usize| {
            let key = rows.row(row).data();
            range.from.as_slice() <= key && range.to.as_ref().is_none_or(|to| key < to.as_slice())
        };
        let seven = encode_value(types[0], &ScalarValue::Int64(Some(7))).unwrap().unwrap();
        let found = |range: &KeyRange| (0..3).map(|row| holds(range, row)).collect::<Vec<_>>();
        assert_eq!(found(&KeyRange::beginning_with(seven.clone())), [false, true, false]);
        assert_eq!(found(&KeyRange::present(&[])), [true, true, false]);
        assert_eq!(found(&KeyRange::null(&[])), [false, false, true]);
        assert_eq!(found(&KeyRange::null(&seven)), [false, true, false]);
        assert_eq!(found(&KeyRange::present(&seven)), [false, false, false]);
        assert!(encode_value(types[0], &ScalarValue::Int32(Some(7))).unwrap().is_none());
        assert_eq!(after(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(after(&[255]), None);
    }
}
