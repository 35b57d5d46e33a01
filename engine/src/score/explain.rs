//! `score.explain`: what the lifetime value of one customer is made of.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, StringViewArray};
use futures::{StreamExt, stream};

use super::customers::{self, Row};
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::calls::{Batches, Call, Part};

/// One row for each number, in the order in which they follow from one another.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let (purchases, rows) = customers::predicted(&call, &part).await?;
    let Some(customer) = call.value("customer") else {
        return Err(Error::new("22004", "score.explain needs a customer"));
    };
    let number = purchases.keys.find(&customer.to_array()?)?.into_iter().next().flatten();
    let row = rows.iter().find(|row| Some(row.customer) == number);
    let factors = row.map(factors).unwrap_or_default();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(factors.iter().map(|factor| factor.0))),
        Arc::new(factors.iter().map(|factor| factor.1).collect::<Float64Array>()),
        Arc::new(StringViewArray::from_iter_values(factors.iter().map(|factor| factor.2))),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}

/// Name, value, what it means.
fn factors(row: &Row) -> Vec<(&'static str, Option<f64>, &'static str)> {
    let summary = &row.summary;
    let gap = (summary.frequency > 0.0).then(|| summary.recency / summary.frequency);
    vec![
        ("frequency", Some(summary.frequency), "purchases after the first"),
        ("recency", Some(summary.recency), "units from the first purchase to the last"),
        ("age", Some(summary.age), "units from the first purchase until as_of"),
        ("gap", gap, "units between purchases: recency / frequency"),
        (
            "silence",
            Some(summary.age - summary.recency),
            "units since the last purchase: age - recency",
        ),
        (
            "p_alive",
            Some(row.p_alive),
            "probability that the customer has not left, from frequency, recency, age",
        ),
        (
            "expected_purchases",
            Some(row.purchases),
            "within the periods asked for, p_alive included",
        ),
        ("monetary", Some(row.monetary), "mean of the purchases after the first"),
        ("expected_value", row.value, "of a purchase: monetary, drawn to what all customers spend"),
        ("clv", row.clv, "expected_purchases times expected_value, later ones discounted"),
    ]
}
