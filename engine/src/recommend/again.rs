//! A model after a change: what came and went since it was made is read, and nothing else.

use std::sync::Arc;

use clientele_catalog::domains::Subject;
use clientele_catalog::storage::Snapshot;
use clientele_recommend::{Changes, Counts, Gathered as Lines, Model};
use datafusion::arrow::array::Int64Array;
use datafusion::execution::memory_pool::MemoryReservation;

use super::delta::Delta;
use super::kept::{How, Kept, Made, Slot, stoppable};
use super::linear;
use super::query::Query;
use super::read::Gathered;
use crate::error::Result;
use crate::functions::calls::Keys;

/// Of more changes than one in so many lines, everything is learnt anew: another method may be the
/// best now, and other items those that are bought most.
const CHANGES_SHARE: u64 = 10;
/// Customers whose purchases are read whole at most.
const CUSTOMERS_MAX: usize = 1024;

/// What is computed, or the reason why it must be made of everything.
pub(super) type Perhaps<T> = std::result::Result<T, String>;

/// The model of a recommender as a statement sees it, from the one that is kept, which is taken out
/// of its slot once all rows are read: nothing but who waits no longer can stop it then.
///
/// # Errors
/// What its query refuses.
pub(super) async fn again(query: &Query, kept: Arc<Kept>, slot: &Slot) -> Result<Perhaps<Made>> {
    let (gone, read) = match difference(query, &kept) {
        Ok((gone, delta)) => (gone, read(query, &kept, delta).await?),
        Err(reason) => return Ok(Err(reason)),
    };
    let read = match read {
        Ok(read) => read,
        Err(reason) => return Ok(Err(reason)),
    };
    drop(kept);
    let Some((kept, counts)) = slot.take().and_then(|kept| {
        let counts = kept.counts.lock().take()?;
        Some((kept, counts))
    }) else {
        return Ok(Err("the counts of pairs of items are not there".to_owned()));
    };
    let (definition, customers) = (kept.definition.clone(), kept.customers.again());
    let (trials, lines) = (kept.trials.clone(), kept.lines);
    let Read { changes, items, came, went, memory } = read;
    let (model, counts) = change(query, kept, (changes, counts)).await?;
    if gone.iter().any(|customer| model.histories.place(*customer).is_some()) {
        return Ok(Err("rows of somebody who is gone are there".to_owned()));
    }
    memory.try_resize(model.bytes() + counts.bytes())?;
    let how = How { incremental: true, reason: format!("{came} lines came, {went} went") };
    let (counts, lines) = (Some(counts), (lines + came).saturating_sub(went));
    let made = Made { definition, model, counts, items, customers, trials, lines, how, memory };
    Ok(Ok(made))
}

/// Customers who are nobody now, and the rows that came and went.
fn difference(query: &Query, kept: &Kept) -> Perhaps<(Vec<i64>, Delta)> {
    if let Some(reason) = unfit(query, kept) {
        return Err(reason);
    }
    let now = &query.context.snapshot;
    let tables = linear::check(&query.plan)?;
    Ok((gone(kept, now)?, kept.seen.delta(now, &tables)?))
}

/// Why nothing of what is kept can be taken over, whatever has changed.
fn unfit(query: &Query, kept: &Kept) -> Option<String> {
    let method = kept.model.method;
    if !method.is_counted() {
        return Some(format!("method {} weighs customers by all that they bought", method.name()));
    }
    if kept.counts.lock().is_none() {
        return Some("the counts of pairs of items were not kept".to_owned());
    }
    // The numbers of customers would keep their names.
    if kept.is_other(&query.context) && !kept.customers.are_integers() {
        return Some("somebody was erased".to_owned());
    }
    None
}

/// Customers who are nobody now. Whoever became somebody else has rows that did not change.
fn gone(kept: &Kept, now: &Snapshot) -> Perhaps<Vec<i64>> {
    let mut gone = Vec::new();
    for subject in Subject::ALL {
        let changes = now.customers.of(subject).changes_since(kept.seen.customers.of(subject));
        for (_, was, is) in changes {
            match (was, is) {
                (0, _) => {}
                (was, 0) => gone.push(i64::from(was)),
                _ => return Err("customers were merged or split".to_owned()),
            }
        }
    }
    Ok(gone)
}

/// What was read of changes.
struct Read {
    changes: Changes,
    /// Known and new ones.
    items: Keys,
    /// Lines that came, and lines that went.
    came: u64,
    went: u64,
    memory: MemoryReservation,
}

/// Lines that came, lines that went, and all lines of those of whom that does not tell enough.
async fn read(query: &Query, kept: &Kept, delta: Delta) -> Result<Perhaps<Read>> {
    let plus = lines(query, kept, delta.plus).await?;
    let minus = lines(query, kept, delta.minus).await?;
    let count = |all: &[Gathered]| all.iter().map(Gathered::lines).sum::<u64>();
    let (came, went) = (count(&plus), count(&minus));
    if (came + went) * CHANGES_SHARE > kept.lines {
        return Ok(Err("more than a tenth of the purchases has changed".to_owned()));
    }
    let (unsure, minus) = unsure(kept, minus)?;
    if unsure.len() > CUSTOMERS_MAX {
        return Ok(Err(format!("purchases of {} customers were changed", unsure.len())));
    }
    let whole = match unsure.is_empty() {
        true => Vec::new(),
        false => {
            let customers = kept.customers.values(Int64Array::from(unsure.clone()))?;
            let whole = query.over(query.context.snapshot.as_ref().clone())?;
            vec![whole.of_customers(&customers)?.gather(Some(&kept.customers)).await?]
        }
    };
    let memory = query.reservation();
    memory.try_resize([&plus, &minus, &whole].into_iter().flatten().map(Gathered::bytes).sum())?;
    let keys = [&plus, &minus, &whole].into_iter().flatten().map(|one| &one.items);
    let keys: Vec<&Keys> = std::iter::once(&kept.items).chain(keys).collect();
    let (items, to) = Keys::merged(&keys, kept.items.data_type())?;
    let mut to = to.into_iter();
    let items_now = to.next().unwrap_or_default();
    let [plus, minus, whole] = [plus, minus, whole].map(|all| renumbered(all, &mut to));
    let anew = unsure.into_iter().collect();
    let changes = Changes { plus, minus, anew, whole, items_now, items: items.len() };
    Ok(Ok(Read { changes, items, came, went, memory }))
}

async fn lines(query: &Query, kept: &Kept, snapshots: Vec<Snapshot>) -> Result<Vec<Gathered>> {
    let mut lines = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots {
        lines.push(query.over(snapshot)?.gather(Some(&kept.customers)).await?);
    }
    Ok(lines)
}

/// Customers of whom the lines that went do not tell what is left.
fn unsure(kept: &Kept, minus: Vec<Gathered>) -> Result<(Vec<i64>, Vec<Gathered>)> {
    if minus.is_empty() {
        return Ok((Vec::new(), minus));
    }
    let keys = std::iter::once(&kept.items).chain(minus.iter().map(|one| &one.items));
    let (items, to) = Keys::merged(&keys.collect::<Vec<_>>(), kept.items.data_type())?;
    let Some((now, to)) = to.split_first() else { return Ok((Vec::new(), minus)) };
    let settings = &kept.definition.settings;
    let histories = &kept.model.histories;
    let numbers = minus.iter().zip(to).flat_map(|(one, to)| {
        one.gatherers.iter().map(|(gatherer, of)| {
            (gatherer, of.iter().map(|number| to[*number as usize]).collect::<Vec<_>>())
        })
    });
    let numbers: Vec<_> = numbers.collect();
    let found = histories.unsure(&numbers, (now, items.len()), settings)?;
    drop(numbers);
    Ok((found, minus))
}

/// Lines with the numbers that their items have among all.
fn renumbered(all: Vec<Gathered>, to: &mut impl Iterator<Item = Vec<u32>>) -> Vec<Lines> {
    let mut lines = Vec::new();
    for (one, to) in all.into_iter().zip(to) {
        let numbers = |of: Vec<u32>| of.into_iter().map(|number| to[number as usize]).collect();
        lines.extend(one.gatherers.into_iter().map(|(gatherer, of)| (gatherer, numbers(of))));
    }
    lines
}

/// Takes changes in, on a thread of its own. What no other statement looks at is not copied.
async fn change(
    query: &Query,
    kept: Arc<Kept>,
    (changes, mut counts): (Changes, Counts),
) -> Result<(Model, Counts)> {
    let threads = query.context.engine.options.cpu_threads.max(1);
    stoppable(move |stop| {
        let mut settings = kept.definition.settings.clone();
        (settings.threads, settings.stop) = (threads, stop);
        let model = match Arc::try_unwrap(kept) {
            Ok(kept) => kept.model,
            Err(kept) => kept.model.clone(),
        };
        let mut model = model.changed(changes, &mut counts, &settings)?;
        model.settings.stop = Arc::default();
        Ok((model, counts))
    })
    .await
}
