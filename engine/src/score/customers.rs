//! `score.customers`: what the models say of each customer.

use std::sync::Arc;

use clientele_recommend::btyd::Summary;
use clientele_recommend::btyd::bg_nbd::BgNbd;
use clientele_recommend::btyd::gamma_gamma::{GammaGamma, Spent};
use clientele_recommend::btyd::pareto_nbd::ParetoNbd;
use datafusion::arrow::array::{ArrayRef, Float64Array, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::common::ScalarValue;
use futures::{StreamExt, stream};

use super::buyer::Buyer;
use super::models::weighted;
use super::purchases::{self, Purchases};
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::calls::{Batches, Call, Part};

/// Periods over which a value is summed at most.
const PERIODS_MAX: f64 = 10_000.0;

/// What is predicted of a customer.
pub(super) struct Row {
    pub(super) customer: u32,
    pub(super) summary: Summary,
    pub(super) monetary: f64,
    pub(super) p_alive: f64,
    pub(super) purchases: f64,
    pub(super) value: Option<f64>,
    pub(super) clv: Option<f64>,
}

/// A model of when customers buy.
enum Buying {
    Beta(BgNbd),
    Pareto(ParetoNbd),
}

/// Until when, and what later money is worth.
#[derive(Clone, Copy)]
struct Horizon {
    periods: f64,
    discount: f64,
}

/// The rows.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let (purchases, rows) = predicted(&call, &part).await?;
    let customers: UInt32Array = rows.iter().map(|row| row.customer).collect();
    let column = |of: fn(&Row) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Float64Array>())
    };
    let columns: Vec<ArrayRef> = vec![
        take(&purchases.keys.values()?, &customers, None)?,
        column(|row| Some(row.summary.frequency)),
        column(|row| Some(row.summary.recency)),
        column(|row| Some(row.summary.age)),
        column(|row| Some(row.monetary)),
        column(|row| Some(row.p_alive)),
        column(|row| Some(row.purchases)),
        column(|row| row.value),
        column(|row| row.clv),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}

/// What is predicted of every customer of the purchases of a call.
pub(super) async fn predicted(call: &Call, part: &Part) -> Result<(Purchases<Buyer>, Vec<Row>)> {
    let unit = purchases::unit(call)?;
    let horizon = horizon(call)?;
    let kind = call.text("model_name").unwrap_or("bg_nbd").to_owned();
    if !["bg_nbd", "mbg_nbd", "pareto_nbd"].contains(&kind.as_str()) {
        return Err(Error::new("22023", format!("there is no model \"{kind}\""))
            .with_hint("Valid values are bg_nbd, mbg_nbd, pareto_nbd."));
    }
    let purchases = Purchases::<Buyer>::read(call, part, unit).await?;
    let made = tokio::task::spawn_blocking(move || {
        let customers = purchases.summaries(unit);
        let rows = predictions(&customers, &kind, horizon)?;
        Ok::<_, Error>((purchases, rows))
    });
    made.await.map_err(Error::internal)?
}

fn horizon(call: &Call) -> Result<Horizon> {
    let number = |name: &str, default: f64| match call.value(name) {
        Some(ScalarValue::Float64(Some(number))) => *number,
        _ => default,
    };
    let (periods, discount) = (number("periods", 52.0), number("discount", 0.0));
    match (0.0..=PERIODS_MAX).contains(&periods) && discount > -1.0 {
        true => Ok(Horizon { periods, discount }),
        false => {
            Err(Error::new("22023", "periods must be between 0 and 10000, and discount above -1"))
        }
    }
}

fn predictions(
    customers: &[(u32, Summary, Spent)],
    kind: &str,
    horizon: Horizon,
) -> Result<Vec<Row>> {
    if customers.is_empty() {
        return Ok(Vec::new());
    }
    let weighted = weighted(customers);
    let model = match kind {
        "pareto_nbd" => Buying::Pareto(ParetoNbd::fit(&weighted)?.parameters),
        kind => Buying::Beta(BgNbd::fit(&weighted, kind == "mbg_nbd")?.parameters),
    };
    let spent: Vec<(Spent, f64)> = customers.iter().map(|(_, _, one)| (*one, 1.0)).collect();
    // Purchases without amounts say nothing of what they are worth.
    let worth = GammaGamma::fit(&spent).ok().map(|fit| fit.parameters);
    let row = |(customer, summary, spent): &(u32, Summary, Spent)| {
        let value = worth.and_then(|worth| worth.expected_value(spent));
        Row {
            customer: *customer,
            summary: *summary,
            monetary: spent.monetary,
            p_alive: model.p_alive(summary),
            purchases: model.expected(summary, horizon.periods),
            value,
            clv: value.map(|value| value * model.discounted(summary, horizon)),
        }
    };
    Ok(customers.iter().map(row).collect())
}

impl Buying {
    fn p_alive(&self, one: &Summary) -> f64 {
        match self {
            Self::Beta(model) => model.p_alive(one),
            Self::Pareto(model) => model.p_alive(one),
        }
    }

    fn expected(&self, one: &Summary, time: f64) -> f64 {
        match self {
            Self::Beta(model) => model.expected_purchases(one, time),
            Self::Pareto(model) => model.expected_purchases(one, time),
        }
    }

    /// Purchases of each period, as many as they are worth now.
    fn discounted(&self, one: &Summary, horizon: Horizon) -> f64 {
        if horizon.discount == 0.0 {
            return self.expected(one, horizon.periods);
        }
        let (mut sum, mut before, mut time) = (0.0, 0.0, 0.0);
        while time < horizon.periods {
            time = (time + 1.0_f64).min(horizon.periods);
            let purchases = self.expected(one, time);
            sum += (purchases - before) / (1.0 + horizon.discount).powf(time);
            before = purchases;
        }
        sum
    }
}
