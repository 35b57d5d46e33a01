//! What is known of the refreshes of each database.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::storage::{Customers, Snapshot};
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use tokio::sync::OwnedMutexGuard;

use super::run::{How, Run};
use super::sources::Sources;

/// The last refresh of a view.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// When the last good one began.
    pub(crate) last_refreshed_at: Option<DateTime<Utc>>,
    /// When the last one began, good or not.
    pub(crate) last_tried_at: Option<DateTime<Utc>>,
    /// When the next one is due.
    pub(crate) next_at: Option<DateTime<Utc>>,
    /// It is under way.
    pub(crate) running: bool,
    /// Why the last one failed.
    pub(crate) error: Option<String>,
    /// How the last good one was made.
    pub(crate) how: Option<How>,
    /// Version of the snapshot that the last good one saw.
    pub(crate) version: u64,
    /// Version of the snapshot that the last one saw, good or not.
    pub(crate) tried_version: u64,
    /// Customers for whom something had changed when the server was stopped.
    pub(crate) pending: RoaringBitmap,
    /// Who was who in it.
    pub(crate) customers: Option<Arc<Customers>>,
    /// What it read.
    pub(crate) sources: Sources,
}

impl State {
    /// After a good refresh over a snapshot.
    pub(crate) fn after(run: &Run, (snapshot, view): (&Snapshot, &Relation), how: How) -> Self {
        Self {
            last_refreshed_at: Some(run.started_at),
            last_tried_at: Some(run.started_at),
            how: Some(how),
            version: snapshot.version,
            tried_version: snapshot.version,
            customers: Some(Arc::clone(&snapshot.customers)),
            sources: Sources::of(&snapshot.catalog, view),
            ..Self::default()
        }
    }
}

/// The refreshes of one database.
#[derive(Debug, Default)]
pub(crate) struct Refreshes {
    /// Whoever refreshes holds it until the commit: one run at a time.
    lock: Arc<tokio::sync::Mutex<()>>,
    states: Mutex<HashMap<Oid, State>>,
}

impl Refreshes {
    /// Waits until nobody else refreshes.
    pub(crate) async fn alone(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.lock).lock_owned().await
    }

    /// What is known of a view.
    pub(crate) fn state(&self, view: Oid) -> State {
        self.states.lock().get(&view).cloned().unwrap_or_default()
    }

    /// What is known of all views.
    pub(super) fn all(&self) -> Vec<(Oid, State)> {
        self.states.lock().iter().map(|(view, state)| (*view, state.clone())).collect()
    }

    /// Notes something of a view.
    pub(crate) fn note(&self, view: Oid, change: impl FnOnce(&mut State)) {
        change(self.states.lock().entry(view).or_default());
    }

    /// Forgets views that are gone.
    pub(crate) fn retain(&self, there: impl Fn(Oid) -> bool) {
        self.states.lock().retain(|view, _| there(*view));
    }
}
