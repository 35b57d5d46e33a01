//! `recommend.bought_together`: association rules of two items.

use std::sync::Arc;

use clientele_recommend::neighbours::Neighbours;
use clientele_recommend::together::{self, Rule};
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use futures::{StreamExt, stream};

use super::items;
use super::kept::{Kept, stoppable};
use crate::error::Result;
use crate::functions::calls::{self, Batches, Call, Part};

/// What is given of each item when nothing is said.
const K: usize = 10;

/// Two items, and customers who have both.
type Pair = (u32, u32, u32);

/// The rows: of one item, or of every item.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let k = call.count("k", (1, 1000))?.unwrap_or(K);
    let least = call.count("min_support", (1, i64::from(u32::MAX)))?.unwrap_or(1);
    let pairs = match call.value("item") {
        Some(_) => match items::code(&call, &kept, "item")? {
            Some(code) => of_item(&kept, code, (k, least)),
            None => Vec::new(),
        },
        None => of_all(&kept, (k, least)).await?,
    };
    let batch = batch(&kept, &pairs, &part);
    Ok(stream::iter([batch]).boxed())
}

fn of_item(kept: &Kept, code: u32, (k, least): (usize, usize)) -> Vec<Pair> {
    let histories = &kept.model.histories;
    let counts = together::common(histories, code);
    let others =
        (0..).zip(counts).filter(|(other, count)| *other != code && *count as usize >= least);
    let mut pairs: Vec<Pair> = others.map(|(other, count)| (code, other, count)).collect();
    pairs.sort_unstable_by_key(|(_, other, count)| {
        (std::cmp::Reverse(*count), histories.item(*other))
    });
    pairs.truncate(k);
    pairs
}

async fn of_all(kept: &Arc<Kept>, (k, least): (usize, usize)) -> Result<Vec<Pair>> {
    let shared = Arc::clone(kept);
    let mut settings = kept.definition.settings.clone();
    (settings.neighbours, settings.min_support) = (k, least as u64);
    let found = stoppable(move |stop| {
        settings.stop = stop;
        Ok(Neighbours::by_support(&shared.model.histories, &settings)?)
    });
    let found = found.await?;
    let of_code = |code: u32| {
        let pairs = found.of(code).iter();
        pairs.map(|(other, count)| (code, *other, *count as u32)).collect::<Vec<_>>()
    };
    Ok((0..kept.model.histories.items() as u32).flat_map(of_code).collect())
}

fn batch(kept: &Kept, pairs: &[Pair], part: &Part) -> Result<RecordBatch> {
    let histories = &kept.model.histories;
    let rules: Vec<Rule> = pairs
        .iter()
        .map(|(code, other, count)| {
            let buyers = (histories.buyers(*code), histories.buyers(*other));
            Rule::of(*count, buyers, histories.len())
        })
        .collect();
    let column = |of: fn(&Rule) -> Option<f64>| -> ArrayRef {
        Arc::new(rules.iter().map(of).collect::<Float64Array>())
    };
    let columns = vec![
        items::values(kept, pairs.iter().map(|pair| pair.0))?,
        items::values(kept, pairs.iter().map(|pair| pair.1))?,
        Arc::new(pairs.iter().map(|pair| i64::from(pair.2)).collect::<Int64Array>()),
        column(|rule| Some(rule.support)),
        column(|rule| Some(rule.confidence)),
        column(|rule| Some(rule.lift)),
        column(|rule| rule.conviction),
    ];
    calls::batch(&part.schema, columns)
}
