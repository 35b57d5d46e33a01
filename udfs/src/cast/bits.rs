//! Integers as bit strings, and back (manual, 9.6).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};

use super::integer;
use crate::types::PgType;
use crate::{Result, ValueError, layout};

/// The lowest bits of whole numbers, as many as `bit(n)` has; the sign goes on to the left.
/// And the whole numbers that bit strings stand for.
pub(super) fn converted(array: &ArrayRef, to: PgType) -> Result<ArrayRef> {
    if array.data_type().is_integer() {
        let wide = layout::converted(array, &DataType::Int64)?;
        let length = u32::try_from(to.modifier).unwrap_or(1);
        let bits = |value: i64| -> String {
            let bit = |place: u32| if value >> place.min(63) & 1 == 1 { '1' } else { '0' };
            (0..length).rev().map(bit).collect()
        };
        let texts = wide.as_primitive::<Int64Type>().iter().map(|value| value.map(bits));
        return Ok(Arc::new(texts.collect::<StringViewArray>()));
    }
    let refused = || ValueError::out_of_range(&to.sql_name());
    let width = if to == PgType::INT8 { 64 } else { 32 };
    let number = |text: &str| match u64::from_str_radix(text, 2) {
        Ok(bits) if text.len() == width => Ok(((bits as i64) << (64 - width)) >> (64 - width)),
        Ok(bits) if text.len() < width => Ok(bits as i64),
        _ => Err(refused()),
    };
    let texts = array.as_string_view();
    let numbers = texts.iter().map(|text| text.map(number).transpose());
    let numbers: Int64Array = numbers.collect::<Result<_>>()?;
    integer::to_integer(&(Arc::new(numbers) as ArrayRef), to)
}
