//! Casts to `real` and `double precision`.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float32Array, Float64Array, PrimitiveArray,
};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type};

use crate::input::float::parse_f32;
use crate::numeric::stored;
use crate::output::decimal;
use crate::types::PgType;
use crate::{Result, ValueError, layout};

/// Converts to the nearest float, refusing what becomes infinite or vanishes.
pub(super) fn to_float(array: &ArrayRef, to: PgType) -> Result<ArrayRef> {
    let double: ArrayRef = match array.data_type() {
        DataType::Decimal128(_, scale) if to == PgType::FLOAT4 => {
            let array: &PrimitiveArray<Decimal128Type> = array.as_primitive();
            let values: Float32Array = array.try_unary(|value| to_single(value, *scale))?;
            return Ok(Arc::new(values));
        }
        DataType::Decimal128(_, scale) => {
            let array: &PrimitiveArray<Decimal128Type> = array.as_primitive();
            let values: Float64Array = array.unary(|value| from_decimal(value, *scale));
            Arc::new(values)
        }
        DataType::Decimal256(_, scale) => {
            let array: &PrimitiveArray<Decimal256Type> = array.as_primitive();
            let values: Float64Array =
                array.unary(|value| read(|text| decimal::write_256(value, *scale, text)));
            Arc::new(values)
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>().iter();
            let float = |bytes: &[u8]| match stored::read_small(bytes) {
                Some((value, scale)) if scale <= 38 => from_decimal(value, scale as i8),
                _ => stored::read(bytes).to_f64(),
            };
            let values: Float64Array = values.map(|bytes| bytes.map(float)).collect();
            Arc::new(values)
        }
        // Whole numbers and wider floats are rounded once, by Arrow.
        _ if to == PgType::FLOAT8 => return layout::converted(array, &DataType::Float64),
        DataType::Float64 => Arc::clone(array),
        _ => return layout::converted(array, &DataType::Float32),
    };
    if to == PgType::FLOAT8 {
        return Ok(double);
    }
    let double: &PrimitiveArray<Float64Type> = double.as_primitive();
    let single: Float32Array = double.try_unary(narrowed)?;
    Ok(Arc::new(single))
}

/// Through text, rounded once (numeric.c, `numeric_float4`).
fn to_single(value: i128, scale: i8) -> Result<f32> {
    let mut text = Vec::with_capacity(48);
    decimal::write(value, scale, &mut text);
    parse_f32(&String::from_utf8_lossy(&text))
}

fn narrowed(value: f64) -> Result<f32> {
    let narrow = value as f32;
    if narrow.is_infinite() && value.is_finite() {
        return Err(ValueError::new("22003", "value out of range: overflow"));
    }
    if narrow == 0.0 && value != 0.0 {
        return Err(ValueError::new("22003", "value out of range: underflow"));
    }
    Ok(narrow)
}

/// One division of two exact floats where that is possible, else through text: dividing a rounded
/// number would round twice.
fn from_decimal(value: i128, scale: i8) -> f64 {
    const EXACT_MAX: u128 = 1 << 53;
    match u8::try_from(scale) {
        Ok(scale) if scale <= 22 && value.unsigned_abs() <= EXACT_MAX => {
            value as f64 / 10f64.powi(i32::from(scale))
        }
        _ => read(|text| decimal::write(value, scale, text)),
    }
}

fn read(write: impl Fn(&mut Vec<u8>)) -> f64 {
    let mut text = Vec::with_capacity(80);
    write(&mut text);
    // A decimal's text is always a number.
    String::from_utf8_lossy(&text).parse().unwrap_or(f64::NAN)
}
