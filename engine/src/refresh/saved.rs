//! What is known of refreshes when the server is stopped, for its next start: with it the first
//! refresh need not be a full one.
//!
//! It is written after the last commit, and gone once it was read: after a crash nothing is known.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{Oid, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::Store;
use serde::{Deserialize, Serialize};

use super::changed::{self, Changed};
use super::schedule::Schedule;
use super::sources::Sources;
use super::states::{Refreshes, State};
use crate::engine::Engine;
use crate::error::Result;

/// More customers than this are not kept: computing all is no more work then.
const PENDING_MAX: u64 = 100_000;

/// The last refresh of a view.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    view: Oid,
    /// Microseconds since 1970.
    last_refreshed_at: i64,
    /// Customers for whom something has changed since.
    pending: Vec<u32>,
}

/// What a database has to keep, as long as nothing changes any more.
pub(crate) struct AtEnd {
    store: Arc<Store>,
    version: u64,
    views: Vec<(Saved, Sources)>,
}

fn path(store: &Store) -> PathBuf {
    store.directory().join("refreshes.json")
}

/// What is known of all refreshes now.
pub(crate) fn collect(engine: &Engine) -> Vec<AtEnd> {
    let mut all = Vec::new();
    for (database, refreshes) in engine.workers.all() {
        // A database that was dropped has no views.
        let Ok(store) = engine.cluster.store(database) else { continue };
        let snapshot = store.snapshot();
        let known = refreshes.all();
        let views = known.iter().filter_map(|(view, state)| of_view(&store, *view, state).ok()?);
        all.push(AtEnd { version: snapshot.version, views: views.collect(), store });
    }
    all
}

fn of_view(store: &Store, view: Oid, state: &State) -> Result<Option<(Saved, Sources)>> {
    let snapshot = store.snapshot();
    let relation = snapshot.catalog.relation_by_oid(view);
    let (Some(relation), Some(last)) = (relation, state.last_refreshed_at) else { return Ok(None) };
    let sources = Sources::of(&snapshot.catalog, relation);
    let mut subjects = Subject::ALL.into_iter();
    let has = |subject: &Subject| relation.live_columns().any(|one| one.subject == Some(*subject));
    let Some(subject) = subjects.find(has).filter(|_| state.sources == sources && !sources.others)
    else {
        return Ok(None);
    };
    match changed::since((store, &snapshot), (state, &sources), subject)? {
        Changed::Customers(pending) if pending.len() <= PENDING_MAX => {
            let pending = pending.iter().collect();
            let last_refreshed_at = last.timestamp_micros();
            Ok(Some((Saved { view, last_refreshed_at, pending }, sources)))
        }
        _ => Ok(None),
    }
}

/// Writes it down, after the last commit. What has changed meanwhile is left out.
pub(crate) fn write(all: Vec<AtEnd>) {
    for AtEnd { store, version, views } in all {
        let snapshot = store.snapshot();
        let still = views.iter().filter(|(_, sources)| !sources.changed_since(&snapshot, version));
        let saved: Vec<&Saved> = still.map(|(saved, _)| saved).collect();
        let written = serde_json::to_vec(&saved).map_err(std::io::Error::from);
        let written = written.and_then(|bytes| std::fs::write(path(&store), bytes));
        if let Err(error) = written {
            tracing::warn!(%error, "the next start will refresh segments as a whole");
        }
    }
}

/// Takes what was written down, if nothing has been committed since.
pub(super) fn restore(refreshes: &Refreshes, store: &Store) {
    let path = path(store);
    let Ok(bytes) = std::fs::read(&path) else { return };
    if std::fs::remove_file(&path).is_err() {
        return;
    }
    let saved: Vec<Saved> = serde_json::from_slice(&bytes).unwrap_or_default();
    let snapshot = store.snapshot();
    for one in saved {
        let Some(view) = snapshot.catalog.relation_by_oid(one.view) else { continue };
        let sources = Sources::of(&snapshot.catalog, view);
        let populated = matches!(view.kind, RelationKind::MaterializedView { populated: true, .. });
        // Rows that were there at the start were written in no version.
        if !populated || sources.changed_since(&snapshot, 0) {
            continue;
        }
        let last: Option<DateTime<Utc>> = DateTime::from_timestamp_micros(one.last_refreshed_at);
        let waits = matches!(Schedule::of(view), Schedule::OnCommit) && one.pending.is_empty();
        refreshes.note(one.view, |state| {
            if state.last_refreshed_at.is_none() {
                *state = State {
                    last_refreshed_at: last,
                    last_tried_at: last.filter(|_| waits),
                    version: snapshot.version,
                    tried_version: snapshot.version,
                    customers: Some(Arc::clone(&snapshot.customers)),
                    sources,
                    pending: one.pending.into_iter().collect(),
                    ..State::default()
                };
            }
        });
    }
}
