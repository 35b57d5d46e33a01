//! Casts of arrays: element by element.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray};

use super::Kernel;
use super::udf::{Call, run};
use crate::Result;
use crate::types::PgType;

/// Casts the elements and puts them into the same lists.
pub(super) fn each(array: &ArrayRef, kernel: Kernel, call: &Call) -> Result<ArrayRef> {
    let Some(list) = array.as_list_opt::<i32>() else {
        return Err(crate::ValueError::new("42846", "only arrays are cast element by element"));
    };
    let from = call.from.element().unwrap_or(PgType::TEXT);
    let to = call.to.element().unwrap_or(PgType::TEXT);
    // A sliced list still holds the elements of its neighbours, which must not raise errors.
    let first = list.offsets().first().copied().unwrap_or_default();
    let length = list.offsets().last().copied().unwrap_or_default() - first;
    let used = list.values().slice(first as usize, length as usize);
    let elements = run(kernel, &Call { from, to, ..*call }, &used)?;
    let offsets = list.offsets().iter().map(|offset| offset - first).collect::<Vec<_>>();
    let offsets = arrow::buffer::OffsetBuffer::new(offsets.into());
    Ok(Arc::new(ListArray::new(to.field("item", true), offsets, elements, list.nulls().cloned())))
}
