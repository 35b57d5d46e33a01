//! The threads of one COPY FROM: reading, checking and keeping rows overlap.
//!
//! ```text
//! pieces ─▶ read (bytes ▸ columns) ─▶ check (defaults, constraints) ─▶ keep (rows of the table)
//! ```
//!
//! The channels between them are short: memory stays bounded and a client that is faster than the
//! server waits. A stage that fails closes its channels, and the others end, too. The first two have
//! threads of their own: they compute without a pause, which tasks of the runtime must not.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::kept::Kept;
use super::progress::CopyProgress;
use super::reader::{Parsed, Reader};
use crate::error::{Error, Result};

/// Pieces of data that wait for the reader.
const PIECES_WAITING: usize = 4;
/// Batches that wait between two stages.
const BATCHES_WAITING: usize = 1;

/// Something on its way, or the end of all.
pub(crate) enum Item<T> {
    /// The next one.
    Next(T),
    /// There is no more, and nothing went wrong.
    End,
}

/// Turns parsed rows into rows of the table.
pub(crate) type Check = Box<dyn FnMut(Parsed) -> Result<RecordBatch> + Send>;

/// A running load.
pub(crate) struct Load {
    pieces: Option<Sender<Item<Bytes>>>,
    /// Taken by who waits for their end.
    stages: Option<Stages>,
}

struct Stages {
    read: JoinHandle<Result<()>>,
    check: JoinHandle<Result<()>>,
    keep: JoinHandle<Result<Option<u64>>>,
}

/// What the stages share.
#[derive(Clone)]
pub(crate) struct Common {
    /// The compute runtime.
    pub(crate) cpu: Handle,
    /// Stops the statement.
    pub(crate) stop: CancellationToken,
    /// Counters.
    pub(crate) progress: Arc<CopyProgress>,
}

impl Load {
    /// Starts the stages for bytes that [`Load::feed`] brings.
    pub(crate) fn of_bytes(common: &Common, reader: Reader, check: Check, kept: Kept) -> Self {
        let (pieces, received) = mpsc::channel(PIECES_WAITING);
        let progress = Arc::clone(&common.progress);
        let stop = common.stop.clone();
        let read = move |parsed: Sender<Item<Parsed>>| {
            read_bytes(reader, received, &parsed, (&stop, &progress))
        };
        Self { pieces: Some(pieces), ..Self::of_batches(common, read, check, kept) }
    }

    /// Starts the stages behind a function that sends rows.
    pub(crate) fn of_batches(
        common: &Common,
        read: impl FnOnce(Sender<Item<Parsed>>) -> Result<()> + Send + 'static,
        mut check: Check,
        kept: Kept,
    ) -> Self {
        let (parsed, mut to_check) = mpsc::channel(BATCHES_WAITING);
        let (checked, to_keep) = mpsc::channel(BATCHES_WAITING);
        let stages = Stages {
            read: common.cpu.spawn_blocking(move || read(parsed)),
            check: common.cpu.spawn_blocking(move || pass(&mut to_check, &checked, &mut check)),
            keep: common.cpu.spawn(kept.take(to_keep, common.clone())),
        };
        Self { pieces: None, stages: Some(stages) }
    }

    /// Brings a piece of data; waits while the stages are busy.
    ///
    /// # Errors
    /// What the data brought so far do wrong.
    pub(crate) async fn feed(&mut self, piece: Bytes) -> Result<()> {
        let Some(pieces) = &self.pieces else { return Err(Error::internal("the data have ended")) };
        if pieces.send(Item::Next(piece)).await.is_ok() {
            return Ok(());
        }
        // The reader is gone: it knows why, or a later stage does.
        match self.end().await {
            Ok(_) => Err(Error::internal("a load ended too early")),
            Err(error) => Err(error),
        }
    }

    /// Ends the data; returns the number of rows.
    ///
    /// # Errors
    /// What the data do wrong.
    pub(crate) async fn finish(mut self) -> Result<u64> {
        if let Some(pieces) = &self.pieces {
            // When the reader is gone, `end` tells why.
            let _ = pieces.send(Item::End).await;
        }
        self.end().await
    }

    async fn end(&mut self) -> Result<u64> {
        self.pieces = None;
        let stages = self.stages.take().ok_or_else(|| Error::internal("a load ends once"))?;
        let read = joined(stages.read.await);
        let check = joined(stages.check.await);
        let keep = joined(stages.keep.await);
        // Rows in a later stage stand earlier in the data: the first error is theirs.
        let kept = keep?;
        check?;
        read?;
        kept.ok_or_else(|| Error::internal("a load was given up"))
    }
}

fn joined<T>(done: std::result::Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    done.unwrap_or_else(|failure| {
        tracing::error!(panic = failure.is_panic(), "a thread of a load failed");
        Err(Error::internal("the statement failed in an unexpected way"))
    })
}

/// Reads pieces until their end; the rows before an error go on, so that theirs is told first.
fn read_bytes(
    mut reader: Reader,
    mut pieces: Receiver<Item<Bytes>>,
    parsed: &Sender<Item<Parsed>>,
    (stop, progress): (&CancellationToken, &CopyProgress),
) -> Result<()> {
    while let Some(piece) = pieces.blocking_recv() {
        let last = matches!(piece, Item::End);
        if let Item::Next(piece) = piece {
            progress.add_bytes(piece.len());
            reader.feed(&piece);
        }
        loop {
            if stop.is_cancelled() {
                return Ok(());
            }
            let rows = match reader.read(last) {
                Ok(Some(rows)) => rows,
                Ok(None) => break,
                Err(error) => {
                    if let Ok(Some(rows)) = reader.take() {
                        let _ = parsed.blocking_send(Item::Next(rows));
                    }
                    return Err(error);
                }
            };
            if parsed.blocking_send(Item::Next(rows)).is_err() {
                return Ok(());
            }
        }
        if last {
            let _ = parsed.blocking_send(Item::End);
            return Ok(());
        }
    }
    Ok(())
}

fn pass(
    parsed: &mut Receiver<Item<Parsed>>,
    checked: &Sender<Item<RecordBatch>>,
    check: &mut Check,
) -> Result<()> {
    while let Some(item) = parsed.blocking_recv() {
        let item = match item {
            Item::Next(rows) => Item::Next(check(rows)?),
            Item::End => Item::End,
        };
        if checked.blocking_send(item).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
