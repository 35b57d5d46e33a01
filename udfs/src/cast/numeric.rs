//! Casts to `numeric`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, PrimitiveArray};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int64Type,
};

use crate::input::numeric::{Shape, parse, shape};
use crate::output;
use crate::types::PgType;
use crate::{Result, layout};

/// Rounds to the target's scale and checks its precision.
pub(super) fn to_numeric(array: &ArrayRef, to: PgType) -> Result<ArrayRef> {
    let shape = shape(to)?;
    let values: Decimal128Array = match array.data_type() {
        DataType::Float32 => {
            let array: &PrimitiveArray<Float32Type> = array.as_primitive();
            array.try_unary(|value| from_float(f64::from(value), 6, shape))?
        }
        DataType::Float64 => {
            let array: &PrimitiveArray<Float64Type> = array.as_primitive();
            array.try_unary(|value| from_float(value, 15, shape))?
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
        _ => {
            let whole = layout::converted(array, &DataType::Int64)?;
            let whole: &PrimitiveArray<Int64Type> = whole.as_primitive();
            whole.try_unary(|value| shape.rescale(i128::from(value), 0))?
        }
    };
    Ok(Arc::new(values.with_data_type(to.arrow())))
}

/// Through decimal text with the digits that the float is sure of (numeric.c, `float8_numeric`).
fn from_float(value: f64, digits: usize, shape: Shape) -> Result<i128> {
    parse(&format!("{value:.*e}", digits - 1), shape)
}
