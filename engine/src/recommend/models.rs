//! `recommend.card`, `recommend.trials`: what is to be known of a model.

use std::sync::Arc;

use clientele_recommend::choose::REBUY;
use datafusion::arrow::array::{ArrayRef, Float64Array, StringViewArray};
use futures::{StreamExt, stream};

use super::kept::Kept;
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part};

/// What `auto` tried, best first.
pub(super) async fn trials(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let trials = kept.trials.iter();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(trials.clone().map(|one| one.method.name()))),
        Arc::new(trials.clone().map(|one| one.recall).collect::<Float64Array>()),
        Arc::new(trials.map(|one| one.ndcg).collect::<Float64Array>()),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}

/// One row for each property.
pub(super) async fn card(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let (histories, settings) = (&kept.model.histories, &kept.definition.settings);
    let rows = [
        ("method", kept.model.method.name().to_owned()),
        ("customers", histories.len().to_string()),
        ("items", kept.model.popular.len().to_string()),
        ("lines", kept.lines.to_string()),
        ("pairs", histories.pairs().to_string()),
        ("neighbours", kept.model.neighbours.len().to_string()),
        ("neighbours_per_item", settings.neighbours.to_string()),
        ("min_support", settings.min_support.to_string()),
        ("cut", settings.cut.to_string()),
        ("rebuy", kept.definition.rebuy.unwrap_or(REBUY).to_string()),
        ("bytes", kept.model.bytes().to_string()),
        ("mode", if kept.how.incremental { "incremental" } else { "full" }.to_owned()),
        ("reason", kept.how.reason.clone()),
        ("made_at", kept.built_at.to_rfc3339()),
    ];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.1.as_str()))),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}
