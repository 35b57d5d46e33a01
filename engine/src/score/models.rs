//! `score.models`: what the models say of customers as a whole.

use std::sync::Arc;

use clientele_recommend::btyd::bg_nbd::BgNbd;
use clientele_recommend::btyd::gamma_gamma::{GammaGamma, Spent};
use clientele_recommend::btyd::pareto_nbd::ParetoNbd;
use clientele_recommend::btyd::{Summary, Weighted};
use datafusion::arrow::array::{ArrayRef, Float64Array, StringViewArray};
use futures::{StreamExt, stream};

use super::buyer::Buyer;
use super::purchases::{self, Purchases};
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::calls::{Batches, Call, Part};

/// A parameter of a model.
type Row = (&'static str, &'static str, f64);

/// One row for each parameter.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let unit = purchases::unit(&call)?;
    let purchases = Purchases::<Buyer>::read(&call, &part, unit).await?;
    let rows = tokio::task::spawn_blocking(move || fits(&purchases.summaries(unit)));
    let rows = rows.await.map_err(Error::internal)??;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>()),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}

fn fits(customers: &[(u32, Summary, Spent)]) -> Result<Vec<Row>> {
    if customers.is_empty() {
        return Ok(Vec::new());
    }
    let weighted = weighted(customers);
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |model, parameters: &[(&'static str, f64)]| {
        rows.extend(parameters.iter().map(|(name, value)| (model, *name, *value)));
    };
    for (name, modified) in [("bg_nbd", false), ("mbg_nbd", true)] {
        let fit = BgNbd::fit(&weighted, modified)?;
        let BgNbd { r, alpha, a, b, .. } = fit.parameters;
        let likelihood = fit.log_likelihood;
        add(
            name,
            &[("r", r), ("alpha", alpha), ("a", a), ("b", b), ("log_likelihood", likelihood)],
        );
    }
    let fit = ParetoNbd::fit(&weighted)?;
    let ParetoNbd { r, alpha, s, beta } = fit.parameters;
    let likelihood = ("log_likelihood", fit.log_likelihood);
    add("pareto_nbd", &[("r", r), ("alpha", alpha), ("s", s), ("beta", beta), likelihood]);
    let spent: Vec<(Spent, f64)> = customers.iter().map(|(_, _, one)| (*one, 1.0)).collect();
    // Purchases without amounts say nothing of what they are worth.
    if let Ok(fit) = GammaGamma::fit(&spent) {
        let GammaGamma { p, q, v } = fit.parameters;
        let likelihood = ("log_likelihood", fit.log_likelihood);
        add("gamma_gamma", &[("p", p), ("q", q), ("v", v), likelihood]);
    }
    Ok(rows)
}

/// Customers of the same summary as one with a weight.
pub(super) fn weighted(customers: &[(u32, Summary, Spent)]) -> Vec<Weighted> {
    let key = |one: &Summary| [one.frequency, one.recency, one.age].map(f64::to_bits);
    let mut sorted: Vec<Summary> = customers.iter().map(|(_, one, _)| *one).collect();
    sorted.sort_unstable_by_key(key);
    let groups = sorted.chunk_by(|a, b| a == b);
    groups.map(|group| (group[0], group.len() as f64)).collect()
}
