//! `smallint`, `integer`, `bigint`: `+ - * / %` that refuse what does not fit (22003).

use datafusion::arrow::array::{ArrayRef, ArrowPrimitiveType, Datum};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{ArrowNativeTypeOp, Int16Type, Int32Type, Int64Type};
use datafusion::arrow::error::ArrowError;

use crate::functions::argument::Call;
use crate::functions::columns::{binary, datum, unary};
use crate::functions::decimal::division_by_zero;
use crate::functions::function::{Function, column_function};
use crate::functions::value::internal;
use crate::types::PgType;
use crate::{Result, ValueError};

type ArrowKernel = fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>;

pub(super) fn functions() -> Vec<Function> {
    let add = |call: &Call<'_>| checked(call, numeric::add);
    let subtract = |call: &Call<'_>| checked(call, numeric::sub);
    let multiply = |call: &Call<'_>| checked(call, numeric::mul);
    let divide = |call: &Call<'_>| checked(call, numeric::div);
    [
        (
            "int2pl(int2, int2) -> int2",
            "int4pl(int4, int4) -> int4",
            "int8pl(int8, int8) -> int8",
            "+",
            "Adds.",
            add as fn(&Call<'_>) -> _,
        ),
        (
            "int2mi(int2, int2) -> int2",
            "int4mi(int4, int4) -> int4",
            "int8mi(int8, int8) -> int8",
            "-",
            "Subtracts.",
            subtract,
        ),
        (
            "int2mul(int2, int2) -> int2",
            "int4mul(int4, int4) -> int4",
            "int8mul(int8, int8) -> int8",
            "*",
            "Multiplies.",
            multiply,
        ),
        (
            "int2div(int2, int2) -> int2",
            "int4div(int4, int4) -> int4",
            "int8div(int8, int8) -> int8",
            "/",
            "Divides, cutting towards zero.",
            divide,
        ),
        (
            "int2mod(int2, int2) -> int2",
            "int4mod(int4, int4) -> int4",
            "int8mod(int8, int8) -> int8",
            "%",
            "Remainder; it has the sign of the dividend.",
            remainder,
        ),
        (
            "int2um(int2) -> int2",
            "int4um(int4) -> int4",
            "int8um(int8) -> int8",
            "-",
            "Negates.",
            negate,
        ),
    ]
    .into_iter()
    .flat_map(|(int2, int4, int8, symbol, description, kernel)| {
        [int2, int4, int8]
            .map(|signature| column_function(signature, description, kernel).operator(symbol))
    })
    .collect()
}

fn type_name(call: &Call<'_>) -> String {
    PgType::from_arrow(call.result.data_type()).sql_name()
}

fn checked(call: &Call<'_>, kernel: ArrowKernel) -> Result<ArrayRef> {
    let [left, right] = call.arguments else { return Err(internal("two arguments expected")) };
    let result = if left.constant && right.constant {
        kernel(&left.array, &right.array)
    } else {
        kernel(datum(left).as_ref(), datum(right).as_ref())
    };
    result.map_err(|error| match error {
        ArrowError::ArithmeticOverflow(_) => ValueError::out_of_range(&type_name(call)),
        ArrowError::DivideByZero => division_by_zero(),
        other => internal(other),
    })
}

fn remainder(call: &Call<'_>) -> Result<ArrayRef> {
    fn of<T: ArrowPrimitiveType>(call: &Call<'_>) -> Result<ArrayRef> {
        binary::<T, T, T>(call, |a, b| {
            if b.is_zero() {
                return Err(division_by_zero());
            }
            // The smallest integer % -1 is 0, though the quotient overflows.
            Ok(a.mod_wrapping(b))
        })
    }
    match type_name(call).as_str() {
        "smallint" => of::<Int16Type>(call),
        "integer" => of::<Int32Type>(call),
        _ => of::<Int64Type>(call),
    }
}

fn negate(call: &Call<'_>) -> Result<ArrayRef> {
    fn of<T: ArrowPrimitiveType>(call: &Call<'_>) -> Result<ArrayRef> {
        unary::<T, T>(call, |value| {
            value.neg_checked().map_err(|_| ValueError::out_of_range(&type_name(call)))
        })
    }
    match type_name(call).as_str() {
        "smallint" => of::<Int16Type>(call),
        "integer" => of::<Int32Type>(call),
        _ => of::<Int64Type>(call),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn integers_do_not_wrap() {
        check(&[
            ("int4pl(2147483646, 1)", "2147483647"),
            ("int4div(-7, 2)", "-3"),
            ("int4mod(-7, 3)", "-1"),
            ("int8pl(1, 9223372036854775806)", "9223372036854775807"),
            ("int4um(5)", "-5"),
        ]);
        check_errors(&[
            ("int4pl(2147483647, 1)", "22003", "integer out of range"),
            ("int8mul(9223372036854775807, 2)", "22003", "bigint out of range"),
            ("int4div(1, 0)", "22012", "division by zero"),
            ("int4mod(1, 0)", "22012", "division by zero"),
            (
                "int4pl(1, date '2024-01-01')",
                "42883",
                "function int4pl(integer, date) does not exist",
            ),
        ]);
    }
}
