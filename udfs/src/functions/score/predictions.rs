//! What a model says of a customer.

use clientele_recommend::btyd::Summary;
use clientele_recommend::btyd::gamma_gamma::{GammaGamma, Spent};

use super::models::{self, Buying};
use crate::functions::argument::Row;
use crate::functions::cache::Cache;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

/// Periods over which a value is summed at most.
const PERIODS_MAX: f64 = 10_000.0;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "score.p_alive(model jsonb, frequency float8, recency float8, age float8) -> float8",
            "The probability that a customer has not left.",
            |row| {
                let model = buying(row.text(0))?;
                Ok(model.p_alive(&summary(row, 1)?).into())
            },
        ),
        function(
            "score.expected_purchases(model jsonb, frequency float8, recency float8, age float8, periods float8) -> float8",
            "How many purchases a customer is expected to make within so many units of time.",
            |row| {
                let model = buying(row.text(0))?;
                Ok(model.expected_purchases(&summary(row, 1)?, row.float(4)).into())
            },
        ),
        function(
            "score.expected_value(model jsonb, frequency float8, monetary float8) -> float8",
            "What a purchase of a customer is expected to be worth.",
            |row| {
                Ok(value(row.text(0), row.float(1), row.float(2))?
                    .map_or(Value::Null, Value::Float))
            },
        ),
        function(
            "score.clv(model jsonb, value_model jsonb, frequency float8, recency float8, age float8, monetary float8, periods float8, discount float8 DEFAULT 0) -> float8",
            "What a customer's purchases of so many units of time are worth now, discounted for each unit.",
            clv,
        ),
    ]
}

fn clv(row: &Row<'_>) -> Result<Value> {
    let (model, one) = (buying(row.text(0))?, summary(row, 2)?);
    let Some(worth) = value(row.text(1), row.float(2), row.float(5))? else {
        return Ok(Value::Null);
    };
    let (periods, discount) = (row.float(6), row.float(7));
    if !(0.0..=PERIODS_MAX).contains(&periods) || discount.is_nan() || discount <= -1.0 {
        let text = "periods must be between 0 and 10000, and discount above -1";
        return Err(ValueError::invalid_parameter(text));
    }
    let (mut sum, mut before, mut time) = (0.0, 0.0, 0.0);
    while time < periods {
        time = (time + 1.0).min(periods);
        let purchases = model.expected_purchases(&one, time);
        sum += worth * (purchases - before) / (1.0 + discount).powf(time);
        before = purchases;
    }
    Ok(sum.into())
}

fn summary(row: &Row<'_>, first: usize) -> Result<Summary> {
    let (frequency, recency, age) = (row.float(first), row.float(first + 1), row.float(first + 2));
    match frequency >= 0.0 && recency >= 0.0 && age >= recency {
        true => Ok(Summary { frequency, recency, age }),
        false => Err(ValueError::invalid_parameter(
            "frequency and recency must not be negative, nor recency above age",
        )),
    }
}

/// A column has one model for millions of rows: it is read once.
fn buying(text: &str) -> Result<Buying> {
    thread_local!(static MODELS: Cache<Buying> = Cache::new());
    MODELS.with(|models| models.get(text, Buying::read).map(|model| *model))
}

fn value(text: &str, frequency: f64, monetary: f64) -> Result<Option<f64>> {
    thread_local!(static MODELS: Cache<GammaGamma> = Cache::new());
    let model = MODELS.with(|models| models.get(text, models::read_value).map(|model| *model))?;
    Ok(model.expected_value(&Spent { frequency, monetary }))
}
