//! `numeric`: exact `+ - *`, division to 16 significant fractional digits.
//!
//! An Arrow column has one scale, PostgreSQL's value its own. So: sums have the larger scale,
//! products the sum of both, quotients at least 16. A side of unconstrained `numeric` (scale
//! [`NUMERIC_DEFAULT`], printed without trailing zeros) keeps that property in sums and products.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, FieldRef, i256};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ReturnFieldArgs;

use crate::Result;
use crate::functions::argument::Call;
use crate::functions::columns::{binary, unary};
use crate::functions::decimal::{
    DIVISION_SCALE, Decimal, divide_rounded, division_by_zero, overflow, power_of_ten,
};
use crate::functions::function::{Function, column_function};
use crate::functions::value::internal;
use crate::types::NUMERIC_DEFAULT;

/// Largest scale of a product: 38 digits must hold 16 before the point.
const PRODUCT_SCALE_MAX: i8 = 22;

pub(super) fn functions() -> Vec<Function> {
    vec![
        column_function("numeric_add(numeric, numeric) -> numeric", "Adds.", |call| {
            sum(call, i128::checked_add)
        }).operator("+").scale(|args| sum_scale(args.arg_fields)),
        column_function("numeric_sub(numeric, numeric) -> numeric", "Subtracts.", |call| {
            sum(call, i128::checked_sub)
        }).operator("-").scale(|args| sum_scale(args.arg_fields)),
        column_function("numeric_mul(numeric, numeric) -> numeric", "Multiplies.", product)
            .operator("*").scale(|args| product_scale(args.arg_fields)),
        column_function(
            "numeric_div(numeric, numeric) -> numeric; numeric_div(numeric, numeric, int4) -> numeric",
            "Divides; the third argument is the number of fractional digits of the result.",
            quotient,
        ).operator("/").scale(quotient_scale),
        column_function("numeric_mod(numeric, numeric) -> numeric", "Remainder; it has the sign of the dividend.", |call| {
            sum(call, |a, b| if b == 0 { None } else { Some(a % b) }).map_err(|error| {
                if error.sqlstate == "22003" { division_by_zero() } else { error }
            })
        }).operator("%").scale(|args| sum_scale(args.arg_fields)),
        column_function("numeric_uminus(numeric) -> numeric", "Negates.", |call| {
            unary::<Decimal128Type, Decimal128Type>(call, |value| Ok(-value))
        }).operator("-").scale(|args| args.arg_fields.first().map_or(NUMERIC_DEFAULT, parts)),
    ]
}

/// Precision and scale that an argument has as `numeric`.
pub fn parts(field: &FieldRef) -> (u8, i8) {
    match field.data_type() {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => (*precision, *scale),
        other if other.is_integer() => (20, 0),
        _ => NUMERIC_DEFAULT,
    }
}

fn sum_scale(fields: &[FieldRef]) -> (u8, i8) {
    let scales: Vec<_> = fields.iter().map(parts).collect();
    if scales.contains(&NUMERIC_DEFAULT)
        && scales.iter().all(|(_, scale)| *scale <= NUMERIC_DEFAULT.1)
    {
        return NUMERIC_DEFAULT;
    }
    (38, scales.iter().map(|(_, scale)| *scale).max().unwrap_or_default())
}

fn product_scale(fields: &[FieldRef]) -> (u8, i8) {
    let scales: Vec<_> = fields.iter().map(parts).collect();
    if scales.contains(&NUMERIC_DEFAULT) {
        return NUMERIC_DEFAULT;
    }
    let largest = scales.iter().map(|(_, scale)| *scale).max().unwrap_or_default();
    let total: i16 = scales.iter().map(|(_, scale)| i16::from(*scale)).sum();
    (38, i8::try_from(total).unwrap_or(i8::MAX).min(PRODUCT_SCALE_MAX).max(largest))
}

fn quotient_scale(args: &ReturnFieldArgs<'_>) -> (u8, i8) {
    if let Some(Some(scale)) = args.scalar_arguments.get(2) {
        let scale = scale.to_string().parse::<i8>().unwrap_or(DIVISION_SCALE);
        return (38, scale.clamp(0, 37));
    }
    let operands = args.arg_fields.iter().take(2);
    let largest = operands.map(|field| parts(field).1).max().unwrap_or_default();
    (38, largest.max(DIVISION_SCALE))
}

/// Fractional digits that PostgreSQL gives to the quotient of two constants
/// (`select_div_scale` in numeric.c): enough for 16 significant ones.
///
/// The engine passes it as third argument of `numeric_div` when both sides are literals:
/// `1/3.0` = `0.33333333333333333333`, `7.0/2` = `3.5000000000000000`.
pub fn division_scale(left: &ScalarValue, right: &ScalarValue) -> Option<i8> {
    let (left, right) = (Decimal::parse(&plain(left)?)?, Decimal::parse(&plain(right)?)?);
    let ((left_weight, left_digit), (right_weight, right_digit)) = (leading(left), leading(right));
    let weight = left_weight - right_weight - i32::from(left_digit <= right_digit);
    let scale = i32::from(DIVISION_SCALE) - weight * 4;
    let scale = scale.max(left.scale.into()).max(right.scale.into());
    i8::try_from(scale.clamp(0, 37)).ok()
}

fn plain(value: &ScalarValue) -> Option<String> {
    match value {
        ScalarValue::Decimal128(Some(value), _, scale) => {
            Some(Decimal { value: *value, scale: *scale }.to_string())
        }
        value if value.data_type().is_integer() && !value.is_null() => Some(value.to_string()),
        _ => None,
    }
}

/// Weight and value of the leading base-10000 digit, as PostgreSQL keeps numerics.
fn leading(number: Decimal) -> (i32, u64) {
    let text = number.to_string();
    let text = text.trim_start_matches('-');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let width = whole.len().div_ceil(4) * 4;
    let mut digits = format!("{whole:0>width$}{fraction}");
    digits.push_str(&"0".repeat((4 - digits.len() % 4) % 4));
    let groups = digits
        .as_bytes()
        .chunks(4)
        .map(|group| group.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')));
    let first = groups.enumerate().find(|(_, group)| *group != 0);
    let weight = i32::try_from(width / 4).unwrap_or_default() - 1;
    first
        .map_or((0, 0), |(index, group)| (weight - i32::try_from(index).unwrap_or_default(), group))
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
    let (left, right, result) = scales(call)?;
    let excess = i16::from(left) + i16::from(right) - i16::from(result);
    let power = power_of_ten(u32::from(excess.unsigned_abs()));
    binary::<Decimal128Type, Decimal128Type, Decimal128Type>(call, |a, b| {
        if excess == 0
            && let Some(product) = a.checked_mul(b)
        {
            return Ok(product);
        }
        let product = i256::from_i128(a).wrapping_mul(i256::from_i128(b));
        let product =
            if excess >= 0 { divide_rounded(product, power) } else { product.wrapping_mul(power) };
        product.to_i128().ok_or_else(overflow)
    })
}

fn quotient(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right, result) = scales(call)?;
    binary::<Decimal128Type, Decimal128Type, Decimal128Type>(call, |a, b| {
        let (a, b) = (Decimal { value: a, scale: left }, Decimal { value: b, scale: right });
        Ok(a.divide(b, result)?.value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn numerics_are_exact() {
        check(&[
            ("numeric_add(1.10::numeric(3,2), 2.20::numeric(3,2))", "3.30"),
            ("numeric_mul(1.5::numeric(2,1), 1.5::numeric(2,1))", "2.25"),
            ("numeric_mul(100, 1.00::numeric(3,2))", "100.00"),
            ("numeric_div(10.00::numeric(4,2), 3)", "3.3333333333333333"),
            ("numeric_div(7, 2.0::numeric(2,1))", "3.5000000000000000"),
            ("numeric_div(1, 3.0::numeric(2,1), 20)", "0.33333333333333333333"),
            ("numeric_mod(-7.5::numeric(2,1), 2)", "-1.5"),
        ]);
        check_errors(&[
            ("numeric_div(1, 0)", "22012", "division by zero"),
            ("numeric_mod(1, 0.0::numeric(2,1))", "22012", "division by zero"),
        ]);
    }

    #[test]
    fn division_scale_is_postgresql_s() {
        let number = |value, scale| ScalarValue::Decimal128(Some(value), 38, scale);
        let cases = [
            (number(1, 0), number(30, 1), 20),
            (number(70, 1), number(2, 0), 16),
            (number(1000, 2), number(3, 0), 16),
            (number(100_000, 0), number(3, 0), 12),
        ];
        for (left, right, scale) in cases {
            assert_eq!(division_scale(&left, &right), Some(scale), "{left} / {right}");
        }
    }
}
