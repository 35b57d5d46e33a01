//! `variance`, `stddev` and their `_pop` and `_samp` forms: floats as floats, the rest exactly
//! (manual, 9.21).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, FieldRef, Float64Type, i256};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;

use super::collect::{Collect, Plan, field_of};
use crate::functions::argument::cast;
use crate::functions::decimal::{Decimal, divide_rounded, overflow, power_of_ten};
use crate::functions::math::transcendental::sqrt;
use crate::types::PgType;

/// Fractional digits of the result: what PostgreSQL shows for small numbers.
const SCALE: i8 = 20;

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    vec![
        Collect::udaf("variance", false, result, |plan, columns| spread(plan, columns, 1, false)),
        Collect::udaf("var_samp", false, result, |plan, columns| spread(plan, columns, 1, false)),
        Collect::udaf("var_pop", false, result, |plan, columns| spread(plan, columns, 0, false)),
        Collect::udaf("stddev", false, result, |plan, columns| spread(plan, columns, 1, true)),
        Collect::udaf("stddev_samp", false, result, |plan, columns| spread(plan, columns, 1, true)),
        Collect::udaf("stddev_pop", false, result, |plan, columns| spread(plan, columns, 0, true)),
    ]
}

fn result(fields: &[FieldRef]) -> FieldRef {
    let is_float = fields.first().is_some_and(|field| field.data_type().is_floating());
    if is_float {
        return field_of(PgType::FLOAT8);
    }
    let data_type = DataType::Decimal128(38, SCALE);
    Arc::new(field_of(PgType::NUMERIC).as_ref().clone().with_data_type(data_type))
}

fn spread(plan: &Plan, columns: &[ArrayRef], missing: i64, root: bool) -> Result<ScalarValue> {
    let null = ScalarValue::try_from(&plan.result)?;
    let Some(values) = columns.first() else { return Ok(null) };
    let count = values.len() - values.logical_null_count();
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    if count <= missing {
        return Ok(null);
    }
    if plan.result == DataType::Float64 {
        let values = cast(values, &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let mean = values.iter().flatten().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().flatten().map(|value| (value - mean).powi(2)).sum();
        let variance = squares / (count - missing) as f64;
        return Ok(ScalarValue::Float64(Some(if root { variance.sqrt() } else { variance })));
    }
    let scale = match values.data_type() {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    };
    let values = cast(values, &DataType::Decimal128(38, scale))?;
    let variance =
        exact(values.as_primitive::<Decimal128Type>().iter().flatten(), scale, (count, missing))?;
    let value =
        if root { sqrt(variance, SCALE - 4).or_else(|_| sqrt(variance, 9))? } else { variance };
    Ok(ScalarValue::Decimal128(Some(value.fit(38, SCALE)?), 38, SCALE))
}

/// (n Σx² − (Σx)²) / (n (n − missing)).
fn exact(
    values: impl Iterator<Item = i128>,
    scale: i8,
    (count, missing): (i64, i64),
) -> crate::Result<Decimal> {
    let (mut sum, mut squares) = (i256::ZERO, i256::ZERO);
    for value in values {
        let value = i256::from_i128(value);
        sum = sum.checked_add(value).ok_or_else(overflow)?;
        let square = value.checked_mul(value).ok_or_else(overflow)?;
        squares = squares.checked_add(square).ok_or_else(overflow)?;
    }
    let count_wide = i256::from_i128(count.into());
    let difference = squares
        .checked_mul(count_wide)
        .ok_or_else(overflow)?
        .checked_sub(sum.checked_mul(sum).ok_or_else(overflow)?)
        .ok_or_else(overflow)?;
    let divisor = i256::from_i128(i128::from(count) * i128::from(count - missing));
    // The squares have twice the scale of the values.
    let digits = i32::from(SCALE) - 2 * i32::from(scale);
    let power = power_of_ten(digits.unsigned_abs());
    let quotient = if digits >= 0 {
        divide_rounded(difference.checked_mul(power).ok_or_else(overflow)?, divisor)
    } else {
        divide_rounded(difference, divisor.checked_mul(power).ok_or_else(overflow)?)
    };
    Decimal::from_wide(quotient, SCALE)
}
