//! Loops for column kernels: two primitive columns, either of them possibly constant.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Datum, PrimitiveArray, Scalar,
};
use datafusion::arrow::buffer::NullBuffer;

use super::argument::{Argument, Call};
use super::value::internal;
use crate::Result;

/// An argument as Arrow's kernels take it.
pub fn datum(argument: &Argument) -> Box<dyn Datum> {
    if argument.constant {
        return Box::new(Scalar::new(Arc::clone(&argument.array)));
    }
    Box::new(Arc::clone(&argument.array))
}

/// Applies `compute` to both arguments of every row where neither is NULL.
///
/// # Errors
/// What `compute` says, and an argument of another type.
pub fn binary<A, B, O>(
    call: &Call<'_>,
    compute: impl Fn(A::Native, B::Native) -> Result<O::Native>,
) -> Result<ArrayRef>
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let [left, right, ..] = call.arguments else { return Err(internal("two arguments expected")) };
    let (a, b) = (values::<A>(left)?, values::<B>(right)?);
    let nulls = NullBuffer::union(row_nulls(left), row_nulls(right));
    let mut result = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            result.push(O::Native::default());
            continue;
        }
        let a = a.value(if left.constant { 0 } else { row });
        let b = b.value(if right.constant { 0 } else { row });
        result.push(compute(a, b)?);
    }
    finish::<O>(call, result, nulls)
}

/// Applies `compute` to the first argument of every row where it is not NULL.
///
/// # Errors
/// What `compute` says, and an argument of another type.
pub fn unary<A, O>(
    call: &Call<'_>,
    compute: impl Fn(A::Native) -> Result<O::Native>,
) -> Result<ArrayRef>
where
    A: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let [argument, ..] = call.arguments else { return Err(internal("an argument expected")) };
    let values = values::<A>(argument)?;
    let nulls = row_nulls(argument).cloned();
    let mut result = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let row = if argument.constant { 0 } else { row };
        result.push(if valid { compute(values.value(row))? } else { O::Native::default() });
    }
    finish::<O>(call, result, nulls)
}

/// NULLs of an argument by row; a constant of a strict function has none.
fn row_nulls(argument: &Argument) -> Option<&NullBuffer> {
    argument.array.nulls().filter(|_| !argument.constant)
}

fn values<T: ArrowPrimitiveType>(argument: &Argument) -> Result<&PrimitiveArray<T>> {
    argument
        .array
        .as_primitive_opt::<T>()
        .ok_or_else(|| internal(format!("{} is not {}", argument.array.data_type(), T::DATA_TYPE)))
}

fn finish<O: ArrowPrimitiveType>(
    call: &Call<'_>,
    values: Vec<O::Native>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let array = PrimitiveArray::<O>::try_new(values.into(), nulls).map_err(internal)?;
    Ok(Arc::new(array.with_data_type(call.result.data_type().clone())))
}
