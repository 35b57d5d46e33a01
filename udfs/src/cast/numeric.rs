//! Casts to `numeric`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, PrimitiveArray};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int64Type,
};

use crate::input::numeric::{Shape, fitted, parse};
use crate::numeric::column::{Numbers, Writer, free};
use crate::numeric::{Number, stored};
use crate::output;
use crate::types::PgType;
use crate::{Result, layout};

/// Digits that a float is sure of (numeric.c, `float4_numeric` and `float8_numeric`).
const FLOAT4_DIGITS: usize = 6;
const FLOAT8_DIGITS: usize = 15;

/// Rounds to the target's scale and checks its precision.
pub(super) fn to_numeric(array: &ArrayRef, to: PgType) -> Result<ArrayRef> {
    let Some(parts) = to.decimal_parts() else { return to_free(array, to) };
    let shape = Shape::new(parts)?;
    let values: Decimal128Array = match array.data_type() {
        DataType::Float32 => {
            let array: &PrimitiveArray<Float32Type> = array.as_primitive();
            array.try_unary(|value| from_float(f64::from(value), FLOAT4_DIGITS, shape))?
        }
        DataType::Float64 => {
            let array: &PrimitiveArray<Float64Type> = array.as_primitive();
            array.try_unary(|value| from_float(value, FLOAT8_DIGITS, shape))?
        }
        DataType::Decimal128(_, scale) => {
            let array: &PrimitiveArray<Decimal128Type> = array.as_primitive();
            array.try_unary(|value| shape.rescale(value, *scale))?
        }
        DataType::Decimal256(_, scale) => {
            let array: &PrimitiveArray<Decimal256Type> = array.as_primitive();
            array.try_unary(|value| {
                let mut text = Vec::with_capacity(80);
                output::decimal::write_256(value, *scale, &mut text);
                parse(&String::from_utf8_lossy(&text), shape)
            })?
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>().iter();
            let values = values.map(|bytes| bytes.map(|bytes| narrowed(bytes, shape)).transpose());
            values.collect::<Result<_>>()?
        }
        _ => {
            let whole = layout::converted(array, &DataType::Int64)?;
            let whole: &PrimitiveArray<Int64Type> = whole.as_primitive();
            whole.try_unary(|value| shape.rescale(i128::from(value), 0))?
        }
    };
    Ok(Arc::new(values.with_data_type(to.arrow())))
}

/// Through decimal text with the digits that the float is sure of.
fn from_float(value: f64, digits: usize, shape: Shape) -> Result<i128> {
    parse(&format!("{value:.*e}", digits - 1), shape)
}

fn narrowed(bytes: &[u8], shape: Shape) -> Result<i128> {
    match stored::read_small(bytes) {
        Some((value, scale)) if scale <= 38 => shape.rescale(value, scale as i8),
        _ => parse(&stored::read(bytes).to_string(), shape),
    }
}

/// To a `numeric` whose values have scales of their own.
fn to_free(array: &ArrayRef, to: PgType) -> Result<ArrayRef> {
    let float = |value: f64, digits| fitted(Number::from_f64(value, digits)?, to);
    let numbers: Vec<Option<Number>> = match array.data_type() {
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().iter();
            let values = values
                .map(|value| value.map(|value| float(f64::from(value), FLOAT4_DIGITS)).transpose());
            values.collect::<Result<_>>()?
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().iter();
            let values =
                values.map(|value| value.map(|value| float(value, FLOAT8_DIGITS)).transpose());
            values.collect::<Result<_>>()?
        }
        _ if to.modifier < 0 => return free(array),
        _ => {
            let array = free(array)?;
            let Some(numbers) = Numbers::new(&array) else { return Ok(array) };
            let value = |row| match numbers.is_null(row) {
                true => Ok(None),
                false => fitted(numbers.number(row), to).map(Some),
            };
            (0..array.len()).map(value).collect::<Result<_>>()?
        }
    };
    let mut writer = Writer::new(numbers.len());
    for number in &numbers {
        match number {
            Some(number) => writer.number(number),
            None => writer.null(),
        }
    }
    Ok(writer.finish())
}
