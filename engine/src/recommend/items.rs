//! `recommend.similar_items`, `recommend.neighbours`: what a model has learnt of items.

use std::sync::Arc;

use clientele_recommend::Histories;
use datafusion::arrow::array::{ArrayRef, Float32Array, Int32Array, UInt32Array};
use datafusion::arrow::compute::take;
use futures::{StreamExt, stream};

use super::kept::Kept;
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Keys, Part};

/// Items of a batch.
const ITEMS_AT_ONCE: usize = 256;
/// What is given when nothing is said.
const K: usize = 10;

/// The nearest items of one.
pub(super) async fn similar(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let k = call.count("k", (1, 10_000))?.unwrap_or(K);
    let code = code(&call, (&kept.items, &kept.model.histories), "item")?;
    let found = code.into_iter().flat_map(|code| kept.model.neighbours.of(code));
    let found: Vec<(u32, f32)> = found.take(k).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new((1..).take(found.len()).collect::<Int32Array>()),
        values(&kept, found.iter().map(|one| one.0))?,
        Arc::new(found.iter().map(|one| one.1).collect::<Float32Array>()),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}

/// The nearest items of all.
pub(super) async fn neighbours(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let items = kept.model.histories.items();
    let batches = (0..items).step_by(ITEMS_AT_ONCE).map(move |first| {
        let (mut own, mut ranks, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut weights = Vec::new();
        for code in first as u32..(first + ITEMS_AT_ONCE).min(items) as u32 {
            let found = kept.model.neighbours.of(code);
            for (rank, (other, weight)) in (1..).zip(found) {
                own.push(code);
                ranks.push(rank);
                others.push(other);
                weights.push(weight);
            }
        }
        let columns: Vec<ArrayRef> = vec![
            values(&kept, own.into_iter())?,
            Arc::new(Int32Array::from_iter_values(ranks)),
            values(&kept, others.into_iter())?,
            Arc::new(Float32Array::from(weights)),
        ];
        builtin::fitted(&part.schema, &columns)
    });
    Ok(stream::iter(batches).boxed())
}

/// The items of codes.
pub(super) fn values(kept: &Kept, codes: impl Iterator<Item = u32>) -> Result<ArrayRef> {
    let items: UInt32Array = codes.map(|code| kept.model.histories.item(code)).collect();
    Ok(take(&kept.item_values, &items, None)?)
}

/// The code of an item that is given; `None`: nobody bought it, or none is given.
pub(super) fn code(
    call: &Call,
    (items, histories): (&Keys, &Histories),
    name: &str,
) -> Result<Option<u32>> {
    let Some(value) = call.value(name) else { return Ok(None) };
    let found = items.find(&value.to_array()?)?.into_iter().next().flatten();
    Ok(found.and_then(|item| histories.code(item)))
}
