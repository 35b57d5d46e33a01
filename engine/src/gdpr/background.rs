//! Erasures do not wait for somebody to call `gdpr.purge`: after a set time a task does.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::Utc;
use clientele_catalog::definition::Oid;
use clientele_catalog::features::oids::{ERASURES, REQUESTS};
use clientele_catalog::pg_catalog::JobKind;
use clientele_catalog::storage::PartId;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{ended, purge};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::session::job::Job;

/// How often it is looked for erasures that have waited long enough.
const LOOK: Duration = Duration::from_secs(2);
/// How long readers of older snapshots have.
const WAIT: Duration = Duration::from_secs(30);
/// How long it rests after a failure, or after something was found that only people can remove.
const REST: Duration = Duration::from_secs(600);

/// By database: files that the next erasure need not wait for.
type Prepared = HashMap<Oid, HashSet<PartId>>;

/// The task of an engine.
#[derive(Default)]
pub(crate) struct Purger {
    /// Held by the one who purges: one at a time.
    pub(crate) one: tokio::sync::Mutex<()>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Purger {
    /// Starts the task.
    pub(crate) fn start(engine: &Arc<Engine>) {
        let Ok(cpu) = engine.cpu() else { return };
        let stop = engine.purger.stop.clone();
        let task = cpu.spawn(watch(Arc::downgrade(engine), stop));
        *engine.purger.task.lock() = Some(task);
    }

    /// Ends it; a purge under way comes to its end.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        let task = self.task.lock().take();
        if let Some(task) = task {
            // A panic in it was logged.
            let _ = task.await;
        }
    }
}

async fn watch(engine: Weak<Engine>, stop: CancellationToken) {
    let mut prepared = Prepared::new();
    loop {
        let rest = {
            let Some(engine) = engine.upgrade() else { return };
            match purge_due(&engine, &mut prepared).await {
                Ok(true) => LOOK,
                Ok(false) => REST,
                Err(error) => {
                    tracing::error!(error = %error.message, "erased people could not be purged");
                    REST
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(rest) => {}
        }
    }
}

/// Purges the databases where an erasure has waited for the set time. `false`: something is left
/// that only people can remove.
async fn purge_due(engine: &Arc<Engine>, prepared: &mut Prepared) -> Result<bool> {
    let mut is_done = true;
    for database in engine.cluster.databases() {
        let cluster = Arc::clone(engine);
        let open = move || cluster.cluster.store(database.oid);
        let Ok(Ok(store)) = tokio::task::spawn_blocking(open).await else { continue };
        // Where people ask for their rights, the next one is not to wait for files to be read.
        if store.snapshot().row_count(REQUESTS) > 0 {
            let store = Arc::clone(&store);
            let known = prepared.remove(&database.oid).unwrap_or_default();
            let ready = tokio::task::spawn_blocking(move || store.prepare_erasure(&known)).await;
            prepared.insert(database.oid, ready.map_err(Error::internal)??);
        }
        if store.snapshot().row_count(ERASURES) == 0 {
            // The first one may have been cut short.
            store.drop_stray_needles(&[])?;
            continue;
        }
        let oldest = purge::waiting(&store)?.iter().map(|one| one.requested_at).min();
        let age = oldest.map(|oldest| Utc::now().timestamp_micros().saturating_sub(oldest));
        let age = age.and_then(|age| u64::try_from(age).ok()).map(Duration::from_micros);
        let is_young = age.is_none_or(|age| age < engine.options.purge_after);
        if is_young && !ended::is_waiting(&store)? {
            continue;
        }
        let _one = engine.purger.one.lock().await;
        let copies = super::copies::Copies::of(engine, &database);
        let session = engine.own_session(database.oid)?;
        engine.show(&session, "CALL gdpr.purge()");
        let job = Job::new(&session.shared, JobKind::Purge, 0);
        let summary = purge::run((engine, &store), &copies, (WAIT, job.progress())).await?;
        is_done &= summary.found.is_empty();
    }
    Ok(is_done)
}
