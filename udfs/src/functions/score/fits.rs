//! The fits: aggregates whose result is a model.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_recommend::btyd::bg_nbd::BgNbd;
use clientele_recommend::btyd::gamma_gamma::{GammaGamma, Spent};
use clientele_recommend::btyd::pareto_nbd::ParetoNbd;
use clientele_recommend::btyd::{Summary, Weighted};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;

use super::models;
use crate::ValueError;
use crate::functions::aggregates::collect::{Collect, field_of};
use crate::types::PgType;

/// Signatures and descriptions.
pub(super) const DECLARED: &[(&str, &str)] = &[
    (
        "score.bg_nbd(frequency float8, recency float8, age float8) -> jsonb",
        "Fits BG/NBD to customers: repeat purchases, time from the first to the last, time since the first.",
    ),
    (
        "score.mbg_nbd(frequency float8, recency float8, age float8) -> jsonb",
        "Fits MBG/NBD, in which who bought once may have left at once.",
    ),
    (
        "score.pareto_nbd(frequency float8, recency float8, age float8) -> jsonb",
        "Fits Pareto/NBD, in which customers leave at any time.",
    ),
    (
        "score.gamma_gamma(frequency float8, monetary float8) -> jsonb",
        "Fits Gamma-Gamma to what the repeat purchases of customers were worth on average.",
    ),
];

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    let fit = |name, evaluate| Collect::udaf(name, false, |_| field_of(PgType::JSONB), evaluate);
    vec![
        fit("score.bg_nbd", |_, columns| bg_nbd(columns, false)),
        fit("score.mbg_nbd", |_, columns| bg_nbd(columns, true)),
        fit("score.pareto_nbd", |_, columns| pareto_nbd(columns)),
        fit("score.gamma_gamma", |_, columns| gamma_gamma(columns)),
    ]
}

fn bg_nbd(columns: &[ArrayRef], modified: bool) -> Result<ScalarValue> {
    let customers = summaries(columns)?;
    if customers.is_empty() {
        return Ok(ScalarValue::Utf8View(None));
    }
    let fit = BgNbd::fit(&customers, modified).map_err(|error| unfit(&error))?;
    let BgNbd { r, alpha, a, b, .. } = fit.parameters;
    let kind = if modified { "mbg_nbd" } else { "bg_nbd" };
    let parameters = [("r", r), ("alpha", alpha), ("a", a), ("b", b)];
    Ok(json(models::write(kind, &fit, (count(&customers), &parameters))))
}

fn pareto_nbd(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let customers = summaries(columns)?;
    if customers.is_empty() {
        return Ok(ScalarValue::Utf8View(None));
    }
    let fit = ParetoNbd::fit(&customers).map_err(|error| unfit(&error))?;
    let ParetoNbd { r, alpha, s, beta } = fit.parameters;
    let parameters = [("r", r), ("alpha", alpha), ("s", s), ("beta", beta)];
    Ok(json(models::write("pareto_nbd", &fit, (count(&customers), &parameters))))
}

fn gamma_gamma(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let customers: Vec<(Spent, f64)> = tally::<2>(columns)?
        .into_iter()
        .map(|([frequency, monetary], weight)| (Spent { frequency, monetary }, weight))
        .collect();
    if customers.is_empty() {
        return Ok(ScalarValue::Utf8View(None));
    }
    let fit = GammaGamma::fit(&customers).map_err(|error| unfit(&error))?;
    let GammaGamma { p, q, v } = fit.parameters;
    let count = customers.iter().map(|(_, weight)| weight).sum();
    Ok(json(models::write("gamma_gamma", &fit, (count, &[("p", p), ("q", q), ("v", v)]))))
}

/// Customers of the same summary are one with a weight: the likelihood is a sum over few.
fn summaries(columns: &[ArrayRef]) -> Result<Vec<Weighted>> {
    let all = tally::<3>(columns)?.into_iter();
    let summary = |([frequency, recency, age], weight): ([f64; 3], f64)| {
        if frequency < 0.0 || recency < 0.0 || recency > age {
            let text = "frequency and recency must not be negative, nor recency above age";
            return Err(ValueError::invalid_parameter(text).into());
        }
        Ok((Summary { frequency, recency, age }, weight))
    };
    all.map(summary).collect()
}

/// Different rows without NULLs and how often each comes, in a fixed order.
fn tally<const N: usize>(columns: &[ArrayRef]) -> Result<Vec<([f64; N], f64)>> {
    let columns: Vec<ArrayRef> = columns
        .iter()
        .take(N)
        .map(|one| cast(one, &DataType::Float64))
        .collect::<Result<_, _>>()?;
    if columns.len() < N {
        return Err(ValueError::invalid_parameter("too few arguments of a fit").into());
    }
    let columns: Vec<_> = columns.iter().map(|one| one.as_primitive::<Float64Type>()).collect();
    let rows = columns.first().map_or(0, |one| one.len());
    let mut counts: HashMap<[u64; N], f64> = HashMap::new();
    for row in 0..rows {
        if columns.iter().all(|column| column.is_valid(row)) {
            let key = std::array::from_fn(|at| columns[at].value(row).to_bits());
            *counts.entry(key).or_default() += 1.0;
        }
    }
    let mut rows: Vec<([u64; N], f64)> = counts.into_iter().collect();
    rows.sort_unstable_by_key(|(key, _)| *key);
    let numbers = |key: [u64; N]| key.map(f64::from_bits);
    let rows: Vec<([f64; N], f64)> =
        rows.into_iter().map(|(key, weight)| (numbers(key), weight)).collect();
    match rows.iter().flat_map(|(row, _)| row).all(|one| one.is_finite()) {
        true => Ok(rows),
        false => Err(ValueError::invalid_parameter("a fit needs finite numbers").into()),
    }
}

fn count(customers: &[Weighted]) -> f64 {
    customers.iter().map(|(_, weight)| weight).sum()
}

fn json(text: String) -> ScalarValue {
    ScalarValue::Utf8View(Some(text))
}

fn unfit(error: &clientele_recommend::Error) -> datafusion::error::DataFusionError {
    ValueError::invalid_parameter(error.to_string()).into()
}
