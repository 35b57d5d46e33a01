//! Recommendations → rows.

use std::sync::Arc;

use clientele_recommend::choose;
use clientele_recommend::histories::OwnHistory;
use clientele_recommend::{Bought, History, Many, Reason, Request, Scorer, reasons};
use datafusion::arrow::array::{
    ArrayRef, AsArray, Float32Array, Int32Array, Int64Array, RecordBatch, StringViewArray,
    UInt32Array, make_view,
};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, SchemaRef};

use super::definition::{Definition, Rule};
use super::items;
use super::kept::{Kept, Live};
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::keys::is_integer;

/// Customers of a batch.
pub(super) const CUSTOMERS_AT_ONCE: usize = 1024;

/// What a definition asks for by itself.
pub(super) fn request(definition: &Definition, latest: u32) -> Request {
    Request {
        k: definition.k,
        bought: rule(definition.bought, latest),
        rebuy: definition.rebuy.unwrap_or(choose::REBUY),
        fallback: definition.fallback,
        ..Request::default()
    }
}

/// A rule about bought items, seen from the last purchase.
pub(super) fn rule(rule: Rule, latest: u32) -> Bought {
    match rule {
        Rule::Exclude => Bought::Exclude,
        Rule::Allow => Bought::Allow,
        Rule::Only => Bought::Only,
        Rule::After(seconds) => Bought::ExcludeSince((f64::from(latest) - seconds).max(0.0) as u32),
    }
}

/// Rows as they are made.
#[derive(Default)]
pub(super) struct Rows {
    customers: Vec<i64>,
    ranks: Vec<i32>,
    items: Vec<u32>,
    scores: Vec<f32>,
    /// As views of short strings, which hold them.
    sources: Vec<u128>,
    /// How many reasons are given of each row, and these.
    explain: Option<usize>,
    because: Vec<Vec<Reason>>,
}

impl Rows {
    /// With so many reasons for each row.
    pub(super) fn explained(explain: Option<usize>) -> Self {
        Self { explain, ..Self::default() }
    }

    /// Adds what a customer gets.
    pub(super) fn take(
        &mut self,
        kept: &Kept,
        (scorer, request): (&mut Scorer<'_>, &Request),
        (customer, history, excluded): (i64, History<'_>, &[u32]),
    ) {
        for (rank, one) in (1..).zip(scorer.recommend(history, excluded)) {
            self.customers.push(customer);
            self.ranks.push(rank);
            self.items.push(kept.model.histories.item(one.code));
            self.scores.push(one.score);
            self.sources.push(make_view(one.source.name().as_bytes(), 0, 0));
            if let Some(most) = self.explain {
                let mut found = reasons(&kept.model, request, history, one.code);
                found.truncate(most);
                self.because.push(found);
            }
        }
    }

    /// The rows in the columns of a relation: customer, rank, item, score, source.
    pub(super) fn batch(self, kept: &Kept, schema: &SchemaRef) -> Result<RecordBatch> {
        let customers = kept.customers.values(Int64Array::from(self.customers))?;
        let items = take(&kept.item_values, &UInt32Array::from(self.items), None)?;
        let mut columns: Vec<ArrayRef> = vec![
            customers,
            Arc::new(Int32Array::from(self.ranks)),
            items,
            Arc::new(Float32Array::from(self.scores)),
            Arc::new(StringViewArray::try_new(self.sources.into(), Vec::new(), None)?),
        ];
        if self.explain.is_some() {
            columns.push(because(kept, &self.because)?);
        }
        builtin::fitted(schema, &columns)
    }
}

/// Reasons as `jsonb`: arrays of what `recommend.why` has as rows.
fn because(kept: &Kept, rows: &[Vec<Reason>]) -> Result<ArrayRef> {
    let codes = rows.iter().flatten().map(|reason| reason.code);
    let items = items::values(kept, codes)?;
    let is_number = is_integer(items.data_type());
    let items = cast(&items, &DataType::Utf8View)?;
    let mut items = items.as_string_view().iter();
    let mut object = |reason: &Reason| {
        let item = items.next().flatten().unwrap_or_default();
        let item = match is_number {
            true => item.to_owned(),
            false => serde_json::Value::from(item).to_string(),
        };
        let (part, source) = (reason.part, reason.source.name());
        // Keys by length, as PostgreSQL has them.
        format!("{{\"part\": {part}, \"source\": \"{source}\", \"because\": {item}}}")
    };
    let arrays = rows.iter().map(|reasons| {
        let objects: Vec<String> = reasons.iter().map(&mut object).collect();
        format!("[{}]", objects.join(", "))
    });
    Ok(Arc::new(StringViewArray::from_iter_values(arrays)))
}

/// What a range of the kept customers gets.
pub(super) fn of_range(
    kept: &Kept,
    many: &Many,
    places: std::ops::Range<usize>,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let mut scorer = Scorer::of_many(&kept.model, many);
    let mut rows = Rows::default();
    for place in places {
        let histories = &kept.model.histories;
        let customer = histories.customer(place);
        let scorer = (&mut scorer, many.request());
        rows.take(kept, scorer, (customer, histories.history(place), &[]));
    }
    rows.batch(kept, schema)
}

/// What some customers get, who need not have bought anything. Who is not known to the model at all
/// and buys nothing gets nothing.
pub(super) fn of_customers(
    kept: &Kept,
    request: &Request,
    (customers, live): (&[i64], Option<&Live>),
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let mut scorer = Scorer::new(&kept.model, request);
    let mut rows = Rows::default();
    for customer in customers {
        if let Some(history) = history(kept, live, *customer) {
            rows.take(kept, (&mut scorer, request), (*customer, history, &[]));
        }
    }
    rows.batch(kept, schema)
}

/// The history of a customer: as it is now where it was read anew, else the kept one.
pub(super) fn history<'a>(
    kept: &'a Kept,
    live: Option<&'a Live>,
    customer: i64,
) -> Option<History<'a>> {
    match live {
        Some(live) => live.get(&customer).map(OwnHistory::as_history),
        None => {
            let place = kept.model.histories.place(customer)?;
            Some(kept.model.histories.history(place))
        }
    }
}

/// Customers of an array as they stand in purchases, each once.
pub(super) fn distinct(kept: &Kept, customers: &ArrayRef) -> Result<Vec<i64>> {
    let mut found: Vec<i64> = kept.customers.number(customers)?.iter().flatten().collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
