//! `recommend.lookalikes`: who buys like the members of a segment.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float32Array, Int32Array, Int64Array};
use futures::{StreamExt, stream};

use super::allowed::Allowed;
use super::kept::{Kept, stoppable};
use super::rows;
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part, column};

/// Customers that are given when nothing is said.
const K: usize = 100;

/// The rows.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let k = call.count("k", (1, 100_000_000))?.unwrap_or(K);
    let batches = call.query(&part, ("members", 1..=1)).await?.unwrap_or_default();
    let Some(members) = column(&batches, 0)? else { return Ok(stream::empty().boxed()) };
    let members = rows::distinct(&kept, &members)?;
    let allowed = Allowed::of(&call.context, call.recommender()?, &kept).await?;
    let shared = Arc::clone(&kept);
    let found = stoppable(move |_| {
        let histories = &shared.model.histories;
        let places: Vec<usize> = members.iter().filter_map(|one| histories.place(*one)).collect();
        let mut found =
            clientele_recommend::lookalikes::lookalikes(histories, &places, histories.len());
        found.retain(|(customer, _)| allowed.has(*customer));
        found.truncate(k);
        Ok(found)
    });
    let found = found.await?;
    let columns: Vec<ArrayRef> = vec![
        kept.customers.values(found.iter().map(|one| one.0).collect::<Int64Array>())?,
        Arc::new((1..).take(found.len()).collect::<Int32Array>()),
        Arc::new(found.iter().map(|one| one.1).collect::<Float32Array>()),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}
