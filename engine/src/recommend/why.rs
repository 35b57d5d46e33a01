//! `recommend.why`: what a score is made of.

use std::sync::Arc;

use clientele_recommend::{Reason, reasons};
use datafusion::arrow::array::{
    ArrayRef, Float32Array, StringViewArray, TimestampMicrosecondArray,
};
use futures::{StreamExt, stream};

use super::allowed::Allowed;
use super::kept::Kept;
use super::{items, rows};
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part};

/// One row for each purchase that adds to the score.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let histories = &kept.model.histories;
    let request = rows::request(&kept.definition, histories.latest());
    let (mut found, mut times): (Vec<Reason>, Vec<Option<i64>>) = (Vec::new(), Vec::new());
    if let (Some(customer), Some(code)) =
        (call.value("customer"), items::code(&call, (&kept.items, histories), "item")?)
    {
        let customers = customer.to_array()?;
        let live = kept.live(&call.context, call.recommender()?, &customers).await?;
        let allowed = Allowed::of(&call.context, call.recommender()?, &kept).await?;
        let mut asked = rows::distinct(&kept, &customers)?;
        asked.retain(|customer| allowed.has(*customer));
        let history = asked.first().and_then(|one| rows::history(&kept, live.as_ref(), *one));
        let history = history.unwrap_or_default();
        found = reasons(&kept.model, &request, history, code);
        times = found
            .iter()
            .map(|reason| {
                let place = history.codes.binary_search(&reason.code).ok()?;
                kept.definition.roles.time?;
                Some(i64::from(history.times[place]) * 1_000_000)
            })
            .collect();
    }
    let columns: Vec<ArrayRef> = vec![
        items::values(&kept, found.iter().map(|reason| reason.code))?,
        Arc::new(found.iter().map(|reason| reason.part).collect::<Float32Array>()),
        Arc::new(StringViewArray::from_iter_values(found.iter().map(|one| one.source.name()))),
        Arc::new(times.into_iter().collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}
