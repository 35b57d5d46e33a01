//! Rows that are computed once and read several times: in memory, and on disk beyond the limit.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::internal_err;
use datafusion::common::stats::Precision;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::spill_file::SpillFile;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::memory::retained_bytes;
use crate::planning::sizes;

/// Batches that go to disk together.
const SPILLED_TOGETHER: usize = 64;

/// A plan's rows, partition by partition, for a known number of readers.
pub(super) struct Materialized {
    plan: Arc<dyn ExecutionPlan>,
    size: Precision<usize>,
    readers: usize,
    partitions: Mutex<Vec<Option<Arc<Partition>>>>,
}

/// The rows of one partition.
struct Partition {
    pieces: Arc<Mutex<Vec<Piece>>>,
    /// How many pieces there are, and whether these are all.
    progress: watch::Receiver<Progress>,
    spill: Arc<SpillManager>,
    /// Ends with the last reader.
    _task: AbortOnDropHandle<()>,
}

#[derive(Debug, Clone, Default)]
struct Progress {
    pieces: usize,
    ended: bool,
    failed: Option<Arc<DataFusionError>>,
}

/// Some rows.
struct Piece {
    rows: Option<Rows>,
    /// Readers that have not had it yet.
    readers: usize,
    /// What it takes; freed with it.
    _held: Option<MemoryReservation>,
}

#[derive(Clone)]
enum Rows {
    Memory(RecordBatch),
    Disk(Arc<dyn SpillFile>),
}

impl std::fmt::Debug for Materialized {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Materialized").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Materialized {
    pub(super) fn new(plan: Arc<dyn ExecutionPlan>, readers: usize) -> Self {
        Self { size: sizes::rows(&plan), plan, readers, partitions: Mutex::default() }
    }

    /// About how many rows there are.
    pub(super) fn size(&self) -> Precision<usize> {
        self.size
    }

    pub(super) fn plan(&self) -> &Arc<dyn ExecutionPlan> {
        &self.plan
    }

    /// The rows of a partition, for one of the readers. The first one who asks starts the plan.
    ///
    /// # Errors
    /// What the plan says when it starts.
    pub(super) fn read(
        &self,
        partition: usize,
        reader: usize,
        context: &Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        // Who reads alone has nobody to keep rows for.
        if self.readers == 1 {
            return self.plan.execute(partition, Arc::clone(context));
        }
        if reader >= self.readers {
            return internal_err!("a shared part has no reader {reader}");
        }
        let schema = self.plan.schema();
        let mut partitions = self.partitions.lock();
        if partitions.len() <= partition {
            partitions.resize(partition + 1, None);
        }
        let rows = match &partitions[partition] {
            Some(rows) => Arc::clone(rows),
            None => {
                let input = self.plan.execute(partition, Arc::clone(context))?;
                let rows = Arc::new(Partition::start(input, self.readers, context));
                partitions[partition] = Some(Arc::clone(&rows));
                rows
            }
        };
        let read = stream::unfold((rows, 0), |(rows, at)| async move {
            let batches = rows.piece(at).await?;
            Some((batches, (rows, at + 1)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, read.try_flatten())))
    }
}

impl Partition {
    fn start(input: SendableRecordBatchStream, readers: usize, context: &Arc<TaskContext>) -> Self {
        let (sender, progress) = watch::channel(Progress::default());
        let pieces: Arc<Mutex<Vec<Piece>>> = Arc::default();
        let spill = Arc::new(spill_manager(context, input.schema()));
        let consumer = MemoryConsumer::new("SharedExec");
        let keeper = Keeper {
            pieces: Arc::clone(&pieces),
            spill: Arc::clone(&spill),
            readers,
            memory: consumer.register(&context.runtime_env().memory_pool),
            to_spill: Vec::new(),
            progress: sender,
        };
        let task = AbortOnDropHandle::new(tokio::spawn(keeper.run(input)));
        Self { pieces, progress, spill, _task: task }
    }

    /// The rows of a piece; `None` when there are no more.
    async fn piece(&self, at: usize) -> Option<Result<SendableRecordBatchStream>> {
        let mut progress = self.progress.clone();
        let seen = progress.wait_for(|seen| seen.pieces > at || seen.ended).await;
        let seen = match seen {
            Ok(seen) => seen.clone(),
            Err(_) => return Some(internal_err!("a shared part ended without a word")),
        };
        if seen.pieces <= at {
            return seen.failed.map(|error| Err(DataFusionError::Shared(error)));
        }
        match self.taken(at) {
            Some(Rows::Memory(batch)) => {
                let (schema, one) = (batch.schema(), stream::iter([Ok(batch)]));
                Some(Ok(Box::pin(RecordBatchStreamAdapter::new(schema, one))))
            }
            Some(Rows::Disk(file)) => Some(self.spill.read_spill_as_stream(file, None)),
            None => Some(internal_err!("a piece of a shared part was read too often")),
        }
    }

    /// Takes a piece; with its last reader it is gone.
    fn taken(&self, at: usize) -> Option<Rows> {
        let mut pieces = self.pieces.lock();
        let piece = pieces.get_mut(at)?;
        piece.readers = piece.readers.saturating_sub(1);
        match piece.readers {
            0 => {
                piece._held = None;
                piece.rows.take()
            }
            _ => piece.rows.clone(),
        }
    }
}

fn spill_manager(context: &TaskContext, schema: SchemaRef) -> SpillManager {
    let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
    SpillManager::new(context.runtime_env(), metrics, schema)
}

/// Keeps what the plan gives.
struct Keeper {
    pieces: Arc<Mutex<Vec<Piece>>>,
    spill: Arc<SpillManager>,
    readers: usize,
    memory: MemoryReservation,
    to_spill: Vec<RecordBatch>,
    progress: watch::Sender<Progress>,
}

impl Keeper {
    async fn run(mut self, mut input: SendableRecordBatchStream) {
        let mut failed = None;
        while let Some(batch) = input.next().await {
            let kept = batch.and_then(|batch| self.keep(batch));
            if let Err(error) = kept {
                failed = Some(error);
                break;
            }
        }
        let flushed = self.write();
        let failed = failed.or(flushed.err()).map(Arc::new);
        self.progress.send_modify(|progress| (progress.ended, progress.failed) = (true, failed));
    }

    fn keep(&mut self, batch: RecordBatch) -> Result<()> {
        let held = self.memory.new_empty();
        if self.to_spill.is_empty() && held.try_grow(retained_bytes(&batch)).is_ok() {
            self.add(Rows::Memory(batch), Some(held));
            return Ok(());
        }
        self.to_spill.push(batch);
        if self.to_spill.len() >= SPILLED_TOGETHER { self.write() } else { Ok(()) }
    }

    /// Writes what memory had no room for.
    fn write(&mut self) -> Result<()> {
        let batches = std::mem::take(&mut self.to_spill);
        if let Some(file) = self.spill.spill_record_batch_and_finish(&batches, "shared part")? {
            self.add(Rows::Disk(file), None);
        }
        Ok(())
    }

    fn add(&self, rows: Rows, held: Option<MemoryReservation>) {
        let mut pieces = self.pieces.lock();
        pieces.push(Piece { rows: Some(rows), readers: self.readers, _held: held });
        let count = pieces.len();
        drop(pieces);
        self.progress.send_modify(|progress| progress.pieces = count);
    }
}
