//! `recommend.products`: a recommender's rows under the caller's rules.

use std::sync::Arc;

use clientele_recommend::{History, Many, Scorer};
use datafusion::arrow::array::RecordBatch;
use futures::{StreamExt, stream};

use super::allowed::Allowed;
use super::kept::{Kept, Live};
use super::rows::{self, CUSTOMERS_AT_ONCE, Rows};
use super::rules::{self, Excluded};
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part, column};

/// Customers whose purchases are read anew at most; of more, what the model knows is told.
const LIVE_MAX: usize = 1024;

/// Reasons that are given of a row at most.
const EXPLAIN_MAX: i64 = 100;

/// What rows are made of.
struct Task {
    kept: Arc<Kept>,
    many: Many,
    explain: Option<usize>,
    excluded: Excluded,
    allowed: Allowed,
    part: Part,
}

/// The rows.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let (request, excluded) = rules::request(&call, &part, &kept).await?;
    let asked = call.query(&part, ("customers", 1..=1)).await?;
    let allowed = Allowed::of(&call.context, call.recommender()?, &kept).await?;
    let explain = call.count("explain", (1, EXPLAIN_MAX))?;
    let many = match asked {
        None => Many::new(&kept.model, request),
        Some(_) => Many::few(request),
    };
    let task = Task { kept, many, explain, excluded, allowed, part };
    let Some(batches) = asked else { return Ok(task.everybody()) };
    let Some(customers) = column(&batches, 0)? else { return Ok(stream::empty().boxed()) };
    let asked = rows::distinct(&task.kept, &customers)?;
    let live = match asked.len() <= LIVE_MAX {
        true => task.kept.live(&call.context, call.recommender()?, &customers).await?,
        false => None,
    };
    Ok(task.some(asked, live))
}

impl Task {
    fn everybody(self) -> Batches {
        let count = self.kept.model.histories.len();
        let starts = (self.part.number * CUSTOMERS_AT_ONCE..count)
            .step_by(self.part.count.max(1) * CUSTOMERS_AT_ONCE);
        let batches = starts.map(move |start| {
            let histories = &self.kept.model.histories;
            let places = start..(start + CUSTOMERS_AT_ONCE).min(count);
            self.batch(places.map(|place| (histories.customer(place), histories.history(place))))
        });
        stream::iter(batches).boxed()
    }

    /// Whoever is asked for gets something: who bought nothing gets what is popular.
    fn some(self, customers: Vec<i64>, live: Option<Live>) -> Batches {
        let count = customers.len();
        let batches = (0..count).step_by(CUSTOMERS_AT_ONCE).map(move |start| {
            let some = &customers[start..(start + CUSTOMERS_AT_ONCE).min(count)];
            let history = |customer: &i64| {
                let found = rows::history(&self.kept, live.as_ref(), *customer);
                (*customer, found.unwrap_or_default())
            };
            self.batch(some.iter().map(history))
        });
        stream::iter(batches).boxed()
    }

    fn batch<'a>(
        &'a self,
        customers: impl Iterator<Item = (i64, History<'a>)>,
    ) -> Result<RecordBatch> {
        let mut scorer = Scorer::of_many(&self.kept.model, &self.many);
        let mut rows = Rows::explained(self.explain);
        for (customer, history) in customers.filter(|one| self.allowed.has(one.0)) {
            let excluded = self.excluded.get(&customer).map_or(&[][..], Vec::as_slice);
            let scorer = (&mut scorer, self.many.request());
            rows.take(&self.kept, scorer, (customer, history, excluded));
        }
        rows.batch(&self.kept, &self.part.schema)
    }
}
