//! `real` and `double precision`: overflow of finite numbers is an error (22003).

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Float32Type, Float64Type};

use crate::functions::argument::Call;
use crate::functions::columns::{binary, unary};
use crate::functions::decimal::division_by_zero;
use crate::functions::function::{Function, column_function};
use crate::{Result, ValueError};

macro_rules! operations {
    ($($symbol:literal $description:literal $four:literal $eight:literal $compute:expr;)*) => {
        vec![$(
            column_function($four, $description, |call| {
                binary::<Float32Type, Float32Type, Float32Type>(call, |a, b| {
                    let compute: fn(f64, f64) -> f64 = $compute;
                    let (a, b) = (f64::from(a), f64::from(b));
                    if $symbol == "/" && b == 0.0 && !a.is_nan() { return Err(division_by_zero()); }
                    let result = compute(a, b) as f32;
                    checked(f64::from(result), a, b).map(|_| result)
                })
            }).operator($symbol),
            column_function($eight, $description, |call| {
                binary::<Float64Type, Float64Type, Float64Type>(call, |a, b| {
                    let compute: fn(f64, f64) -> f64 = $compute;
                    if $symbol == "/" && b == 0.0 && !a.is_nan() { return Err(division_by_zero()); }
                    checked(compute(a, b), a, b)
                })
            }).operator($symbol),
        )*]
    };
}

pub(super) fn functions() -> Vec<Function> {
    let mut all = operations! {
        "+" "Adds." "float4pl(float4, float4) -> float4" "float8pl(float8, float8) -> float8" |a, b| a + b;
        "-" "Subtracts." "float4mi(float4, float4) -> float4" "float8mi(float8, float8) -> float8" |a, b| a - b;
        "*" "Multiplies." "float4mul(float4, float4) -> float4" "float8mul(float8, float8) -> float8" |a, b| a * b;
        "/" "Divides." "float4div(float4, float4) -> float4" "float8div(float8, float8) -> float8" |a, b| a / b;
    };
    all.push(
        column_function("float4um(float4) -> float4", "Negates.", |call| {
            unary::<Float32Type, Float32Type>(call, |value| Ok(-value))
        })
        .operator("-"),
    );
    all.push(column_function("float8um(float8) -> float8", "Negates.", negate).operator("-"));
    all
}

fn negate(call: &Call<'_>) -> Result<ArrayRef> {
    unary::<Float64Type, Float64Type>(call, |value| Ok(-value))
}

/// Refuses an infinite result of finite numbers.
///
/// # Errors
/// `value out of range: overflow` (22003).
pub(crate) fn checked(result: f64, a: f64, b: f64) -> Result<f64> {
    if result.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(ValueError::new("22003", "value out of range: overflow"));
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn floats() {
        check(&[("float8pl(1.5, 2.25)", "3.75"), ("float8div(1.0, 4.0)", "0.25")]);
        check_errors(&[
            ("float8div(1.0, 0.0)", "22012", "division by zero"),
            ("float8mul(1e308, 10.0)", "22003", "value out of range: overflow"),
        ]);
    }
}
