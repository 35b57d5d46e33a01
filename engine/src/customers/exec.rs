//! The operator: scans of touchpoint tables in, rows of customers out.

use std::sync::Arc;

use clientele_catalog::customers::Touchpoints;
use clientele_catalog::storage::Placeholders;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_plan::ExecutionPlan;
use futures::{StreamExt, stream};

use super::attribute_rows::ValueRows;
use super::pins::Pin;
use super::profile_rows::ProfileRows;
use super::source::{Gathered, Source, Wanted};
use super::survivorship::Rules;
use super::table::Columns;
use super::tally::{Entry, PINNED};
use crate::error::Error;
use crate::functions::calls::{Batches, Make, Part, RowsExec};

/// What the operator computes.
#[derive(Debug)]
pub(super) struct Golden {
    pub(super) touchpoints: Arc<Touchpoints>,
    /// What the inputs are, in their order.
    pub(super) sources: Vec<Source>,
    pub(super) columns: Columns,
    pub(super) wanted: Wanted,
    pub(super) rules: Rules,
    pub(super) placeholders: Placeholders,
    pub(super) pins: Vec<Pin>,
    /// The customers that are asked for, in ascending order; `None`: all.
    pub(super) only: Option<Vec<i64>>,
}

/// The operator that tallies what its inputs say of each customer and chooses what survives.
pub(super) fn plan(
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    task: Arc<Golden>,
    schema: SchemaRef,
) -> Arc<dyn ExecutionPlan> {
    let mut label = format!("golden values, sources={}", inputs.len());
    if let Some(only) = &task.only {
        label.push_str(&format!(", customers={}", only.len()));
    }
    let make: Arc<Make> = Arc::new(move |part| Box::pin(Arc::clone(&task).run(part)));
    Arc::new(RowsExec::new(label, (schema, 1), inputs, make))
}

impl Golden {
    async fn run(self: Arc<Self>, part: Part) -> Result<Batches, Error> {
        let reservation = MemoryConsumer::new("Golden").register(part.task.memory_pool());
        let mut gathered = Gathered::new(&self.wanted, self.only.clone());
        // All begin at once: with few rows in each, waiting in turn is most of the time.
        let inputs = part.inputs.iter().map(|input| part.open(input));
        let inputs: Vec<SendableRecordBatchStream> = inputs.collect::<Result<_>>()?;
        for (mut rows, source) in inputs.into_iter().zip(&self.sources) {
            while let Some(batch) = rows.next().await {
                source.take(&batch?, &mut gathered)?;
                reservation.try_resize(gathered.bytes())?;
                tokio::task::consume_budget().await;
            }
        }
        self.pin(&mut gathered);
        // Sorting may hold what came last beside what was sorted before.
        reservation.try_resize(gathered.bytes())?;
        let size = part.task.session_config().batch_size();
        let batches = self.rows(gathered, (part.schema, size));
        let held = batches.inspect(move |_| {
            let _held = &reservation;
        });
        Ok(stream::iter(held.map(|batch| batch.map_err(Error::from))).boxed())
    }

    /// Adds what was pinned to what the sources say.
    fn pin(&self, gathered: &mut Gathered) {
        for pin in &self.pins {
            let asked = self.wanted.attribute(pin.attribute) && gathered.asks(pin.customer);
            let customer = u32::try_from(pin.customer).ok().filter(|_| asked);
            let Some(customer) = customer else { continue };
            let Some((tally, values)) = gathered.attributes.get_mut(pin.attribute) else {
                continue;
            };
            tally.add(Entry {
                customer,
                value: values.number(&pin.value),
                source: PINNED,
                count: 0,
                first: pin.changed_at,
                last: pin.changed_at,
            });
        }
    }

    /// The result, some rows at a time.
    fn rows(
        self: &Arc<Self>,
        gathered: Gathered,
        (schema, size): (SchemaRef, usize),
    ) -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send> {
        match &self.columns {
            Columns::Profile(_) => {
                Box::new(ProfileRows::new(Arc::clone(self), gathered, (schema, size)))
            }
            Columns::Values(_) => Box::new(ValueRows::new(Arc::clone(self), gathered, schema)),
        }
    }

    /// Whether a value of an attribute says nothing. Identifiers that stitch nothing still reach
    /// somebody.
    pub(super) fn says_nothing(&self, attribute: usize, value: &str) -> bool {
        let attribute = self.touchpoints.attributes.get(attribute).filter(|one| !one.identifies);
        attribute.is_some_and(|one| self.placeholders.contains(one.domain, value))
    }

    /// Name of a source; `None` for what was pinned.
    pub(super) fn source_name(&self, source: u16) -> Option<&str> {
        self.touchpoints.tables.get(usize::from(source)).map(|table| table.source.as_str())
    }
}
