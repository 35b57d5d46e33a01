//! `numeric`: exact `+ - * %`, division to 16 significant digits.
//!
//! Two columns with scales of their own ([`Numbers::Fixed`]) give another such column: sums have the
//! larger scale, products the sum of both. Quotients, and whatever a `numeric` without precision
//! goes into, have a scale for each value.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, FieldRef};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::Result;
use crate::functions::argument::{Argument, Call};
use crate::functions::columns::{binary, unary};
use crate::functions::decimal::{division_by_zero, overflow};
use crate::functions::function::{Function, column_function};
use crate::functions::value::internal;
use crate::numeric::Number;
use crate::numeric::column::{Numbers, Writer};
use crate::numeric::small::{self, Small};

/// Largest scale of a product of columns with one scale: 38 digits must hold 16 before the point.
const PRODUCT_SCALE_MAX: i8 = 22;

pub(super) fn functions() -> Vec<Function> {
    vec![
        column_function("numeric_add(numeric, numeric) -> numeric", "Adds.", |call| match is_free(
            call,
        ) {
            true => free(call, small::plus, Number::plus),
            false => sum(call, i128::checked_add),
        })
        .operator("+")
        .scale(sum_scale),
        column_function("numeric_sub(numeric, numeric) -> numeric", "Subtracts.", |call| {
            match is_free(call) {
                true => free(call, small::minus, |a, b| a.plus(&b.clone().negated())),
                false => sum(call, i128::checked_sub),
            }
        })
        .operator("-")
        .scale(sum_scale),
        column_function("numeric_mul(numeric, numeric) -> numeric", "Multiplies.", |call| {
            match is_free(call) {
                true => free(call, small::times, Number::times),
                false => product(call),
            }
        })
        .operator("*")
        .scale(product_scale),
        column_function("numeric_div(numeric, numeric) -> numeric", "Divides.", |call| {
            free(call, small::over, Number::over)
        })
        .operator("/"),
        column_function(
            "numeric_mod(numeric, numeric) -> numeric",
            "Remainder; it has the sign of the dividend.",
            remainder,
        )
        .operator("%")
        .scale(|args| largest_scale(args.arg_fields)),
        column_function("numeric_uminus(numeric) -> numeric", "Negates.", |call| {
            match is_free(call) {
                true => each(call, Number::negated),
                false => unary::<Decimal128Type, Decimal128Type>(call, |value| Ok(-value)),
            }
        })
        .operator("-")
        .scale(|args| args.arg_fields.first().and_then(parts)),
    ]
}

/// Precision and scale that an argument has as `numeric`; `None`: each value has its own.
pub fn parts(field: &FieldRef) -> Option<(u8, i8)> {
    match field.data_type() {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => Some((*precision, *scale)),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Some((5, 0)),
        DataType::Int32 | DataType::UInt16 => Some((10, 0)),
        other if other.is_integer() => Some((20, 0)),
        _ => None,
    }
}

/// The larger scale of the arguments.
pub fn largest_scale(fields: &[FieldRef]) -> Option<(u8, i8)> {
    let scales: Option<Vec<i8>> = fields.iter().map(|field| Some(parts(field)?.1)).collect();
    Some((38, scales?.into_iter().max()?))
}

/// Precision and scale of all operands.
fn digits(args: &ReturnFieldArgs<'_>) -> Option<Vec<(i16, i16)>> {
    let wide = |(precision, scale): (u8, i8)| (i16::from(precision), i16::from(scale));
    args.arg_fields.iter().map(|field| parts(field).map(wide)).collect()
}

/// Constants are multiplied and added with as many digits as it takes, columns with 38.
fn constants(args: &ReturnFieldArgs<'_>) -> bool {
    args.scalar_arguments.iter().all(Option::is_some)
}

fn sum_scale(args: &ReturnFieldArgs<'_>) -> Option<(u8, i8)> {
    let digits = digits(args)?;
    let scale = digits.iter().map(|(_, scale)| *scale).max()?;
    let whole = digits.iter().map(|(precision, scale)| precision - scale).max()?;
    if constants(args) && whole + scale + 1 > 38 || scale > 37 {
        return None;
    }
    Some((38, i8::try_from(scale).ok()?))
}

fn product_scale(args: &ReturnFieldArgs<'_>) -> Option<(u8, i8)> {
    let digits = digits(args)?;
    let scale: i16 = digits.iter().map(|(_, scale)| *scale).sum();
    let precision: i16 = digits.iter().map(|(precision, _)| *precision).sum();
    if precision > 38 && (constants(args) || scale > PRODUCT_SCALE_MAX.into()) {
        return None;
    }
    Some((38, i8::try_from(scale).ok()?))
}

fn is_free(call: &Call<'_>) -> bool {
    *call.result.data_type() == DataType::LargeBinary
}

fn scales(call: &Call<'_>) -> Result<(i8, i8, i8)> {
    let scale = |data_type: &DataType| match data_type {
        DataType::Decimal128(_, scale) => Ok(*scale),
        other => Err(internal(format!("{other} is not numeric"))),
    };
    let [left, right, ..] = call.arguments else { return Err(internal("two arguments expected")) };
    Ok((
        scale(left.array.data_type())?,
        scale(right.array.data_type())?,
        scale(call.result.data_type())?,
    ))
}

fn sum(call: &Call<'_>, compute: impl Fn(i128, i128) -> Option<i128>) -> Result<ArrayRef> {
    let (left, right, result) = scales(call)?;
    let factor = |scale: i8| 10i128.checked_pow(u32::try_from(result - scale).unwrap_or_default());
    let (Some(left), Some(right)) = (factor(left), factor(right)) else { return Err(overflow()) };
    binary::<Decimal128Type, Decimal128Type, Decimal128Type>(call, |a, b| {
        let a = a.checked_mul(left).ok_or_else(overflow)?;
        let b = b.checked_mul(right).ok_or_else(overflow)?;
        compute(a, b).ok_or_else(overflow)
    })
}

fn product(call: &Call<'_>) -> Result<ArrayRef> {
    binary::<Decimal128Type, Decimal128Type, Decimal128Type>(call, |a, b| {
        a.checked_mul(b).ok_or_else(overflow)
    })
}

/// Remainder of two numbers.
///
/// # Errors
/// `division by zero` (22012).
pub fn remainder(call: &Call<'_>) -> Result<ArrayRef> {
    if is_free(call) {
        let checked = |a: Small, b: Small| small::rest(a, b).filter(|_| b.0 != 0);
        return free(call, checked, Number::rest);
    }
    sum(call, |a, b| if b == 0 { None } else { Some(a % b) })
        .map_err(|error| if error.sqlstate == "22003" { division_by_zero() } else { error })
}

fn numbers(argument: &Argument) -> Result<Numbers> {
    Numbers::new(&argument.array).ok_or_else(|| internal("a number expected"))
}

/// Computes with 128 bits where they are enough, else with numbers.
fn free(
    call: &Call<'_>,
    small: impl Fn(Small, Small) -> Option<Small>,
    exact: impl Fn(&Number, &Number) -> Result<Number>,
) -> Result<ArrayRef> {
    let [left, right, ..] = call.arguments else { return Err(internal("two arguments expected")) };
    let (a, b) = (numbers(left)?, numbers(right)?);
    let mut writer = Writer::new(call.rows);
    for row in 0..call.rows {
        let (left_row, right_row) =
            (if left.constant { 0 } else { row }, if right.constant { 0 } else { row });
        if a.is_null(left_row) || b.is_null(right_row) {
            writer.null();
            continue;
        }
        let result = a.small(left_row).zip(b.small(right_row)).and_then(|(a, b)| small(a, b));
        match result {
            Some(result) => writer.small(result),
            None => writer.number(&exact(&a.number(left_row), &b.number(right_row))?),
        }
    }
    Ok(writer.finish())
}

/// Changes every number of the first argument.
fn each(call: &Call<'_>, change: impl Fn(Number) -> Number) -> Result<ArrayRef> {
    let [argument, ..] = call.arguments else { return Err(internal("an argument expected")) };
    let values = numbers(argument)?;
    let mut writer = Writer::new(call.rows);
    for row in 0..call.rows {
        let row = if argument.constant { 0 } else { row };
        match values.is_null(row) {
            true => writer.null(),
            false => writer.number(&change(values.number(row))),
        }
    }
    Ok(writer.finish())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn numerics_are_exact() {
        check(&[
            ("numeric_add(1.10::numeric(3,2), 2.20::numeric(3,2))", "3.30"),
            ("numeric_mul(1.5::numeric(2,1), 1.5::numeric(2,1))", "2.25"),
            ("numeric_mul(100, 1.00::numeric(3,2))", "100.00"),
            ("numeric_div(10.00::numeric(4,2), 3)", "3.3333333333333333"),
            ("numeric_div(7, 2.0::numeric(2,1))", "3.5000000000000000"),
            ("numeric_div(1, 3.0::numeric(2,1))", "0.33333333333333333333"),
            ("numeric_div(100000, 3)", "33333.333333333333"),
            ("numeric_mod(-7.5::numeric(2,1), 2)", "-1.5"),
            ("numeric_uminus(numeric_div(1, 4))", "-0.25000000000000000000"),
            ("numeric_add(numeric_div(1, 4), 1.5::numeric(2,1))", "1.75000000000000000000"),
            (
                "numeric_mul('99999999999999999999999999999'::numeric(38,0), '99999999999999999999'::numeric(38,0))",
                "9999999999999999999899999999900000000000000000001",
            ),
        ]);
        check_errors(&[
            ("numeric_div(1, 0)", "22012", "division by zero"),
            ("numeric_mod(1, 0.0::numeric(2,1))", "22012", "division by zero"),
        ]);
    }
}
