//! `variance`, `stddev` and their `_pop` and `_samp` forms: floats as floats, the rest exactly
//! (manual, 9.21).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;

use super::collect::{Collect, Plan, field_of};
use crate::functions::argument::cast;
use crate::numeric::column::Numbers;
use crate::numeric::{Finite, Number, roots, scales, small, stored};
use crate::types::PgType;

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
    field_of(PgType::NUMERIC)
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
    let Some(numbers) = Numbers::new(values) else { return Ok(null) };
    let number = match sums(&numbers, values.len()) {
        Some((sum, squares)) => exact(&sum, &squares, (count, missing), root),
        None => Number::NaN,
    };
    let mut bytes = Vec::new();
    stored::write(&number, &mut bytes);
    Ok(ScalarValue::LargeBinary(Some(bytes)))
}

/// Σx and Σx²; `None` where a number is not finite.
fn sums(numbers: &Numbers, rows: usize) -> Option<(Finite, Finite)> {
    let (mut sum, mut squares) = ((0, 0), (0, 0));
    let mut large = (Finite::of(0, 0), Finite::of(0, 0));
    for row in (0..rows).filter(|row| !numbers.is_null(*row)) {
        let added = numbers.small(row).and_then(|value| {
            let square = small::times(value, value)?;
            Some((small::plus(sum, value)?, small::plus(squares, square)?))
        });
        if let Some(added) = added {
            (sum, squares) = added;
            continue;
        }
        let Number::Finite(value) = numbers.number(row) else { return None };
        large = (large.0.plus(&value), large.1.plus(&value.times(&value)));
    }
    let finite = |(value, scale): small::Small| Finite::new(value.into(), scale);
    Some((finite(sum).plus(&large.0), finite(squares).plus(&large.1)))
}

/// (n Σx² − (Σx)²) / (n (n − missing)), as numeric_stddev_internal has it.
fn exact(sum: &Finite, squares: &Finite, (count, missing): (i64, i64), root: bool) -> Number {
    let count_finite = Finite::of(count.into(), 0);
    let difference = squares.times(&count_finite).minus(&sum.times(sum));
    if difference.signum() <= 0 {
        return Number::from(0);
    }
    let divisor = Finite::of(i128::from(count) * i128::from(count - missing), 0);
    let scale = scales::quotient(&difference, &divisor);
    let variance = difference.over(&divisor, scale);
    if root { roots::root(&variance, scale) } else { variance }.into()
}
