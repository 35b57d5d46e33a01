//! Purchases, read from the rows of a query.

use std::sync::Arc;

use clientele_recommend::{Gatherer, Purchase};
use clientele_udfs::functions::argument;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::definition::Roles;
use crate::error::{Error, Result};
use crate::functions::calls::Keys;
use crate::functions::calls::keys::{integers, is_integer};

/// Everybody's purchases.
pub(super) struct Gathered {
    pub(super) gatherers: Vec<(Gatherer, Vec<u32>)>,
    pub(super) items: Keys,
    pub(super) customers: Customers,
    /// What the lines take.
    pub(super) memory: MemoryReservation,
}

impl Gathered {
    /// Bytes that the lines take.
    pub(super) fn bytes(&self) -> usize {
        self.gatherers.iter().map(|(one, _)| one.bytes()).sum()
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> u64 {
        self.gatherers.iter().map(|(one, _)| one.lines()).sum()
    }
}

/// How customers stand in purchases.
#[derive(Debug)]
pub(super) enum Customers {
    /// As they are.
    Integers(DataType),
    /// By number.
    Numbered(Arc<Mutex<Keys>>),
}

impl Customers {
    fn new(data_type: &DataType) -> Result<Self> {
        match is_integer(data_type) {
            true => Ok(Self::Integers(data_type.clone())),
            false => Ok(Self::Numbered(Arc::new(Mutex::new(Keys::new(data_type)?)))),
        }
    }

    pub(super) fn again(&self) -> Self {
        match self {
            Self::Integers(data_type) => Self::Integers(data_type.clone()),
            Self::Numbered(keys) => Self::Numbered(Arc::clone(keys)),
        }
    }

    /// Whether they stand as they are.
    pub(super) fn are_integers(&self) -> bool {
        matches!(self, Self::Integers(_))
    }

    /// Customers as they stand in purchases; who is new gets a number.
    pub(super) fn number(&self, values: &ArrayRef) -> Result<Int64Array> {
        match self {
            Self::Integers(_) => integers(values),
            Self::Numbered(keys) => {
                let numbers = keys.lock().number(values)?.into_iter();
                Ok(numbers.map(|one| (one != u32::MAX).then_some(i64::from(one))).collect())
            }
        }
    }

    /// How customers that are asked for stand in purchases; `None`: they bought nothing.
    pub(super) fn find(&self, values: &ArrayRef) -> Result<Vec<Option<i64>>> {
        match self {
            Self::Integers(_) => Ok(integers(values)?.iter().collect()),
            Self::Numbered(keys) => {
                Ok(keys.lock().find(values)?.into_iter().map(|one| one.map(i64::from)).collect())
            }
        }
    }

    /// Customers as they are shown.
    pub(super) fn values(&self, customers: Int64Array) -> Result<ArrayRef> {
        match self {
            Self::Integers(data_type) => Ok(cast(&(Arc::new(customers) as ArrayRef), data_type)?),
            Self::Numbered(keys) => {
                let values = keys.lock().values()?;
                Ok(datafusion::arrow::compute::take(&values, &customers, None)?)
            }
        }
    }
}

/// Reads all rows of a plan, its partitions side by side; customers who are known keep their
/// numbers.
///
/// # Errors
/// What the plan refuses; 22003 for a quantity that is no number; 53200 for want of memory.
pub(super) async fn gather(
    plan: Arc<dyn ExecutionPlan>,
    roles: Roles,
    (task, known): (Arc<TaskContext>, Option<&Customers>),
) -> Result<Gathered> {
    let schema = plan.schema();
    let item_type = schema.field(roles.item).data_type().clone();
    let customers = match known {
        Some(known) => known.again(),
        None => Customers::new(schema.field(roles.customer).data_type())?,
    };
    let consumer = MemoryConsumer::new("recommender purchases");
    let memory = consumer.register(&task.runtime_env().memory_pool);
    let mut tasks = JoinSet::new();
    for partition in 0..plan.output_partitioning().partition_count() {
        let mut rows = plan.execute(partition, Arc::clone(&task))?;
        let mut reader = Reader {
            roles,
            gatherer: Gatherer::new(),
            items: Keys::new(&item_type)?,
            customers: customers.again(),
            memory: memory.new_empty(),
        };
        tasks.spawn(async move {
            while let Some(batch) = rows.next().await {
                reader.take(&batch?)?;
                tokio::task::consume_budget().await;
            }
            Ok::<_, Error>((partition, reader))
        });
    }
    let mut readers = Vec::new();
    while let Some(done) = tasks.join_next().await {
        readers.push(done.map_err(Error::internal)??);
    }
    readers.sort_unstable_by_key(|(partition, _)| *partition);
    let (mut gatherers, mut keys) = (Vec::new(), Vec::new());
    let held = memory;
    let mut bytes = 0;
    for (_, reader) in readers {
        bytes += reader.memory.size();
        gatherers.push(reader.gatherer);
        keys.push(reader.items);
    }
    held.try_resize(bytes)?;
    let (items, numbers) = Keys::merged(&keys.iter().collect::<Vec<_>>(), &item_type)?;
    let gatherers = gatherers.into_iter().zip(numbers).collect();
    Ok(Gathered { gatherers, items, customers, memory: held })
}

/// Reads one partition.
struct Reader {
    roles: Roles,
    gatherer: Gatherer,
    items: Keys,
    customers: Customers,
    memory: MemoryReservation,
}

impl Reader {
    fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let customers = self.customers.number(batch.column(self.roles.customer))?;
        let items = self.items.number(batch.column(self.roles.item))?;
        let (quantities, times) = (quantities(batch, self.roles)?, times(batch, self.roles)?);
        for (row, (customer, item)) in customers.values().iter().zip(items).enumerate() {
            // What nobody is known to have bought, or nothing is known of, says nothing.
            if item == u32::MAX || customers.is_null(row) {
                continue;
            }
            let quantity = quantities.as_ref().map_or(1.0, |all| all[row]);
            let time = times.as_ref().map_or(0, |all| all[row]);
            self.gatherer.push(Purchase { customer: *customer, item, quantity, time });
        }
        self.memory.try_resize(self.gatherer.bytes())?;
        Ok(())
    }
}

/// The lines of some customers, with items by number; new items are left out.
///
/// # Errors
/// As [`gather`].
pub(super) fn lines(
    batches: &[RecordBatch],
    roles: Roles,
    (items, customers): (&Keys, &Customers),
) -> Result<Vec<Purchase>> {
    let mut lines = Vec::new();
    for batch in batches {
        let of = customers.number(batch.column(roles.customer))?;
        let items = items.find(batch.column(roles.item))?;
        let quantities = quantities(batch, roles)?;
        let times = times(batch, roles)?;
        for (row, (customer, item)) in of.iter().zip(items).enumerate() {
            let (Some(customer), Some(item)) = (customer, item) else { continue };
            lines.push(Purchase {
                customer,
                item,
                quantity: quantities.as_ref().map_or(1.0, |all| all[row]),
                time: times.as_ref().map_or(0, |all| all[row]),
            });
        }
    }
    Ok(lines)
}

/// Pieces of each line; a line without a number is one piece.
fn quantities(batch: &RecordBatch, roles: Roles) -> Result<Option<Vec<f32>>> {
    let Some(place) = roles.quantity else { return Ok(None) };
    // Numbers of any scale are none to Arrow.
    let numbers = argument::cast(batch.column(place), &DataType::Float64)?;
    let numbers = numbers.as_primitive::<Float64Type>();
    // Under a NULL there may be anything.
    let wrong = numbers.iter().flatten().any(|one| !one.is_finite());
    if wrong {
        return Err(Error::new("22003", "quantity of a purchase is out of range")
            .with_detail("A quantity must be a number that is neither NaN nor infinite."));
    }
    let pieces = |one: f64| one.clamp(-1e30, 1e30) as f32;
    Ok(Some(match numbers.null_count() {
        0 => numbers.values().iter().copied().map(pieces).collect(),
        _ => numbers.iter().map(|one| one.map_or(1.0, pieces)).collect(),
    }))
}

/// Seconds since 1970; what was before, and what is not known, was long ago.
fn times(batch: &RecordBatch, roles: Roles) -> Result<Option<Vec<u32>>> {
    let Some(place) = roles.time else { return Ok(None) };
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let times = cast(batch.column(place), &micros)?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let second = |one: i64| (one.max(0) / 1_000_000).min(i64::from(u32::MAX)) as u32;
    Ok(Some(match times.null_count() {
        0 => times.values().iter().copied().map(second).collect(),
        _ => times.iter().map(|one| one.map_or(0, second)).collect(),
    }))
}
