//! The committer: it validates, logs and publishes, one group at a time per database (`queue`).
//!
//! It takes what waits, validates one after the other against what is committed (`validate`),
//! applies it to its working state (`apply`), writes all records with one `fdatasync`, publishes
//! one snapshot and answers all. Flushes and compactions come by here, too (`replace`).

mod apply;
mod queue;
mod replace;
mod validate;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use tokio::sync::oneshot;

use super::erasure::Erased;
use super::file::FileEntry;
use super::key_index::KeyIndex;
use super::log::{LogWriter, Position};
use super::part::PartId;
use super::prepare::Prepared;
use super::shared::Shared;
use super::snapshot::Snapshot;
use super::stitching::Gathered;
use crate::definition::Oid;
use crate::error::{Error, Result};

pub(super) use queue::Queue;
use replace::Retired;
pub(super) use replace::{GONE, Moves, Replacement, TableReplacement};
pub(super) use validate::violation;

/// How many commits one write of the log holds at most.
const GROUP_MAX: usize = 512;
/// Bytes of records from which on a group is written.
const GROUP_BYTES: usize = 4 << 20;

/// The newest snapshot and the place in the log that it corresponds to.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) position: Position,
}

type Reply = oneshot::Sender<Result<Arc<Snapshot>>>;

/// What the committer is asked for.
pub(super) enum Request {
    /// To commit a transaction.
    Commit(Box<Prepared>, Reply),
    /// To complete a key index and to keep it up to date from then on.
    Install(Oid, Box<KeyIndex>, SyncSender<Result<()>>),
    /// To add no more rows to the memory parts that there are.
    Seal(SyncSender<Sealed>),
    /// To put files in the place of parts.
    Replace(Box<Replacement>, SyncSender<Result<Sealed>>),
}

/// The committer's state: what is committed, published or about to be.
#[derive(Debug)]
pub(super) struct Committer {
    shared: Arc<Shared>,
    log: LogWriter,
    working: Snapshot,
    /// The part that new rows of a relation go to.
    open: HashMap<Oid, PartId>,
    /// Files that the group adds.
    kept: Vec<Arc<FileEntry>>,
    /// Files that nobody sees once the group is published.
    buried: Vec<Arc<FileEntry>>,
    retired: Retired,
    /// What the group saw for the first time.
    gathered: Vec<Gathered>,
    /// The group changes the limits of namespaces, or which there are.
    new_limits: bool,
    /// The group changes which values identify nobody.
    new_blocked: bool,
    /// The group adds or takes away tombstones.
    new_tombstones: bool,
    /// What was erased lately.
    erased: Erased,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, log: LogWriter) -> Self {
        let working = shared.published().as_ref().clone();
        Self {
            shared,
            log,
            working,
            open: HashMap::new(),
            kept: Vec::new(),
            buried: Vec::new(),
            retired: Retired::default(),
            gathered: Vec::new(),
            new_limits: false,
            new_blocked: false,
            new_tombstones: false,
            erased: Erased::default(),
        }
    }

    fn serve(&mut self, request: Request) {
        // Whoever asked may have gone; what was done is done.
        match request {
            Request::Install(constraint, index, reply) => {
                drop(reply.send(self.install(constraint, *index)));
            }
            Request::Seal(reply) => {
                self.open.clear();
                if let Err(error) = self.log.start_segment() {
                    tracing::warn!(%error, "the log could not begin a new segment");
                }
                drop(reply.send(self.sealed()));
            }
            Request::Replace(replacement, reply) => drop(reply.send(self.replace(*replacement))),
            Request::Commit(prepared, reply) => self.commit_all(vec![(prepared, reply)]),
        }
    }

    fn sealed(&self) -> Sealed {
        Sealed { snapshot: self.shared.published(), position: self.log.position() }
    }

    fn install(&self, constraint: Oid, mut index: KeyIndex) -> Result<()> {
        let relation =
            self.working.catalog.relation_by_oid(index.relation).ok_or(Error::Conflict)?;
        if relation.unique_constraint(constraint).is_none() {
            return Err(Error::Conflict);
        }
        let table = self.working.table(index.relation);
        index.catch_up(&table, relation, self.shared.hasher())?;
        self.shared.indexes.install(constraint, index);
        Ok(())
    }

    fn commit_all(&mut self, group: Vec<(Box<Prepared>, Reply)>) {
        let mut accepted = Vec::with_capacity(group.len());
        for (prepared, reply) in group {
            match self.validate(&prepared) {
                Err(error) => drop(reply.send(Err(error))),
                Ok(deleted) => {
                    accepted.push(reply);
                    if let Err(error) = self.apply(*prepared, &deleted) {
                        self.fail(&error, std::mem::take(&mut accepted));
                    } else if self.log.pending_bytes() > GROUP_BYTES {
                        self.finish(std::mem::take(&mut accepted));
                    }
                }
            }
        }
        if !accepted.is_empty() {
            self.finish(accepted);
        }
    }

    /// Makes the group durable and visible, and answers.
    fn finish(&mut self, accepted: Vec<Reply>) {
        if let Err(error) = self.log.write() {
            self.fail(&error, accepted);
            return;
        }
        self.stitch();
        let snapshot = self.publish();
        for reply in accepted {
            drop(reply.send(Ok(Arc::clone(&snapshot))));
        }
    }

    /// Finds the customers of what the group saw. It is in the log: recovery would find the same.
    fn stitch(&mut self) {
        if std::mem::take(&mut self.new_tombstones) {
            let taken = self.shared.identity.take_tombstones(&self.working, &self.shared.brand_key);
            if let Err(error) = taken {
                tracing::error!(%error, "new tombstones hold from the next start on");
            }
        }
        let gathered = std::mem::take(&mut self.gathered);
        if !gathered.is_empty() {
            self.working.customers = self.shared.identity.apply(&gathered);
        }
        let limits = std::mem::take(&mut self.new_limits);
        let blocked = std::mem::take(&mut self.new_blocked);
        if limits || blocked {
            match self.shared.identity.take_rules(&self.working, blocked) {
                Ok(customers) => self.working.customers = customers,
                Err(error) => tracing::error!(%error, "rules hold from the next start on"),
            }
        }
    }

    /// Forgets the group.
    fn fail(&mut self, error: &Error, accepted: Vec<Reply>) {
        tracing::error!(%error, commits = accepted.len(), "commits failed");
        self.log.discard();
        self.working = self.shared.published().as_ref().clone();
        // Key indexes may name rows of the group; with new parts no row gets those addresses.
        self.open.clear();
        self.kept.clear();
        self.buried.clear();
        self.gathered.clear();
        self.new_limits = false;
        self.new_blocked = false;
        self.new_tombstones = false;
        for reply in accepted {
            drop(reply.send(Err(again(error))));
        }
    }

    fn publish(&mut self) -> Arc<Snapshot> {
        self.working.version += 1;
        let snapshot = Arc::new(self.working.clone());
        self.kept.drain(..).for_each(|entry| entry.keep());
        self.shared.publish(&snapshot);
        self.buried.drain(..).for_each(|entry| entry.bury());
        self.forget_retired();
        self.erased.forget_until(self.shared.active.oldest().unwrap_or(self.working.version));
        snapshot
    }
}

/// The same failure for another of its victims.
fn again(error: &Error) -> Error {
    match error {
        Error::DiskFull { path } => Error::DiskFull { path: path.clone() },
        Error::ReadOnly { reason } => Error::ReadOnly { reason: reason.clone() },
        Error::Io { path, source } => {
            let source = std::io::Error::new(source.kind(), source.to_string());
            Error::Io { path: path.clone(), source }
        }
        other => Error::Internal(other.to_string()),
    }
}
