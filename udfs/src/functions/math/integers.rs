//! `mod`, `div`, `gcd`, `lcm`, `factorial`, `width_bucket`, `num_nulls` (manual, 9.3, 9.2).

use crate::functions::argument::Row;
use crate::functions::arithmetic::numerics::parts;
use crate::functions::decimal::{Decimal, division_by_zero, overflow};
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
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
        function(
            "mod(numeric, numeric) -> numeric",
            "Remainder; it has the sign of the dividend.",
            |row| {
                let (a, b) = (row.numeric(0), row.numeric(1));
                if b.is_zero() {
                    return Err(division_by_zero());
                }
                let scale = a.scale.max(b.scale);
                let rest = a.wide_at(scale).wrapping_rem(b.wide_at(scale));
                Ok(Decimal::from_wide(rest, scale)?.into())
            },
        )
        .scale(|args| {
            (38, args.arg_fields.iter().map(|field| parts(field).1).max().unwrap_or_default())
        }),
        function("div(numeric, numeric) -> numeric", "Quotient, cut to a whole number.", |row| {
            let (a, b) = (row.numeric(0), row.numeric(1));
            if b.is_zero() {
                return Err(division_by_zero());
            }
            let scale = a.scale.max(b.scale);
            Ok(Decimal::from_wide(a.wide_at(scale).wrapping_div(b.wide_at(scale)), 0)?.into())
        })
        .scale(|_| (38, 0)),
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
            let product = (1..=i128::from(number)).try_fold(1i128, i128::checked_mul);
            Ok(Decimal { value: product.ok_or_else(overflow)?, scale: 0 }.into())
        })
        .scale(|_| (38, 0)),
    ]
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
    let (value, low, high, count) = (row.numeric(0), row.numeric(1), row.numeric(2), row.int(3));
    if count <= 0 {
        return Err(invalid("count must be greater than zero"));
    }
    if low == high {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    let minus = |number: Decimal| Decimal { value: -number.value, ..number };
    let (offset, width) = (value.plus(minus(low))?, high.plus(minus(low))?);
    let place = offset.multiply(Decimal::from(count))?.divide(width, 20)?;
    Ok(match place {
        place if place.value < 0 => 0,
        place if place >= Decimal::from(count) => count + 1,
        place => i64::try_from(place.truncated(0).value).unwrap_or(count) + 1,
    }
    .into())
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
