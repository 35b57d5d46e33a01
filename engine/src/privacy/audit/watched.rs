//! Rows on their way to the client, counted for the audit log.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use clientele_catalog::definition::Oid;
use clientele_catalog::storage::Store;
use datafusion::arrow::array::RecordBatch;
use futures::{FutureExt, Stream};
use tokio::task::JoinHandle;

use super::entry::Entry;
use super::log::append;
use super::repeated::Key;
use crate::api::BatchStream;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Where an entry goes.
pub(crate) struct Target {
    /// Has the chains.
    pub(crate) engine: Arc<Engine>,
    /// Of the database.
    pub(crate) store: Arc<Store>,
    /// The database.
    pub(crate) database: Oid,
}

impl Target {
    /// Adds entries.
    ///
    /// # Errors
    /// What a commit meets.
    pub(crate) async fn append(&self, entries: &[Entry]) -> Result<()> {
        append(&self.engine.auditor, (&self.store, self.database), entries).await
    }
}

/// What a statement reads.
pub(crate) enum Reading {
    /// An entry of its own.
    One(Entry),
    /// A superuser's, again.
    Again(Key),
}

/// The stream; its end comes when the entry is on disk, if it has one of its own. A client that reads
/// no further is noted with the rows that it got.
pub(crate) fn watch(stream: BatchStream, reading: Reading, target: Target) -> BatchStream {
    let reading = Some((reading, target));
    Box::pin(Watched { stream, reading, rows: 0, task: None })
}

struct Watched {
    stream: BatchStream,
    reading: Option<(Reading, Target)>,
    rows: usize,
    task: Option<JoinHandle<Result<()>>>,
}

impl Watched {
    fn report(&mut self) -> Option<JoinHandle<Result<()>>> {
        let (reading, target) = self.reading.take()?;
        let entry = match reading {
            Reading::One(entry) => entry,
            Reading::Again(key) => {
                target.engine.auditor.repeated.add(&target, &key, Some(self.rows));
                return None;
            }
        };
        let entry = Entry { row_count: i64::try_from(self.rows).ok(), ..entry };
        let runtime = target.engine.cpu().ok()?.clone();
        Some(runtime.spawn(async move { target.append(&[entry]).await }))
    }
}

impl Stream for Watched {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(task) = &mut self.task {
                let Poll::Ready(done) = task.poll_unpin(context) else { return Poll::Pending };
                self.task = None;
                return Poll::Ready(match done {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(Err(error)),
                    Err(error) => Some(Err(Error::internal(error))),
                });
            }
            match self.stream.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(batch))) => {
                    self.rows += batch.num_rows();
                    return Poll::Ready(Some(Ok(batch)));
                }
                Poll::Ready(None) => match self.report() {
                    Some(task) => self.task = Some(task),
                    None => return Poll::Ready(None),
                },
                other => return other,
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.report());
    }
}
