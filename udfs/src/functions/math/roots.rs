//! `sqrt`, `exp`, `ln`, `log`, `power` and the operators `|/ ||/ ^` (manual, 9.3).

use crate::functions::argument::Row;
use crate::functions::arithmetic::floats::checked;
use crate::functions::function::{Function, function};
use crate::numeric::{Number, roots as numeric};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    [roots(), logarithms(), powers()].concat()
}

fn roots() -> Vec<Function> {
    vec![
        function("sqrt(numeric) -> numeric", "Square root.", |row| {
            Ok(numeric::sqrt(&row.number(0))?.into())
        }),
        function("sqrt(float8) -> float8", "Square root.", |row| Ok(sqrt(row)?.into())),
        function("dsqrt(float8) -> float8", "Square root.", |row| Ok(sqrt(row)?.into()))
            .operator("|/"),
        function("cbrt(float8) -> float8", "Cube root.", |row| Ok(row.float(0).cbrt().into())),
        function("dcbrt(float8) -> float8", "Cube root.", |row| Ok(row.float(0).cbrt().into()))
            .operator("||/"),
    ]
}

fn sqrt(row: &Row<'_>) -> Result<f64> {
    if row.float(0) < 0.0 {
        return Err(ValueError::new("2201F", "cannot take square root of a negative number"));
    }
    Ok(row.float(0).sqrt())
}

fn logarithms() -> Vec<Function> {
    let ten = |name| {
        function(name, "Logarithm to base 10.", |row| {
            Ok(numeric::log(&Number::from(10), &row.number(0))?.into())
        })
    };
    let float =
        |name| function(name, "Logarithm to base 10.", |row| Ok(loggable(row)?.log10().into()));
    vec![
        function("exp(numeric) -> numeric", "e to the power.", |row| {
            Ok(numeric::exp(&row.number(0))?.into())
        }),
        function("exp(float8) -> float8", "e to the power.", |row| {
            Ok(checked(row.float(0).exp(), row.float(0), 0.0)?.into())
        }),
        function("ln(numeric) -> numeric", "Natural logarithm.", |row| {
            Ok(numeric::ln(&row.number(0))?.into())
        }),
        function("ln(float8) -> float8", "Natural logarithm.", |row| {
            Ok(loggable(row)?.ln().into())
        }),
        ten("log(numeric) -> numeric"),
        ten("log10(numeric) -> numeric"),
        function(
            "log(numeric, numeric) -> numeric",
            "Logarithm to a base, which comes first.",
            |row| Ok(numeric::log(&row.number(0), &row.number(1))?.into()),
        ),
        float("log(float8) -> float8"),
        float("log10(float8) -> float8"),
    ]
}

fn loggable(row: &Row<'_>) -> Result<f64> {
    let number = row.float(0);
    if number == 0.0 {
        return Err(ValueError::new("2201E", "cannot take logarithm of zero"));
    }
    if number < 0.0 {
        return Err(ValueError::new("2201E", "cannot take logarithm of a negative number"));
    }
    Ok(number)
}

fn powers() -> Vec<Function> {
    let exact = |signature| {
        function(signature, "A power.", |row| {
            Ok(numeric::power(&row.number(0), &row.number(1))?.into())
        })
    };
    let float = |signature| {
        function(signature, "A power.", |row| Ok(float_power(row.float(0), row.float(1))?.into()))
    };
    vec![
        exact("power(numeric, numeric) -> numeric"),
        exact("pow(numeric, numeric) -> numeric"),
        exact("numeric_power(numeric, numeric) -> numeric").operator("^"),
        float("power(float8, float8) -> float8"),
        float("pow(float8, float8) -> float8"),
        float("dpow(float8, float8) -> float8").operator("^"),
    ]
}

fn float_power(base: f64, exponent: f64) -> Result<f64> {
    if base == 0.0 && exponent < 0.0 {
        return Err(ValueError::new("2201F", "zero raised to a negative power is undefined"));
    }
    if base < 0.0 && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(ValueError::new(
            "2201F",
            "a negative number raised to a non-integer power yields a complex result",
        ));
    }
    checked(base.powf(exponent), base, exponent)
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn roots_and_powers() {
        check(&[
            ("power(2,10)", "1024"),
            ("sqrt(2.0::numeric(2,1))", "1.414213562373095"),
            ("exp(1.0::numeric(2,1))", "2.7182818284590452"),
            ("ln(10.0::numeric(3,1))", "2.3025850929940457"),
            ("log(100)", "2"),
            ("log(2.0::numeric(2,1), 64.0::numeric(3,1))", "6.0000000000000000"),
            ("dpow(2.0::float8, 10.0::float8)", "1024"),
            ("numeric_power(2.0::numeric(2,1), 0.5::numeric(2,1))", "1.4142135623730950"),
            ("dsqrt(16)", "4"),
        ]);
        check_errors(&[
            ("sqrt(-1.0::numeric(2,1))", "2201F", "cannot take square root of a negative number"),
            ("ln(0)", "2201E", "cannot take logarithm of zero"),
            ("power(0, -1)", "2201F", "zero raised to a negative power is undefined"),
        ]);
    }
}
