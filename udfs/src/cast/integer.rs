//! Casts to the integer types, and between them and `oid`.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Int16Array, Int32Array, Int64Array,
    PrimitiveArray,
};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
};

use crate::input::numeric::rescale;
use crate::numeric::stored;
use crate::types::{Kept, PgType};
use crate::{Result, ValueError, layout};

/// Rounds and range-checks numbers of any kind.
pub(super) fn to_integer(array: &ArrayRef, to: PgType) -> Result<ArrayRef> {
    let wide = to_int64(array, to)?;
    let refused = || ValueError::out_of_range(&name(to));
    let is_object = to.facts().kept_as == Kept::Int64 && to != PgType::INT8;
    Ok(match to {
        PgType::INT2 => {
            let narrow: Int16Array =
                wide.try_unary(|value| i16::try_from(value).map_err(|_| refused()))?;
            Arc::new(narrow)
        }
        PgType::INT4 => {
            let narrow: Int32Array =
                wide.try_unary(|value| i32::try_from(value).map_err(|_| refused()))?;
            Arc::new(narrow)
        }
        _ if is_object => {
            // A negative int4 is the same 32 bits as an oid; an int8 must fit.
            let wraps = array.data_type() != &DataType::Int64;
            let unsigned: Int64Array = wide.try_unary(|value| match value {
                value if wraps => Ok(value & 0xffff_ffff),
                value => u32::try_from(value).map(i64::from).map_err(|_| refused()),
            })?;
            Arc::new(unsigned)
        }
        _ => Arc::new(wide),
    })
}

fn name(to: PgType) -> String {
    if to == PgType::OID { "OID".to_owned() } else { to.sql_name() }
}

fn to_int64(array: &ArrayRef, to: PgType) -> Result<Int64Array> {
    let refused = || ValueError::out_of_range(&name(to));
    match array.data_type() {
        DataType::Int16 => Ok(widened::<Int16Type>(array)),
        DataType::Int32 => Ok(widened::<Int32Type>(array)),
        DataType::Int64 => Ok(array.as_primitive::<Int64Type>().clone()),
        DataType::Float32 => {
            let array: &PrimitiveArray<Float32Type> = array.as_primitive();
            array.try_unary(|value| from_float(f64::from(value)).ok_or_else(refused))
        }
        DataType::Float64 => {
            let array: &PrimitiveArray<Float64Type> = array.as_primitive();
            array.try_unary(|value| from_float(value).ok_or_else(refused))
        }
        DataType::Decimal128(_, scale) => {
            let array: &PrimitiveArray<Decimal128Type> = array.as_primitive();
            let whole =
                |value| rescale(value, *scale, 0).and_then(|value| i64::try_from(value).ok());
            array.try_unary(|value| whole(value).ok_or_else(refused))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>().iter();
            let whole = |bytes: &[u8]| stored::read(bytes).to_i64(&name(to));
            values.map(|bytes| bytes.map(whole).transpose()).collect()
        }
        DataType::Decimal256(_, scale) => {
            let narrow = layout::converted(array, &DataType::Decimal128(38, *scale))
                .map_err(|_| refused())?;
            to_int64(&narrow, to)
        }
        _ => Ok(layout::converted(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
    }
}

fn widened<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &ArrayRef) -> Int64Array {
    array.as_primitive::<T>().unary(Into::into)
}

/// Half to even, as the processor rounds (float.c, `rint`).
fn from_float(value: f64) -> Option<i64> {
    // 2^63 is a float, 2^63 − 1 is none.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    let rounded = value.round_ties_even();
    (-BOUND..BOUND).contains(&rounded).then_some(rounded as i64)
}
