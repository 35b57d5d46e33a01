//! Models in memory: one for each recommender, made when it is first needed and kept until it is
//! refreshed, redefined or dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{Oid, Relation, RelationKind};
use clientele_catalog::features::oids;
use clientele_recommend::choose::{self, Trial};
use clientele_recommend::histories::OwnHistory;
use clientele_recommend::{Histories, Method, Model, Purchase};
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::{Column, ScalarValue};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use datafusion::physical_plan::collect;
use parking_lot::Mutex;

use super::definition::Definition;
use super::read::{self, Customers, Gathered};
use super::rows;
use super::seen::Seen;
use crate::error::{Error, Result};
use crate::functions::calls::{Call, Keys};
use crate::planning::context::QueryContext;
use crate::planning::{self, Planned};
use crate::session::physical;
use crate::sql;

/// A model that may be there; whoever makes it lets the others wait.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Kept>>>>;

/// The models of all databases.
#[derive(Default)]
pub(crate) struct Recommenders(Mutex<HashMap<(Oid, Oid), Slot>>);

impl Recommenders {
    fn slot(&self, context: &QueryContext, relation: Oid) -> Slot {
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
    pub(super) items: Keys,
    pub(super) item_values: ArrayRef,
    pub(super) customers: Customers,
    /// What `auto` tried.
    pub(super) trials: Vec<Trial>,
    pub(super) lines: u64,
    pub(super) built_at: DateTime<Utc>,
    query: String,
    options: Vec<(String, String)>,
    /// Tombstones when it was made: with another person gone, it is made anew without them.
    erased: u64,
    seen: Seen,
    _memory: MemoryReservation,
}

/// Histories that were read anew.
pub(super) type Live = HashMap<i64, OwnHistory>;

impl Kept {
    /// The model of a recommender.
    ///
    /// # Errors
    /// What its query refuses; 55000 before the first refresh.
    pub(super) async fn of(context: &Arc<QueryContext>, relation: &Relation) -> Result<Arc<Self>> {
        let query = query_of(relation)?;
        let slot = context.engine.recommenders.slot(context, relation.oid);
        let mut kept = slot.lock().await;
        let erased = erased(context);
        let is_same = |kept: &Arc<Self>| {
            let same = kept.query == query && kept.options == relation.options;
            same && kept.erased == erased
        };
        if let Some(kept) = kept.clone().filter(is_same) {
            return Ok(kept);
        }
        let made = Arc::new(Self::make(context, relation).await?);
        if is_shared(context) {
            *kept = Some(Arc::clone(&made));
        }
        Ok(made)
    }

    /// The model that a call is about.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) async fn of_call(call: &Call) -> Result<Arc<Self>> {
        Self::of(&call.context, call.recommender()?).await
    }

    /// Makes the model anew from what the statement sees.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) async fn refresh(
        context: &Arc<QueryContext>,
        relation: &Relation,
    ) -> Result<Arc<Self>> {
        let slot = context.engine.recommenders.slot(context, relation.oid);
        let made = Arc::new(Self::make(context, relation).await?);
        // What a transaction has not committed is not for others: they make their own.
        *slot.lock().await = is_shared(context).then(|| Arc::clone(&made));
        Ok(made)
    }

    async fn make(context: &Arc<QueryContext>, relation: &Relation) -> Result<Self> {
        let query = query_of(relation)?;
        let (definition, seen, gathered) = gathered(context, relation).await?;
        let threads = context.engine.options.cpu_threads.max(1);
        let made = stoppable(move |stop| fit(definition, gathered, (threads, stop))).await?;
        made.memory.try_resize(made.model.bytes())?;
        Ok(Self {
            item_values: made.items.values()?,
            definition: made.definition,
            model: made.model,
            items: made.items,
            customers: made.customers,
            trials: made.trials,
            lines: made.lines,
            built_at: Utc::now(),
            query: query.to_owned(),
            options: relation.options.clone(),
            erased: erased(context),
            seen,
            _memory: made.memory,
        })
    }

    /// The histories of some customers as they are now; `None`: the kept ones are good (see
    /// [`Seen::has_news`]).
    ///
    /// # Errors
    /// What the query refuses.
    pub(super) async fn live(
        &self,
        context: &Arc<QueryContext>,
        relation: &Relation,
        customers: &ArrayRef,
    ) -> Result<Option<Live>> {
        if !self.seen.has_news(context, customers).await? {
            return Ok(None);
        }
        let owner = context.as_role(relation.owner);
        let planned = plan(&owner, &self.query)?;
        let roles = self.definition.roles;
        let (qualifier, field) = planned.plan.schema().qualified_field(roles.customer);
        let column = Expr::Column(Column::from((qualifier, field)));
        let values = (0..customers.len()).map(|row| {
            let value = ScalarValue::try_from_array(customers, row)?.cast_to(field.data_type())?;
            Ok(lit(value))
        });
        let values = values.collect::<Result<Vec<_>>>()?;
        let plan = LogicalPlanBuilder::from(planned.plan.clone())
            .filter(column.in_list(values, false))?
            .build()?;
        let plan = physical(&owner, &plan).await?;
        let batches = collect(plan, owner.state.task_ctx()).await?;
        let lines = read::lines(&batches, roles, (&self.items, &self.customers))?;
        let mut by_customer = HashMap::<i64, Vec<Purchase>>::new();
        for line in lines {
            by_customer.entry(line.customer).or_default().push(line);
        }
        let histories = &self.model.histories;
        let settings = &self.definition.settings;
        let own = by_customer
            .into_iter()
            .map(|(customer, lines)| (customer, histories.entries_of(&lines, settings)));
        Ok(Some(own.collect()))
    }
}

/// Everybody's purchases, read with the rights of the recommender's owner.
///
/// # Errors
/// What the query refuses.
pub(super) async fn gather(context: &Arc<QueryContext>, relation: &Relation) -> Result<Gathered> {
    gathered(context, relation).await.map(|(_, _, gathered)| gathered)
}

async fn gathered(
    context: &Arc<QueryContext>,
    relation: &Relation,
) -> Result<(Definition, Seen, Gathered)> {
    let owner = context.as_role(relation.owner);
    let planned = plan(&owner, query_of(relation)?)?;
    let definition = Definition::read(&relation.options, &planned.columns)?;
    let column = planned.columns.get(definition.roles.customer);
    let origin = column.map(|column| (column.table, column.number));
    let seen = Seen::of(context, &planned.plan, origin);
    let plan = physical(&owner, &planned.plan).await?;
    let gathered = read::gather(plan, definition.roles, owner.state.task_ctx()).await?;
    Ok((definition, seen, gathered))
}

/// What was made on a thread of its own.
struct Made {
    definition: Definition,
    model: Model,
    items: Keys,
    customers: Customers,
    trials: Vec<Trial>,
    lines: u64,
    memory: MemoryReservation,
}

fn fit(
    mut definition: Definition,
    gathered: Gathered,
    (threads, stop): (usize, Arc<AtomicBool>),
) -> Result<Made> {
    let lines = gathered.lines();
    let Gathered { gatherers, items, customers, memory } = gathered;
    definition.settings.threads = threads;
    definition.settings.stop = stop;
    memory.try_grow(working_bytes(&definition, items.len()))?;
    let settings = &definition.settings;
    let (method, trials) = match definition.method {
        Some(method) => (method, Vec::new()),
        None => {
            let share = choose::share(lines);
            let (before, baskets) = Histories::split(&gatherers, items.len(), settings, share)?;
            let request = rows::request(&definition, before.latest());
            let trials = choose::trials(&before, &baskets, (settings, &request))?;
            (trials.first().map_or(Method::ShrunkCosine, |best| best.method), trials)
        }
    };
    let histories = Histories::build(gatherers, items.len(), settings)?;
    let mut model = Model::fit(histories, method, settings)?;
    // The flag belongs to who waits now.
    model.settings.stop = Arc::default();
    definition.settings.stop = Arc::default();
    Ok(Made { definition, model, items, customers, trials, lines, memory })
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

fn plan(context: &Arc<QueryContext>, query: &str) -> Result<Planned> {
    planning::plan_query(context, sql::parse::query(query)?, &[])
}

fn query_of(relation: &Relation) -> Result<&str> {
    match &relation.kind {
        RelationKind::MaterializedView { populated: false, .. } => Err(Error::new(
            "55000",
            format!("materialized view \"{}\" has not been populated", relation.name),
        )
        .with_hint("Use the REFRESH MATERIALIZED VIEW command.")),
        RelationKind::MaterializedView { query, .. } if relation.is_recommender() => Ok(query),
        _ => Err(Error::new("42809", format!("\"{}\" is not a recommender", relation.name))
            .with_hint("CREATE MATERIALIZED VIEW … USING recommender makes one.")),
    }
}
