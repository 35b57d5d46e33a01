//! Models in memory: one for each recommender, made when it is first needed and kept until it is
//! refreshed, redefined or dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::features::oids;
use clientele_recommend::choose::{self, Trial};
use clientele_recommend::histories::OwnHistory;
use clientele_recommend::{Counts, Hidden, Histories, Method, Model, Purchase};
use datafusion::arrow::array::ArrayRef;
use datafusion::execution::memory_pool::MemoryReservation;
use parking_lot::Mutex;

use super::again::again;
use super::definition::Definition;
use super::news::Since;
use super::query::{Query, text_of};
use super::read::{self, Customers, Gathered};
use super::rows;
use super::seen::Seen;
use crate::error::{Error, Result};
use crate::functions::calls::{Call, Keys};
use crate::planning::context::QueryContext;

/// Most bytes of the counts of pairs of items: of 32 thousand items.
const COUNTS_BYTES_MAX: usize = 1 << 30;
/// Bytes of counts that are kept for each line: of few lines everything is soon learnt anew.
const COUNTS_BYTES_OF_LINE: usize = 8;
/// What is kept however few lines there are.
const COUNTS_BYTES_LEAST: usize = 64 << 20;

/// A model that may be there. Who asks has the one that is there while another is made; who needs
/// that one waits for whoever makes it.
#[derive(Default)]
pub(super) struct Slot {
    kept: Mutex<Option<Arc<Kept>>>,
    making: tokio::sync::Mutex<()>,
}

impl Slot {
    /// What is there.
    pub(super) fn get(&self) -> Option<Arc<Kept>> {
        self.kept.lock().clone()
    }

    /// The same, which is there no more.
    pub(super) fn take(&self) -> Option<Arc<Kept>> {
        self.kept.lock().take()
    }

    fn put(&self, made: Option<&Arc<Kept>>) {
        *self.kept.lock() = made.map(Arc::clone);
    }
}

/// The models of all databases.
#[derive(Default)]
pub(crate) struct Recommenders(Mutex<HashMap<(Oid, Oid), Arc<Slot>>>);

impl Recommenders {
    fn slot(&self, context: &QueryContext, relation: Oid) -> Arc<Slot> {
        let database = context.database.oid;
        let mut slots = self.0.lock();
        // What was dropped needs no model.
        let exists = |oid: Oid| context.catalog().relation_by_oid(oid).is_some();
        slots.retain(|(one, oid), _| *one != database || *oid == relation || exists(*oid));
        Arc::clone(slots.entry((database, relation)).or_default())
    }

    /// Forgets the models of a database that is dropped.
    pub(crate) fn forget(&self, database: Oid) {
        self.0.lock().retain(|(one, _), _| *one != database);
    }
}

/// A model with what its numbers stand for.
pub(super) struct Kept {
    pub(super) definition: Definition,
    pub(super) model: Model,
    /// What the next change is added to; whoever does that takes them.
    pub(super) counts: Mutex<Option<Counts>>,
    pub(super) items: Keys,
    pub(super) item_values: ArrayRef,
    pub(super) customers: Customers,
    /// What `auto` tried.
    pub(super) trials: Vec<Trial>,
    pub(super) lines: u64,
    pub(super) built_at: DateTime<Utc>,
    pub(super) how: How,
    text: String,
    options: Vec<(String, String)>,
    /// Tombstones when it was made: with another person gone, it is made without them.
    erased: u64,
    pub(super) seen: Seen,
    _memory: MemoryReservation,
}

/// How a model was made, and why so.
#[derive(Debug, Clone)]
pub(crate) struct How {
    /// Only what had changed was read.
    pub(crate) incremental: bool,
    /// Why.
    pub(crate) reason: String,
}

/// Histories that were read anew.
pub(super) type Live = HashMap<i64, OwnHistory>;

impl Kept {
    /// The model of a recommender.
    ///
    /// # Errors
    /// What its query refuses; 55000 before the first refresh.
    pub(super) async fn of(context: &Arc<QueryContext>, relation: &Relation) -> Result<Arc<Self>> {
        let text = text_of(relation)?;
        let slot = context.engine.recommenders.slot(context, relation.oid);
        let good = || {
            slot.get().filter(|kept| {
                kept.text == text && kept.options == relation.options && !kept.is_other(context)
            })
        };
        if let Some(kept) = good() {
            return Ok(kept);
        }
        let _making = slot.making.lock().await;
        match good() {
            Some(kept) => Ok(kept),
            None => Self::make_in(context, relation, &slot).await,
        }
    }

    /// The model that a call is about.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) async fn of_call(call: &Call) -> Result<Arc<Self>> {
        Self::of(&call.context, call.recommender()?).await
    }

    /// The model as the statement sees purchases: of what has changed, or of everything.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) async fn refresh(
        context: &Arc<QueryContext>,
        relation: &Relation,
    ) -> Result<Arc<Self>> {
        let slot = context.engine.recommenders.slot(context, relation.oid);
        let _making = slot.making.lock().await;
        let made = Self::make_in(context, relation, &slot).await?;
        if !is_shared(context) {
            // The others make their own when this is committed.
            slot.put(None);
        }
        Ok(made)
    }

    /// Makes a model and puts it in a slot, unless it is of what a transaction has not committed: that
    /// is not for others. What was there stays until it is made, or taken to make it.
    async fn make_in(
        context: &Arc<QueryContext>,
        relation: &Relation,
        slot: &Slot,
    ) -> Result<Arc<Self>> {
        let query = Query::of(context, relation)?;
        let shared = is_shared(context);
        let made = match slot.get() {
            None => Err("there was none".to_owned()),
            Some(_) if !shared => Err("the transaction has written".to_owned()),
            Some(kept) if kept.text != query.text || kept.options != query.options => {
                Err("its definition has changed".to_owned())
            }
            Some(kept) => again(&query, kept, slot).await?,
        };
        let made = match made {
            Ok(made) => made,
            Err(reason) => whole(&query, reason).await?,
        };
        let made = Arc::new(Self::new(query, made)?);
        if shared {
            slot.put(Some(&made));
        }
        Ok(made)
    }

    fn new(query: Query, made: Made) -> Result<Self> {
        Ok(Self {
            item_values: made.items.values()?,
            definition: made.definition,
            model: made.model,
            counts: Mutex::new(made.counts),
            items: made.items,
            customers: made.customers,
            trials: made.trials,
            lines: made.lines,
            built_at: Utc::now(),
            how: made.how,
            seen: query.seen(),
            erased: erased(&query.context),
            text: query.text,
            options: query.options,
            _memory: made.memory,
        })
    }

    /// Whether somebody was erased since.
    pub(super) fn is_other(&self, context: &QueryContext) -> bool {
        self.erased != erased(context)
    }

    /// The histories of some customers as they are now; `None`: the kept ones are good.
    ///
    /// # Errors
    /// What the query refuses.
    pub(super) async fn live(
        &self,
        context: &Arc<QueryContext>,
        relation: &Relation,
        customers: &ArrayRef,
    ) -> Result<Option<Live>> {
        let (histories, settings) = (&self.model.histories, &self.definition.settings);
        let asked = rows::distinct(self, customers)?;
        let keys = (&self.items, &self.customers);
        let came = match self.seen.since(context, &asked, keys).await? {
            Since::Nothing => return Ok(None),
            Since::Lines(came) => came,
            Since::Anything => return self.anew(context, relation, customers).await.map(Some),
        };
        let own = asked.into_iter().filter_map(|customer| {
            let came = came.get(&customer).map_or(&[][..], Vec::as_slice);
            Some((customer, histories.own_with(customer, came, settings)?))
        });
        Ok(Some(own.collect()))
    }

    /// The histories of some customers, of whom all is read.
    async fn anew(
        &self,
        context: &Arc<QueryContext>,
        relation: &Relation,
        customers: &ArrayRef,
    ) -> Result<Live> {
        let batches = Query::of(context, relation)?.of_customers(customers)?.rows().await?;
        let roles = self.definition.roles;
        let lines = read::lines(&batches, roles, (&self.items, &self.customers))?;
        let mut by_customer = HashMap::<i64, Vec<Purchase>>::new();
        for line in lines {
            by_customer.entry(line.customer).or_default().push(line);
        }
        let (histories, settings) = (&self.model.histories, &self.definition.settings);
        let own = by_customer
            .into_iter()
            .map(|(customer, lines)| (customer, histories.own(&lines, settings)));
        Ok(own.collect())
    }
}

/// Everybody's purchases, read with the rights of the recommender's owner.
///
/// # Errors
/// What the query refuses.
pub(super) async fn gather(context: &Arc<QueryContext>, relation: &Relation) -> Result<Gathered> {
    Query::of(context, relation)?.gather(None).await
}

/// A model of everything.
async fn whole(query: &Query, reason: String) -> Result<Made> {
    let gathered = query.gather(None).await?;
    let threads = query.context.engine.options.cpu_threads.max(1);
    let definition = query.definition.clone();
    let how = How { incremental: false, reason };
    stoppable(move |stop| fit((definition, how), gathered, (threads, stop))).await
}

/// What a model is made of, once it is made.
pub(super) struct Made {
    pub(super) definition: Definition,
    pub(super) model: Model,
    pub(super) counts: Option<Counts>,
    pub(super) items: Keys,
    pub(super) customers: Customers,
    pub(super) trials: Vec<Trial>,
    pub(super) lines: u64,
    pub(super) how: How,
    pub(super) memory: MemoryReservation,
}

fn fit(
    (mut definition, how): (Definition, How),
    gathered: Gathered,
    (threads, stop): (usize, Arc<AtomicBool>),
) -> Result<Made> {
    let lines = gathered.lines();
    let Gathered { gatherers, items, customers, memory } = gathered;
    definition.settings.threads = threads;
    definition.settings.stop = stop;
    memory.try_grow(working_bytes(&definition, items.len()))?;
    let (method, trials) = match definition.method {
        Some(method) => (method, Vec::new()),
        None => {
            let (share, settings) = (choose::share(lines), &definition.settings);
            let hidden = (share, Hidden::LastBasket);
            let (before, baskets) = Histories::split(&gatherers, items.len(), settings, hidden)?;
            let request = rows::request(&definition, before.latest());
            let given = definition.rebuy.as_ref().map(std::slice::from_ref);
            let shares = given.unwrap_or(choose::SHARES);
            let trials = choose::trials(&before, &baskets, (settings, &request), shares)?;
            let best = trials.first().map(|best| (best.method, best.rebuy));
            let (method, rebuy) = best.unwrap_or((Method::ShrunkCosine, choose::REBUY));
            definition.rebuy = Some(rebuy);
            (method, trials)
        }
    };
    let counts_bytes = Counts::bytes_of(items.len());
    let most = (lines as usize * COUNTS_BYTES_OF_LINE).max(COUNTS_BYTES_LEAST);
    // Without them everything is learnt anew each time.
    if counts_bytes <= most.min(COUNTS_BYTES_MAX) && memory.try_grow(counts_bytes).is_ok() {
        definition.settings.counts_bytes = counts_bytes;
    }
    let settings = &definition.settings;
    let histories = Histories::build(gatherers, items.len(), settings)?;
    let (mut model, counts) = Model::fit(histories, method, settings)?;
    // The flag belongs to who waits now.
    model.settings.stop = Arc::default();
    definition.settings.stop = Arc::default();
    memory.try_resize(model.bytes() + counts.as_ref().map_or(0, Counts::bytes))?;
    Ok(Made { definition, model, counts, items, customers, trials, lines, how, memory })
}

/// What fitting takes beside purchases and histories: lists of neighbours for each thread, and the
/// matrices of EASE.
fn working_bytes(definition: &Definition, items: usize) -> usize {
    /// Weight, item and code.
    const NEIGHBOUR_BYTES: usize = 12;
    /// The counts, their factor and its inverse.
    const MATRICES: usize = 3;
    let settings = &definition.settings;
    let lists = items * settings.neighbours * NEIGHBOUR_BYTES * settings.threads;
    let head = items.min(settings.head);
    match definition.method {
        None | Some(Method::Ease) => lists + head * head * size_of::<f32>() * MATRICES,
        Some(method) if method.has_neighbours() => lists,
        Some(_) => 0,
    }
}

/// Runs work on a thread of its own and tells it when nobody waits any longer.
pub(super) async fn stoppable<T: Send + 'static>(
    work: impl FnOnce(Arc<AtomicBool>) -> Result<T> + Send + 'static,
) -> Result<T> {
    struct Stop(Arc<AtomicBool>);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = Arc::<AtomicBool>::default();
    let guard = Stop(Arc::clone(&stop));
    let done = tokio::task::spawn_blocking(move || work(stop)).await;
    drop(guard);
    done.map_err(Error::internal)?
}

/// How many tombstones there are of people who were erased.
fn erased(context: &QueryContext) -> u64 {
    context.snapshot.row_count(oids::TOMBSTONES)
}

/// Whether what the statement sees is what all see.
fn is_shared(context: &QueryContext) -> bool {
    let as_of = context.settings.raw("clientele.as_of").parse::<i64>().is_ok();
    // A purpose leaves out customers whom it does not cover.
    context.snapshot.is_committed() && !as_of && context.purpose().is_none()
}
