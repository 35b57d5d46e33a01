//! `round`, `trunc`, `ceil`, `floor`, `sign`, `abs`, `scale`, `trim_scale` (manual, 9.3).
//! `numeric` rounds half away from zero, floats half to even.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::ReturnFieldArgs;

use crate::ValueError;
use crate::functions::argument::Row;
use crate::functions::arithmetic::numerics::parts;
use crate::functions::decimal::Decimal;
use crate::functions::function::{Function, function};
use crate::types::NUMERIC_DEFAULT;

pub(super) fn functions() -> Vec<Function> {
    [whole(), placed(), signs()].concat()
}

fn whole() -> Vec<Function> {
    let integral = |name| {
        function(name, "Rounded up to a whole number.", |row| {
            let number = row.numeric(0);
            let cut = number.truncated(0);
            Ok(if cut < number { cut.plus(Decimal::from(1))? } else { cut }.into())
        })
        .scale(|_| (38, 0))
    };
    vec![
        function(
            "round(numeric) -> numeric",
            "Rounded to a whole number, half away from zero.",
            |row| Ok(row.numeric(0).at(0)?.into()),
        )
        .scale(|_| (38, 0)),
        function("round(float8) -> float8", "Rounded to a whole number, half to even.", |row| {
            Ok(row.float(0).round_ties_even().into())
        }),
        function("trunc(numeric) -> numeric", "Cut towards zero.", |row| {
            Ok(row.numeric(0).truncated(0).into())
        })
        .scale(|_| (38, 0)),
        function("trunc(float8) -> float8", "Cut towards zero.", |row| {
            Ok(row.float(0).trunc().into())
        }),
        integral("ceil(numeric) -> numeric"),
        integral("ceiling(numeric) -> numeric"),
        function("ceil(float8) -> float8", "Rounded up to a whole number.", |row| {
            Ok(row.float(0).ceil().into())
        }),
        function("ceiling(float8) -> float8", "Rounded up to a whole number.", |row| {
            Ok(row.float(0).ceil().into())
        }),
        function("floor(numeric) -> numeric", "Rounded down to a whole number.", |row| {
            let number = row.numeric(0);
            let cut = number.truncated(0);
            Ok(if cut > number { cut.plus(Decimal::from(-1))? } else { cut }.into())
        })
        .scale(|_| (38, 0)),
        function("floor(float8) -> float8", "Rounded down to a whole number.", |row| {
            Ok(row.float(0).floor().into())
        }),
    ]
}

fn placed() -> Vec<Function> {
    vec![
        function(
            "round(numeric, int4) -> numeric",
            "Rounded to so many fractional digits, half away from zero.",
            |row| {
                let number = row.numeric(0);
                let places = places(row);
                let rounded = number.at(places)?;
                Ok(if places < 0 { rounded.at(0)? } else { rounded }.into())
            },
        )
        .scale(scale_of_places),
        function("trunc(numeric, int4) -> numeric", "Cut to so many fractional digits.", |row| {
            let number = row.numeric(0);
            let places = places(row);
            Ok(if places < number.scale { number.truncated(places) } else { number }.into())
        })
        .scale(scale_of_places),
        function("scale(numeric) -> int4", "Number of fractional digits.", |row| {
            Ok(i64::from(row.numeric(0).scale.max(0)).into())
        }),
        function(
            "min_scale(numeric) -> int4",
            "Number of fractional digits without trailing zeros.",
            |row| Ok(i64::from(row.numeric(0).trimmed().scale.max(0)).into()),
        ),
        function("trim_scale(numeric) -> numeric", "Without trailing fractional zeros.", |row| {
            Ok(row.numeric(0).trimmed().into())
        }),
    ]
}

fn signs() -> Vec<Function> {
    vec![
        function("sign(numeric) -> numeric", "-1, 0 or 1.", |row| {
            Ok(Decimal::from(row.numeric(0).value.signum() as i64).into())
        })
        .scale(|_| (38, 0)),
        function("sign(float8) -> float8", "-1, 0 or 1.", |row| {
            let number = row.float(0);
            Ok(if number == 0.0 || number.is_nan() { number } else { number.signum() }.into())
        }),
        function("abs(int2) -> int2", "Absolute value.", |row| Ok(row.int(0).abs().into()))
            .operator("@"),
        function("abs(int4) -> int4", "Absolute value.", |row| Ok(row.int(0).abs().into()))
            .operator("@"),
        function("abs(int8) -> int8", "Absolute value.", |row| {
            Ok(row.int(0).checked_abs().ok_or_else(|| ValueError::out_of_range("bigint"))?.into())
        })
        .operator("@"),
        function("abs(numeric) -> numeric", "Absolute value.", |row| {
            let number = row.numeric(0);
            Ok(Decimal { value: number.value.abs(), ..number }.into())
        })
        .operator("@")
        .scale(|args| args.arg_fields.first().map_or(NUMERIC_DEFAULT, parts)),
        function("abs(float4) -> float4", "Absolute value.", |row| Ok(row.float(0).abs().into()))
            .operator("@"),
        function("abs(float8) -> float8", "Absolute value.", |row| Ok(row.float(0).abs().into()))
            .operator("@"),
    ]
}

fn places(row: &Row<'_>) -> i8 {
    row.int(1).clamp(-37, 37) as i8
}

/// A constant number of places is the result's scale; else the column keeps its own.
fn scale_of_places(args: &ReturnFieldArgs<'_>) -> (u8, i8) {
    let given = args.scalar_arguments.get(1).copied().flatten().and_then(|value| match value {
        ScalarValue::Int16(Some(places)) => Some(i64::from(*places)),
        ScalarValue::Int32(Some(places)) => Some(i64::from(*places)),
        ScalarValue::Int64(Some(places)) => Some(*places),
        _ => None,
    });
    let own = args.arg_fields.first().map_or(NUMERIC_DEFAULT, parts);
    given.map_or(own, |places| (38, places.clamp(0, 37) as i8))
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
