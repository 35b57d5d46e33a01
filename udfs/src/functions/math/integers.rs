//! `mod`, `div`, `gcd`, `lcm`, `factorial`, `width_bucket`, `num_nulls` (manual, 9.3, 9.2).

use num_bigint::BigInt;

use crate::functions::argument::Row;

use crate::functions::arithmetic::numerics::{largest_scale, remainder};
use crate::functions::decimal::{division_by_zero, overflow};
use crate::functions::function::{Function, column_function, function};
use crate::functions::value::Value;
use crate::numeric::{Finite, Number};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    [divisions(), multiples(), buckets()].concat()
}

fn divisions() -> Vec<Function> {
    vec![
        function(
            "mod(int2, int2) -> int2; mod(int4, int4) -> int4; mod(int8, int8) -> int8",
            "Remainder; it has the sign of the dividend.",
            |row| {
                if row.int(1) == 0 {
                    return Err(division_by_zero());
                }
                Ok(row.int(0).wrapping_rem(row.int(1)).into())
            },
        ),
        column_function(
            "mod(numeric, numeric) -> numeric",
            "Remainder; it has the sign of the dividend.",
            remainder,
        )
        .scale(|args| largest_scale(args.arg_fields)),
        function("div(numeric, numeric) -> numeric", "Quotient, cut to a whole number.", |row| {
            Ok(match (row.number(0), row.number(1)) {
                (Number::Finite(a), Number::Finite(b)) if !b.is_zero() => {
                    Number::from(a.whole_over(&b)).into()
                }
                // What is not finite, and the refusal of 0, as division has them.
                (a, b) => a.over(&b)?.into(),
            })
        }),
    ]
}

fn multiples() -> Vec<Function> {
    vec![
        function(
            "gcd(int4, int4) -> int4; gcd(int8, int8) -> int8",
            "Greatest common divisor.",
            |row| {
                Ok(i64::try_from(gcd(row.int(0), row.int(1)))
                    .map_err(|_| ValueError::out_of_range("bigint"))?
                    .into())
            },
        ),
        function(
            "lcm(int4, int4) -> int4; lcm(int8, int8) -> int8",
            "Least common multiple.",
            |row| {
                let (a, b) = (row.int(0), row.int(1));
                if a == 0 || b == 0 {
                    return Ok(0.into());
                }
                let multiple = (a.unsigned_abs() / gcd(a, b)).checked_mul(b.unsigned_abs());
                let multiple = multiple.and_then(|multiple| i64::try_from(multiple).ok());
                Ok(multiple.ok_or_else(|| ValueError::out_of_range("bigint"))?.into())
            },
        ),
        function("factorial(int8) -> numeric", "Product of the numbers up to n.", |row| {
            let number = row.int(0);
            if number < 0 {
                return Err(ValueError::new(
                    "22003",
                    "factorial of a negative number is undefined",
                ));
            }
            // 32178! has more digits than numeric holds (numeric.c, numeric_fac).
            if number > 32_177 {
                return Err(overflow());
            }
            let product = (2..=number).fold(BigInt::from(1), |product, factor| product * factor);
            Ok(Number::from(Finite::new(product, 0)).into())
        }),
        function("gcd(numeric, numeric) -> numeric", "Greatest common divisor.", |row| {
            Ok(match (row.number(0), row.number(1)) {
                (Number::Finite(a), Number::Finite(b)) => Number::from(divisor(a, b)).into(),
                _ => Number::NaN.into(),
            })
        }),
        function("lcm(numeric, numeric) -> numeric", "Least common multiple.", |row| {
            let (Number::Finite(a), Number::Finite(b)) = (row.number(0), row.number(1)) else {
                return Ok(Number::NaN.into());
            };
            let scale = a.scale.max(b.scale);
            if a.is_zero() || b.is_zero() {
                return Ok(Number::from(Finite::new(BigInt::ZERO, scale)).into());
            }
            let parts = a.whole_over(&divisor(a.clone(), b.clone()));
            Ok(Number::from(parts.times(&b).magnitude().checked()?).into())
        }),
    ]
}

/// Euclid's.
fn divisor(mut a: Finite, mut b: Finite) -> Finite {
    let scale = a.scale.max(b.scale);
    while !b.is_zero() {
        (a, b) = (b.clone(), a.rest(&b));
    }
    a.magnitude().rounded(scale.into())
}

fn gcd(a: i64, b: i64) -> u64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn buckets() -> Vec<Function> {
    vec![
        function(
            "width_bucket(float8, float8, float8, int4) -> int4",
            "Number of the bucket, of equal buckets between two bounds.",
            |row| bucket([row.float(0), row.float(1), row.float(2)], row.int(3)),
        ),
        function(
            "width_bucket(numeric, numeric, numeric, int4) -> int4",
            "Number of the bucket, of equal buckets between two bounds.",
            exact_bucket,
        ),
        function("num_nulls(VARIADIC \"any\") -> int4", "How many arguments are NULL.", |row| {
            Ok(i64::try_from((0..row.len()).filter(|argument| row.is_null(*argument)).count())
                .ok()
                .into())
        })
        .nulls(),
        function(
            "num_nonnulls(VARIADIC \"any\") -> int4",
            "How many arguments are not NULL.",
            |row| {
                Ok(i64::try_from((0..row.len()).filter(|argument| !row.is_null(*argument)).count())
                    .ok()
                    .into())
            },
        )
        .nulls(),
    ]
}

fn invalid(message: &str) -> ValueError {
    ValueError::new("2201G", message)
}

fn bucket([value, low, high]: [f64; 3], count: i64) -> Result<Value> {
    if count <= 0 {
        return Err(invalid("count must be greater than zero"));
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return Err(invalid("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low == high {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    let place = (value - low) / (high - low);
    Ok(match place {
        place if place < 0.0 => 0,
        place if place >= 1.0 => count + 1,
        place => (place * count as f64) as i64 + 1,
    }
    .into())
}

fn exact_bucket(row: &Row<'_>) -> Result<Value> {
    let (value, low, high, count) = (row.number(0), row.number(1), row.number(2), row.int(3));
    if count <= 0 {
        return Err(invalid("count must be greater than zero"));
    }
    if [&value, &low, &high].iter().any(|number| matches!(number, Number::NaN)) {
        return Err(invalid("operand, lower bound, and upper bound cannot be NaN"));
    }
    let (Number::Finite(first), Number::Finite(last)) = (&low, &high) else {
        return Err(invalid("lower and upper bounds must be finite"));
    };
    if low == high {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    let (below, above) = match low < high {
        true => (value < low, value >= high),
        false => (value > low, value <= high),
    };
    let Number::Finite(value) = &value else { return Ok(if below { 0 } else { count + 1 }.into()) };
    if below || above {
        return Ok(if below { 0 } else { count + 1 }.into());
    }
    let (offset, width) = (value.minus(first), last.minus(first));
    let place = offset.times(&Finite::of(count.into(), 0)).whole_over(&width);
    Ok((place.whole().unwrap_or(count) + 1).into())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn integers() {
        check(&[
            ("mod(10,3)", "1"),
            ("div(7,2)", "3"),
            ("div(-7.5::numeric(2,1),2)", "-3"),
            ("gcd(12,18)", "6"),
            ("lcm(4,6)", "12"),
            ("factorial(5)", "120"),
            ("factorial(30)", "265252859812191058636308480000000"),
            ("gcd(12.5::numeric(3,1), 2.5::numeric(2,1))", "2.5"),
            ("lcm(2.5::numeric(2,1), 1.5::numeric(2,1))", "7.5"),
            ("width_bucket(5.35::numeric(3,2), 0.024::numeric(4,3), 10.06::numeric(4,2), 5)", "3"),
            ("width_bucket(5.35::float8, 0.024::float8, 10.06::float8, 5)", "3"),
            ("num_nulls(1,null,null)", "2"),
            ("num_nonnulls(1,null)", "1"),
            ("mod(7.5::numeric(2,1), 2)", "1.5"),
        ]);
        check_errors(&[
            ("mod(1,0)", "22012", "division by zero"),
            (
                "width_bucket(1.0::float8, 1.0::float8, 1.0::float8, 5)",
                "2201G",
                "lower bound cannot equal upper bound",
            ),
        ]);
    }
}
