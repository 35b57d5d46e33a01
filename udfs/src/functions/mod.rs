//! The SQL functions that PostgreSQL 15 has and DataFusion lacks or answers differently.
//!
//! One folder per chapter of the manual, one file per function or tight family. A file declares
//! its functions with [`function::function`]: the signature as `\df` prints it, one sentence, and
//! a plain Rust kernel. Values enter converted to the signature's types and leave as
//! [`Value`]s; `pg_proc`, `pg_operator` and the reference are generated from the same declaration.
//!
//! | folder | manual |
//! |---|---|
//! | [`arithmetic`] | 9.3, 9.9: what stands behind `+ - * / %` |
//! | [`math`] | 9.3: `round`, `power`, `width_bucket` |
//! | [`strings`] | 9.4, 9.5, 9.7: `format`, `regexp_replace`, `encode` |
//! | [`formatting`] | 9.8: `to_char`, `to_date`, `to_number` |
//! | [`datetime`] | 9.9: `age`, `date_trunc`, `extract` |
//! | [`json`] | 9.16: `jsonb_set`, `->`, jsonpath |
//! | [`arrays`] | 9.19: `array_remove`, slices |
//! | [`windows`] | 9.22: `ntile` |
//! | [`aggregates`] | 9.21: `avg` that is exact, `mode`, `jsonb_agg` |
//! | [`sets`] | 9.25: `generate_series` |
//! | [`behaviour`] | what customers did, and when: `funnel`, `sessionize`, `latest_by` |
//! | [`identity`] | F.17, F.35: `levenshtein`, `soundex`, `similarity`; `normalize_email` |
//! | [`score`] | `score.bg_nbd`, `score.p_alive`, `score.clv` |
//! | [`misc`] | 9.26, 9.14: `format_type`, `gen_random_uuid` |

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, Volatility};

pub mod aggregates;
pub mod argument;
pub mod arithmetic;
pub mod arrays;
pub mod behaviour;
pub mod cache;
pub mod choices;
pub mod columns;
pub mod datetime;
pub mod decimal;
pub mod formatting;
pub mod function;
pub mod identity;
pub mod json;
pub mod math;
pub mod misc;
pub mod ranges;
pub mod score;
pub mod sets;
pub mod signature;
pub mod strings;
pub mod udf;
pub mod value;
pub mod windows;

#[cfg(test)]
pub(crate) mod testing;

pub use function::Function;
pub use sets::{SetReturning, set_column, set_returning};
pub use value::Value;

use crate::types::PgType;
use signature::Signature;
use udf::Overloads;

/// A function as `\df` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doc {
    /// The overload.
    pub signature: Signature,
    /// Whether it always gives the same answer.
    pub volatility: Volatility,
    /// Whether a NULL argument makes the result NULL.
    pub strict: bool,
    /// `f` function, `a` aggregate, `w` window function.
    pub kind: char,
    /// The operator that stands for it.
    pub operator: Option<&'static str>,
    /// One sentence.
    pub description: &'static str,
}

static DECLARED: LazyLock<Vec<Function>> = LazyLock::new(|| {
    [
        arithmetic::functions(),
        math::functions(),
        strings::functions(),
        formatting::functions(),
        datetime::functions(),
        json::functions(),
        arrays::functions(),
        sets::functions(),
        identity::functions(),
        behaviour::functions(),
        misc::functions(),
        ranges::functions(),
        score::functions(),
    ]
    .concat()
});

static BY_NAME: LazyLock<BTreeMap<&'static str, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let mut names: BTreeMap<&'static str, Vec<Function>> = BTreeMap::new();
    for function in DECLARED.iter() {
        names.entry(function.name).or_default().push(function.clone());
    }
    let udf =
        |(name, functions)| (name, Arc::new(ScalarUDF::from(Overloads::new(name, functions))));
    names.into_iter().map(udf).collect()
});

/// All scalar functions. Those that return a set return an array here: plan `unnest(f(x))`.
pub fn all() -> Vec<Arc<ScalarUDF>> {
    BY_NAME.values().cloned().chain([arrays::flat::flat()]).chain(choices::all()).collect()
}

/// All aggregates.
pub fn aggregates() -> Vec<Arc<AggregateUDF>> {
    aggregates::all()
}

/// Every declared overload, aggregates included.
pub fn docs() -> Vec<Doc> {
    let scalar = DECLARED.iter().flat_map(|function| {
        function.signatures.iter().map(|signature| Doc {
            signature: signature.clone(),
            volatility: function.volatility,
            strict: function.strict,
            kind: 'f',
            operator: function.operator,
            description: function.description,
        })
    });
    scalar.chain(aggregates::docs()).chain(behaviour::window_docs()).collect()
}

/// A scalar function by name.
pub fn by_name(name: &str) -> Option<Arc<ScalarUDF>> {
    BY_NAME.get(name).cloned()
}

/// The function behind an operator for operands of these types (one for a prefix operator).
///
/// A literal of unknown type takes the other side's type where such an operator exists (manual,
/// 10.2). `None`: no such operator, or one that DataFusion evaluates itself.
pub fn operator(symbol: &str, operands: &[PgType]) -> Option<Arc<ScalarUDF>> {
    let alike = match operands {
        [PgType::UNKNOWN, other] | [other, PgType::UNKNOWN] => {
            cheapest(symbol, &[*other, *other]).filter(|(cost, _)| *cost <= 10)
        }
        _ => None,
    };
    let (_, name) = alike.or_else(|| cheapest(symbol, operands))?;
    by_name(name)
}

fn cheapest(symbol: &str, operands: &[PgType]) -> Option<(u32, &'static str)> {
    DECLARED
        .iter()
        .filter(|function| function.operator == Some(symbol))
        .flat_map(|function| function.signatures.iter())
        .filter(|signature| signature.parameters.len() == operands.len())
        .filter_map(|signature| Some((signature.cost(operands)?, signature.name)))
        .min_by_key(|(cost, _)| *cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_complete() {
        for function in DECLARED.iter() {
            assert!(!function.signatures.is_empty(), "{}", function.description);
            assert!(function.signatures.iter().all(|signature| signature.name == function.name));
            assert!(function.description.ends_with('.'), "{}", function.name);
        }
    }

    #[test]
    fn operators_find_their_functions() {
        let cases = [
            ("+", PgType::INT4, PgType::INT4, "int4pl"),
            ("+", PgType::INT4, PgType::INT8, "int8pl"),
            ("+", PgType::INT4, PgType::NUMERIC, "numeric_add"),
            ("*", PgType::NUMERIC, PgType::FLOAT8, "float8mul"),
            ("-", PgType::DATE, PgType::DATE, "date_mi"),
            ("-", PgType::DATE, PgType::UNKNOWN, "date_mi"),
            ("+", PgType::DATE, PgType::INTERVAL, "date_pl_interval"),
            ("+", PgType::TIMESTAMPTZ, PgType::UNKNOWN, "timestamptz_pl_interval"),
            ("*", PgType::INTERVAL, PgType::INT4, "interval_mul"),
            ("+", PgType::INT2, PgType::INT2, "int2pl"),
            ("-", PgType::DATE, PgType::TIMESTAMP, "timestamp_mi"),
            ("%", PgType::INT8, PgType::INT4, "int8mod"),
        ];
        for (symbol, left, right, name) in cases {
            let found = operator(symbol, &[left, right]);
            assert_eq!(found.as_ref().map(|udf| udf.name()), Some(name), "{symbol}");
        }
        assert!(operator("+", &[PgType::BOOL, PgType::INT4]).is_none());
    }
}
