//! `recommend.basket`: the best items for a basket of somebody unknown.

use std::sync::Arc;

use clientele_recommend::Scorer;
use clientele_recommend::histories::OwnHistory;
use datafusion::arrow::array::{ArrayRef, Float32Array, Int32Array, StringViewArray, UInt32Array};
use datafusion::arrow::compute::take;
use futures::{StreamExt, stream};

use super::kept::Kept;
use super::rules;
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part};

/// The rows.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let (request, _) = rules::request(&call, &part, &kept).await?;
    let batches = call.query(&part, ("items", 1..=1)).await?.unwrap_or_default();
    let codes = rules::codes_of(&kept, &batches, 0)?.into_iter().flatten().collect();
    let histories = &kept.model.histories;
    let basket = OwnHistory::basket(codes, histories.latest());
    let mut scorer = Scorer::new(&kept.model, &request);
    let found = scorer.recommend(basket.as_history(), &[]);
    let items: Vec<u32> = found.iter().map(|one| histories.item(one.code)).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new((1..).take(found.len()).collect::<Int32Array>()),
        take(&kept.item_values, &UInt32Array::from(items), None)?,
        Arc::new(found.iter().map(|one| one.score).collect::<Float32Array>()),
        Arc::new(StringViewArray::from_iter_values(found.iter().map(|one| one.source.name()))),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}
