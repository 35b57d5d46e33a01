//! Upkeep: flushes, checkpoints and compactions, one at a time, on a thread of their own.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::commit::{Queue, Replacement, Request, Sealed};
use super::disk;
use super::key_index::{KeyIndex, SharedIndex};
use super::log::{list_segments, segment_path};
use super::manifest::Facts;
use super::shared::Shared;
use super::snapshot::Snapshot;
use super::store::stopped;
use crate::definition::Oid;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// How often the background looks for work.
const TICK: Duration = Duration::from_millis(500);

/// Work on a store beside its transactions.
#[derive(Debug)]
pub(super) struct Upkeep {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Queue,
    /// The snapshot of the last checkpoint. Held while working: one at a time.
    checkpointed: Mutex<Snapshot>,
    /// Held while an index is built: not twice.
    building: Mutex<()>,
    /// What the background works on.
    pub(super) background: Mutex<Option<Arc<Progress>>>,
}

impl Upkeep {
    pub(super) fn new(shared: &Arc<Shared>, queue: Queue, stored: Snapshot) -> Self {
        let (checkpointed, building) = (Mutex::new(stored), Mutex::new(()));
        let shared = Arc::clone(shared);
        Self { shared, queue, checkpointed, building, background: Mutex::default() }
    }

    /// Keeps flushes and compactions away for as long as it is held.
    pub(super) fn working(&self) -> MutexGuard<'_, Snapshot> {
        self.checkpointed.lock()
    }

    pub(super) fn seal(&self) -> Result<Sealed> {
        let (reply, answer) = sync_channel(1);
        self.queue.send(Request::Seal(reply))?;
        answer.recv().map_err(|_| stopped())
    }

    pub(super) fn replace(&self, replacement: Replacement) -> Result<Sealed> {
        let (reply, answer) = sync_channel(1);
        self.queue.send(Request::Replace(Box::new(replacement), reply))?;
        answer.recv().map_err(|_| stopped())?
    }

    /// Writes all rows in memory to files and stores a checkpoint.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn flush(&self, progress: &Progress) -> Result<()> {
        let mut checkpointed = self.checkpointed.lock();
        progress.enter("flushing rows in memory");
        self.flush_locked(&mut checkpointed, progress)?;
        self.shared.count_memory();
        self.shared.graveyard.empty();
        Ok(())
    }

    pub(super) fn flush_locked(
        &self,
        checkpointed: &mut Snapshot,
        progress: &Progress,
    ) -> Result<()> {
        let sealed = self.seal()?;
        let tables = super::flush::write_memory(&self.shared, &sealed.snapshot, progress)?;
        let done = match tables.is_empty() {
            true => Sealed { snapshot: Arc::clone(&sealed.snapshot), position: sealed.position },
            false => self.replace(Replacement { base: Arc::clone(&sealed.snapshot), tables })?,
        };
        self.checkpoint(&sealed, &done, checkpointed)
    }

    /// Stores a checkpoint: the state `done`, whose memory parts were all opened after `sealed`.
    fn checkpoint(
        &self,
        sealed: &Sealed,
        done: &Sealed,
        checkpointed: &mut Snapshot,
    ) -> Result<()> {
        let mut memory_parts = Vec::new();
        for (relation, table) in done.snapshot.tables.iter() {
            for part in &table.memory {
                let old = sealed.snapshot.table(*relation);
                if old.memory_part(part.id).is_some() {
                    return Err(Error::Internal(format!("part {} was not flushed", part.id)));
                }
                memory_parts.push((part.id, *relation));
            }
        }
        let facts = Facts {
            replay_from: sealed.position,
            complete_to: done.position.sequence,
            memory_parts,
            ..self.shared.facts()
        };
        self.shared.manifest.store(&done.snapshot, Some(checkpointed), &facts)?;
        *checkpointed = done.snapshot.as_ref().clone();
        for number in list_segments(&self.shared.directory)? {
            if number < sealed.position.segment {
                disk::unlink(&segment_path(&self.shared.directory, number))?;
            }
        }
        Ok(())
    }

    /// Merges files of one relation, or of all that need it; with `all` also those that could wait.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub(super) fn compact(
        &self,
        relation: Option<Oid>,
        all: bool,
        progress: &Progress,
    ) -> Result<()> {
        let mut checkpointed = self.working();
        progress.enter("merging files");
        let snapshot = self.shared.published();
        let mut changed = false;
        let wanted = |oid: &Oid| relation.is_none_or(|one| one == *oid);
        let tables: Vec<_> = snapshot.tables.iter().filter(|(oid, _)| wanted(oid)).collect();
        tables.iter().for_each(|(_, table)| progress.expect(table.file_bytes()));
        for (oid, table) in tables {
            let mut left = table.file_bytes();
            while let Some(change) = super::compact::merge_files(&self.shared, *oid, all)? {
                let merged = change.removed_bytes().min(left);
                self.replace(change)?;
                changed = true;
                progress.advance(merged);
                left -= merged;
            }
            progress.advance(left);
        }
        drop(snapshot);
        if changed {
            // The last checkpoint holds the old files.
            self.flush_locked(&mut checkpointed, &Progress::default())?;
        }
        self.shared.graveyard.empty();
        Ok(())
    }

    /// The shared index of a constraint; built when it is not there yet.
    ///
    /// # Errors
    /// A file cannot be read; [`Error::Conflict`] when there is no such constraint any more.
    pub(super) fn key_index(&self, relation: Oid, constraint: Oid) -> Result<SharedIndex> {
        if let Some(index) = self.shared.indexes.get(constraint) {
            return Ok(index);
        }
        let _building = self.building.lock();
        if let Some(index) = self.shared.indexes.get(constraint) {
            return Ok(index);
        }
        let snapshot = self.shared.published();
        let relation = snapshot.catalog.relation_by_oid(relation).ok_or(Error::Conflict)?;
        let mut index = KeyIndex::new(relation.oid, constraint, snapshot.version);
        index.catch_up(&snapshot.table(relation.oid), relation, self.shared.hasher())?;
        let (reply, answer) = sync_channel(1);
        self.queue.send(Request::Install(constraint, Box::new(index), reply))?;
        answer.recv().map_err(|_| stopped())??;
        self.shared.indexes.get(constraint).ok_or(Error::Conflict)
    }

    fn bytes_in_log(&self) -> u64 {
        let segments = list_segments(&self.shared.directory).map_or(0, |segments| segments.len());
        segments.saturating_sub(2) as u64 * self.shared.options.segment_bytes
    }
}

/// The thread that flushes and compacts when it is time.
#[derive(Debug)]
pub(super) struct Background {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(super) fn start(upkeep: &Arc<Upkeep>) -> Result<Self> {
        let (stop, stopped) = sync_channel(0);
        let upkeep = Arc::clone(upkeep);
        let directory = upkeep.shared.directory.clone();
        let work = move || {
            let mut clock = Clock { memory_since: None };
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = clock.tick(&upkeep) {
                    tracing::error!(%error, "a flush or compaction failed; it will be tried again");
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("upkeep".to_owned())
            .spawn(work)
            .map_err(|error| disk::io_error(&directory, error))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Clock {
    /// Since when there have been rows in memory.
    memory_since: Option<Instant>,
}

impl Clock {
    fn tick(&mut self, upkeep: &Upkeep) -> Result<()> {
        let options = &upkeep.shared.options;
        let bytes = upkeep.shared.count_memory();
        if bytes == 0 {
            self.memory_since = None;
        }
        let since = *self.memory_since.get_or_insert_with(Instant::now);
        let old = bytes > 0 && since.elapsed() >= Duration::from_secs(options.flush_after_s);
        if old || bytes > options.memory_part_bytes || upkeep.bytes_in_log() > options.log_bytes {
            let progress = Arc::new(Progress::default());
            *upkeep.background.lock() = Some(Arc::clone(&progress));
            let done = upkeep.flush(&progress).and_then(|()| {
                self.memory_since = None;
                upkeep.compact(None, false, &progress)
            });
            *upkeep.background.lock() = None;
            done?;
        }
        upkeep.shared.graveyard.empty();
        Ok(())
    }
}
