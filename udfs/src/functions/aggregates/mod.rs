//! Aggregates that PostgreSQL has and DataFusion lacks or types differently (manual, 9.21).
//!
//! `avg`, `sum` and `every` run DataFusion's accumulators over coerced arguments
//! ([`delegate`]) or exact totals ([`totals`]); the others collect their values ([`collect`]).

use std::sync::Arc;

use datafusion::functions_aggregate::{average, bool_and_or, sum};
use datafusion::logical_expr::{AggregateUDF, Volatility};

use super::signature::Signature;
use super::{Doc, behaviour};

pub mod adapted;
pub mod bytes;
pub mod collect;
mod count;
pub mod delegate;
mod floats;
pub mod intervals;
pub mod json;
pub mod listed;
pub mod ordered;
mod percentile;
pub mod spread;
pub mod totals;

/// All of them.
pub fn all() -> Vec<Arc<AggregateUDF>> {
    let delegates = vec![
        delegate::Delegate::udaf("avg", average::avg_udaf(), delegate::average),
        delegate::Delegate::udaf("sum", sum::sum_udaf(), delegate::sum),
        delegate::Delegate::udaf("every", bool_and_or::bool_and_udaf(), delegate::same),
    ];
    let own = [
        vec![count::udaf()],
        delegates,
        floats::all(),
        json::all(),
        listed::all(),
        ordered::all(),
        spread::all(),
    ]
    .concat();
    [own, behaviour::aggregates(), super::score::aggregates()].concat()
}

const DECLARED: &[(&str, &str)] = &[
    (
        "avg(int8) -> numeric; avg(int4) -> numeric; avg(int2) -> numeric; avg(numeric) -> numeric; avg(float4) -> float8; avg(float8) -> float8",
        "The mean of all values.",
    ),
    (
        "sum(int8) -> numeric; sum(int4) -> int8; sum(int2) -> int8; sum(numeric) -> numeric; sum(float4) -> float4; sum(float8) -> float8; sum(interval) -> interval",
        "The sum of all values.",
    ),
    ("every(bool) -> bool", "Whether all values are true."),
    (
        "percentile_cont(float8, float8) -> float8",
        "The value at a fraction of the order, between two values if need be.",
    ),
    (
        "percentile_disc(float8, anyelement) -> anyelement",
        "The first value whose place in the order reaches a fraction.",
    ),
    ("mode(anyelement) -> anyelement", "The most frequent value."),
    ("json_agg(anyelement) -> json", "All values, NULLs included, as a JSON array."),
    ("jsonb_agg(anyelement) -> jsonb", "All values, NULLs included, as a JSON array."),
    ("json_object_agg(\"any\", \"any\") -> json", "All keys and values as a JSON object."),
    ("jsonb_object_agg(\"any\", \"any\") -> jsonb", "All keys and values as a JSON object."),
    (
        "variance(int8) -> numeric; variance(int4) -> numeric; variance(int2) -> numeric; variance(numeric) -> numeric; variance(float4) -> float8; variance(float8) -> float8",
        "The sample variance.",
    ),
    (
        "var_samp(int8) -> numeric; var_samp(int4) -> numeric; var_samp(int2) -> numeric; var_samp(numeric) -> numeric; var_samp(float4) -> float8; var_samp(float8) -> float8",
        "The sample variance.",
    ),
    (
        "var_pop(int8) -> numeric; var_pop(int4) -> numeric; var_pop(int2) -> numeric; var_pop(numeric) -> numeric; var_pop(float4) -> float8; var_pop(float8) -> float8",
        "The population variance.",
    ),
    (
        "stddev(int8) -> numeric; stddev(int4) -> numeric; stddev(int2) -> numeric; stddev(numeric) -> numeric; stddev(float4) -> float8; stddev(float8) -> float8",
        "The sample standard deviation.",
    ),
    (
        "stddev_samp(int8) -> numeric; stddev_samp(int4) -> numeric; stddev_samp(int2) -> numeric; stddev_samp(numeric) -> numeric; stddev_samp(float4) -> float8; stddev_samp(float8) -> float8",
        "The sample standard deviation.",
    ),
    (
        "stddev_pop(int8) -> numeric; stddev_pop(int4) -> numeric; stddev_pop(int2) -> numeric; stddev_pop(numeric) -> numeric; stddev_pop(float4) -> float8; stddev_pop(float8) -> float8",
        "The population standard deviation.",
    ),
];

/// Their declarations.
pub fn docs() -> Vec<Doc> {
    let declared = DECLARED.iter().chain(behaviour::DECLARED).chain(super::score::FITS);
    let docs = declared.flat_map(|(signatures, description)| {
        signatures.split(';').filter_map(|text| Signature::parse(text.trim())).map(
            move |signature| Doc {
                signature,
                volatility: Volatility::Immutable,
                strict: false,
                kind: 'a',
                operator: None,
                description,
            },
        )
    });
    docs.collect()
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check_query;

    #[test]
    fn aggregates() {
        check_query(&[
            ("sum(x), avg(x)", "(values (1::bigint),(2),(4)) t(x)", &["7", "2.3333333333333333"]),
            (
                "avg(x), sum(x)",
                "(values (1.10::numeric(3,2)),(2.25::numeric(3,2))) t(x)",
                &["1.6750000000000000", "3.35"],
            ),
            (
                "sum(x), avg(x)",
                "(values (9223372036854775807),(1)) t(x)",
                &["9223372036854775808", "4611686018427387904"],
            ),
            (
                "percentile_disc(0.5) within group (order by v), mode() within group (order by v)",
                "(values (1.0::numeric(2,1)),(2.0::numeric(2,1)),(2.0::numeric(2,1)),(9.0::numeric(2,1))) t(v)",
                &["2.0", "2.0"],
            ),
            (
                "percentile_cont(0.95) within group (order by v), percentile_cont(0.25) within group (order by v desc)",
                "generate_series(1, 17) t(v)",
                &["16.2", "13"],
            ),
            (
                "stddev(v), variance(v)",
                "(values (1),(2),(3)) t(v)",
                &["1.00000000000000000000", "1.00000000000000000000"],
            ),
            (
                "every(v > 0), var_pop(v)",
                "(values (1.5::float8),(2.5::float8)) t(v)",
                &["t", "0.25"],
            ),
            (
                "jsonb_agg(x), jsonb_object_agg(k, x)",
                "(values ('p',1),('q',2)) t(k,x)",
                &["[1, 2]", "{\"p\": 1, \"q\": 2}"],
            ),
            (
                "k, count(distinct x), count(distinct y), count(distinct x) filter (where y > 0), count(*)",
                "(values (1,'a',1.5),(1,'b',1.5),(1,'a',-2),(1,null,null),(2,null,0)) t(k,x,y) group by k order by k",
                &["1", "2", "2", "0", "2", "1", "2", "0", "4", "1"],
            ),
            ("avg(x), json_agg(x)", "(select 1 as x where false) t", &["NULL", "NULL"]),
        ]);
    }
}
