//! `recommend.bought_together`: association rules of two items.

use std::sync::Arc;

use clientele_recommend::neighbours::Neighbours;
use clientele_recommend::together::{self, Rule};
use clientele_recommend::{Histories, Settings};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use futures::{StreamExt, stream};

use super::definition::Definition;
use super::items;
use super::kept::{Kept, stoppable};
use super::read::{self, Gathered};
use crate::api;
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part};

/// What is given of each item when nothing is said.
const K: usize = 10;

/// Two items, and customers who have both.
type Pair = (u32, u32, u32);

/// What is counted: purchases of a recommender, or of a query.
struct Counted {
    histories: Histories,
    settings: Settings,
    items: ArrayRef,
    /// The code of the item that is asked for; `None`: nobody bought it, or none is.
    code: Option<u32>,
}

impl Counted {
    async fn of(call: &Call, part: &Part) -> Result<Self> {
        match call.has_query("purchases") {
            true => Self::of_query(call, part).await,
            false => {
                let kept = Kept::of_call(call).await?;
                let histories = kept.model.histories.clone();
                let code = items::code(call, (&kept.items, &histories), "item")?;
                let (settings, items) =
                    (kept.definition.settings.clone(), Arc::clone(&kept.item_values));
                Ok(Self { histories, settings, items, code })
            }
        }
    }

    async fn of_query(call: &Call, part: &Part) -> Result<Self> {
        let plan = Arc::clone(call.input(part, ("purchases", 1..=usize::MAX))?);
        let schema = plan.schema();
        let columns = schema.fields().iter().map(|field| api::Column {
            name: field.name().clone(),
            pg_type: PgType::from_field(field),
            table: 0,
            number: 0,
        });
        let definition = Definition::read(&[], &columns.collect::<Vec<_>>())?;
        let gathered = read::gather(plan, definition.roles, (Arc::clone(&part.task), None)).await?;
        let Gathered { gatherers, items: keys, memory, .. } = gathered;
        let mut settings = definition.settings;
        settings.threads = call.context.engine.options.cpu_threads.max(1);
        let (values, count) = (keys.values()?, keys.len());
        let built = stoppable(move |stop| {
            settings.stop = stop;
            let histories = Histories::build(gatherers, count, &settings)?;
            drop(memory);
            Ok((histories, settings))
        });
        let (histories, settings) = built.await?;
        let code = items::code(call, (&keys, &histories), "item")?;
        Ok(Self { histories, settings, items: values, code })
    }

    fn values(&self, codes: impl Iterator<Item = u32>) -> Result<ArrayRef> {
        let items: UInt32Array = codes.map(|code| self.histories.item(code)).collect();
        Ok(take(&self.items, &items, None)?)
    }
}

/// The rows: of one item, or of every item.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let counted = Arc::new(Counted::of(&call, &part).await?);
    let k = call.count("k", (1, 1000))?.unwrap_or(K);
    let least = call.count("min_support", (1, i64::from(u32::MAX)))?.unwrap_or(1);
    let pairs = match (call.value("item"), counted.code) {
        (Some(_), Some(code)) => of_item(&counted.histories, code, (k, least)),
        (Some(_), None) => Vec::new(),
        (None, _) => of_all(&counted, (k, least)).await?,
    };
    let batch = batch(&counted, &pairs, &part);
    Ok(stream::iter([batch]).boxed())
}

fn of_item(histories: &Histories, code: u32, (k, least): (usize, usize)) -> Vec<Pair> {
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

async fn of_all(counted: &Arc<Counted>, (k, least): (usize, usize)) -> Result<Vec<Pair>> {
    let shared = Arc::clone(counted);
    let mut settings = counted.settings.clone();
    (settings.neighbours, settings.min_support) = (k, least as u64);
    let found = stoppable(move |stop| {
        settings.stop = stop;
        Ok(Neighbours::by_support(&shared.histories, &settings)?)
    });
    let found = found.await?;
    let of_code = |code: u32| {
        let pairs = found.of(code);
        pairs.map(|(other, count)| (code, other, count as u32)).collect::<Vec<_>>()
    };
    Ok((0..counted.histories.items() as u32).flat_map(of_code).collect())
}

fn batch(counted: &Counted, pairs: &[Pair], part: &Part) -> Result<RecordBatch> {
    let histories = &counted.histories;
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
        counted.values(pairs.iter().map(|pair| pair.0))?,
        counted.values(pairs.iter().map(|pair| pair.1))?,
        Arc::new(pairs.iter().map(|pair| i64::from(pair.2)).collect::<Int64Array>()),
        column(|rule| Some(rule.support)),
        column(|rule| Some(rule.confidence)),
        column(|rule| Some(rule.lift)),
        column(|rule| rule.conviction),
    ];
    builtin::fitted(&part.schema, &columns)
}
