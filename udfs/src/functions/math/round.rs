//! `round`, `trunc`, `ceil`, `floor`, `sign`, `abs`, `scale`, `trim_scale` (manual, 9.3).
//! `numeric` rounds half away from zero, floats half to even.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int32Type};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ReturnFieldArgs;

use crate::functions::argument::{Call, Row};
use crate::functions::arithmetic::numerics::parts;
use crate::functions::columns::{binary, unary};
use crate::functions::decimal::{Decimal, overflow};
use crate::functions::function::{Function, column_function, function};
use crate::functions::value::{Builder, Value};
use crate::input::numeric::{power, rescale};
use crate::numeric::{Finite, Number};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    [whole(), floats(), placed(), signs()].concat()
}

/// Scale of a whole number, where the argument has one scale.
fn no_scale(args: &ReturnFieldArgs<'_>) -> Option<(u8, i8)> {
    args.arg_fields.first().and_then(parts).map(|_| (38, 0))
}

fn whole() -> Vec<Function> {
    let integral = |name, description| {
        column_function(name, description, |call| {
            let up = |value: &Finite, cut: Finite| {
                if cut < *value { cut.plus(&Finite::of(1, 0)) } else { cut }
            };
            numbers(call, |value, unit| value / unit + i128::from(value % unit > 0), up)
        })
        .scale(no_scale)
    };
    vec![
        column_function(
            "round(numeric) -> numeric",
            "Rounded to a whole number, half away from zero.",
            |call| {
                let half = |value: &Finite, _| value.rounded(0);
                numbers(call, divided, half)
            },
        )
        .scale(no_scale),
        column_function("trunc(numeric) -> numeric", "Cut towards zero.", |call| {
            numbers(call, |value, unit| value / unit, |_, cut| cut)
        })
        .scale(no_scale),
        integral("ceil(numeric) -> numeric", "Rounded up to a whole number."),
        integral("ceiling(numeric) -> numeric", "Rounded up to a whole number."),
        column_function("floor(numeric) -> numeric", "Rounded down to a whole number.", |call| {
            let down = |value: &Finite, cut: Finite| {
                if cut > *value { cut.minus(&Finite::of(1, 0)) } else { cut }
            };
            numbers(call, |value, unit| value / unit - i128::from(value % unit < 0), down)
        })
        .scale(no_scale),
    ]
}

fn divided(value: i128, unit: i128) -> i128 {
    let (quotient, rest) = (value / unit, value % unit);
    let up = rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
    if up { quotient + value.signum() } else { quotient }
}

/// Makes whole numbers: of units of the last digit, or of a number and what it is when cut.
fn numbers(
    call: &Call<'_>,
    fixed: impl Fn(i128, i128) -> i128,
    free: impl Fn(&Finite, Finite) -> Finite,
) -> Result<ArrayRef> {
    if let Some(DataType::Decimal128(_, scale)) =
        call.arguments.first().map(|argument| argument.array.data_type())
        && let Some(unit) = usize::try_from(*scale).ok().and_then(power)
    {
        return unary::<Decimal128Type, Decimal128Type>(call, |value| Ok(fixed(value, unit)));
    }
    by_row(call, |row| Ok(row.number(0).map(|value| free(&value, value.truncated(0))).into()))
}

fn by_row(call: &Call<'_>, kernel: impl Fn(&Row<'_>) -> Result<Value>) -> Result<ArrayRef> {
    let mut builder = Builder::new(call.result.data_type(), call.rows);
    for index in 0..call.rows {
        let row = Row::new(call, index);
        let null = (0..row.len()).any(|argument| row.is_null(argument));
        builder.push(if null { Value::Null } else { kernel(&row)? })?;
    }
    builder.finish()
}

fn floats() -> Vec<Function> {
    let up = |name| {
        function(name, "Rounded up to a whole number.", |row| Ok(row.float(0).ceil().into()))
    };
    vec![
        function("round(float8) -> float8", "Rounded to a whole number, half to even.", |row| {
            Ok(row.float(0).round_ties_even().into())
        }),
        function("trunc(float8) -> float8", "Cut towards zero.", |row| {
            Ok(row.float(0).trunc().into())
        }),
        up("ceil(float8) -> float8"),
        up("ceiling(float8) -> float8"),
        function("floor(float8) -> float8", "Rounded down to a whole number.", |row| {
            Ok(row.float(0).floor().into())
        }),
    ]
}

fn placed() -> Vec<Function> {
    vec![
        column_function(
            "round(numeric, int4) -> numeric",
            "Rounded to so many fractional digits, half away from zero.",
            |call| at_places(call, Decimal::at, Finite::rounded),
        )
        .scale(scale_of_places),
        column_function(
            "trunc(numeric, int4) -> numeric",
            "Cut to so many fractional digits.",
            |call| at_places(call, |value, scale| Ok(value.truncated(scale)), Finite::truncated),
        )
        .scale(scale_of_places),
        function("scale(numeric) -> int4", "Number of fractional digits.", |row| {
            Ok(row.number(0).finite().map(|value| i64::from(value.scale)).into())
        }),
        function(
            "min_scale(numeric) -> int4",
            "Number of fractional digits without trailing zeros.",
            |row| {
                let number = row.number(0).map(Finite::trimmed);
                Ok(number.finite().map(|value| i64::from(value.scale)).into())
            },
        ),
        function("trim_scale(numeric) -> numeric", "Without trailing fractional zeros.", |row| {
            Ok(row.number(0).map(Finite::trimmed).into())
        }),
    ]
}

/// Brings numbers to a scale: a column with one scale in 128 bits, others digit by digit.
fn at_places(
    call: &Call<'_>,
    fixed: impl Fn(Decimal, i8) -> Result<Decimal>,
    free: impl Fn(&Finite, i64) -> Finite,
) -> Result<ArrayRef> {
    let types = (call.arguments.first(), call.result.data_type());
    if let (Some(argument), DataType::Decimal128(_, to)) = types
        && let DataType::Decimal128(_, from) = *argument.array.data_type()
        && call.arguments.get(1).is_some_and(|one| *one.array.data_type() == DataType::Int32)
    {
        return binary::<Decimal128Type, Int32Type, Decimal128Type>(call, |value, places| {
            let places = places.clamp(-37, 37) as i8;
            let number = fixed(Decimal { value, scale: from }, places)?;
            rescale(number.at(places.max(0))?.value, places.max(0), *to).ok_or_else(overflow)
        });
    }
    by_row(call, |row| {
        let places = row.int(1).clamp(-2000, 2000);
        let number = row.number(0).map(|value| free(&value, places));
        Ok(number.into())
    })
}

fn signs() -> Vec<Function> {
    let absolute =
        |name| function(name, "Absolute value.", |row| Ok(row.int(0).abs().into())).operator("@");
    let float =
        |name| function(name, "Absolute value.", |row| Ok(row.float(0).abs().into())).operator("@");
    vec![
        function("sign(numeric) -> numeric", "-1, 0 or 1.", |row| {
            Ok(match row.number(0) {
                Number::NaN => Number::NaN,
                number => Number::from(number.signum()),
            }
            .into())
        })
        .scale(no_scale),
        function("sign(float8) -> float8", "-1, 0 or 1.", |row| {
            let number = row.float(0);
            Ok(if number == 0.0 || number.is_nan() { number } else { number.signum() }.into())
        }),
        absolute("abs(int2) -> int2"),
        absolute("abs(int4) -> int4"),
        function("abs(int8) -> int8", "Absolute value.", |row| {
            Ok(row.int(0).checked_abs().ok_or_else(|| ValueError::out_of_range("bigint"))?.into())
        })
        .operator("@"),
        function("abs(numeric) -> numeric", "Absolute value.", |row| {
            Ok(match row.number(0) {
                Number::NegativeInfinity => Number::Infinity,
                number => number.map(Finite::magnitude),
            }
            .into())
        })
        .operator("@")
        .scale(|args| args.arg_fields.first().and_then(parts)),
        float("abs(float4) -> float4"),
        float("abs(float8) -> float8"),
    ]
}

/// A constant number of places is the result's scale, where the argument has one scale.
fn scale_of_places(args: &ReturnFieldArgs<'_>) -> Option<(u8, i8)> {
    let places = args.scalar_arguments.get(1).copied().flatten().and_then(|value| match value {
        ScalarValue::Int16(Some(places)) => Some(i64::from(*places)),
        ScalarValue::Int32(Some(places)) => Some(i64::from(*places)),
        ScalarValue::Int64(Some(places)) => Some(*places),
        _ => None,
    })?;
    let (precision, scale) = args.arg_fields.first().and_then(parts)?;
    // Zeros behind the point may need more digits than 38.
    let whole = i64::from(precision) - i64::from(scale);
    (places <= 37 && (places <= i64::from(scale) || whole.min(20) + places <= 38))
        .then(|| (38, places.max(0) as i8))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn rounding() {
        check(&[
            ("round(2.5::numeric(2,1))", "3"),
            ("round(3.5::numeric(2,1))", "4"),
            ("round(-2.5::numeric(2,1))", "-3"),
            ("round(2.567::numeric(4,3),2)", "2.57"),
            ("trunc(2.567::numeric(4,3),1)", "2.5"),
            ("round(2.5::float8)", "2"),
            ("ceil(1.1::numeric(2,1))", "2"),
            ("floor(-1.1::numeric(2,1))", "-2"),
            ("ceil(-1.1::numeric(2,1))", "-1"),
            ("round(1234.567::numeric(7,3), -2)", "1200"),
            ("trunc(-1.9::numeric(2,1))", "-1"),
            ("sign(-3.5::numeric(2,1))", "-1"),
            ("abs(-5)", "5"),
            ("abs(-1.50::numeric(3,2))", "1.50"),
            ("round(5.5::float8)", "6"),
            ("scale(1.50::numeric(3,2))", "2"),
        ]);
    }
}
