//! The tasks that refresh what is due, one for each database.
//!
//! A task sleeps until a view is due or somebody commits. Commits that come while it works are
//! taken together; between two runs after commits it rests as long as the last one took, so that
//! refreshing never takes more than half of a processor's time from those who ask.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clientele_catalog::Catalog;
use clientele_catalog::definition::{Oid, Relation, RelationKind};
use clientele_catalog::storage::{Snapshot, Store};
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::run::{Cause, Run, Together, refresh};
use super::saved;
use super::schedule::Schedule;
use super::sources::Sources;
use super::states::{Refreshes, State};
use crate::engine::Engine;
use crate::error::Result;
use crate::segments;

/// How often new databases are looked for.
const LOOK_FOR_DATABASES: Duration = Duration::from_millis(500);
/// The least rest between two runs.
const REST_MIN: Duration = Duration::from_millis(20);
/// How long after the last refresh a view on commit is looked at whose definition says the time.
const TIMED: chrono::TimeDelta = chrono::TimeDelta::seconds(60);
/// The longest sleep: clocks may be set.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// The tasks of an engine, and what they know.
#[derive(Default)]
pub(crate) struct Workers {
    databases: Mutex<HashMap<Oid, Arc<Refreshes>>>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Workers {
    /// The refreshes of a database.
    pub(crate) fn of(&self, database: Oid) -> Arc<Refreshes> {
        Arc::clone(self.databases.lock().entry(database).or_default())
    }

    /// Starts the tasks of an engine.
    pub(crate) fn start(engine: &Arc<Engine>) {
        let Ok(cpu) = engine.cpu() else { return };
        let stop = engine.workers.stop.clone();
        let task = cpu.spawn(look_for_databases(Arc::downgrade(engine), stop));
        *engine.workers.task.lock() = Some(task);
    }

    /// The refreshes of all databases, by database.
    pub(super) fn all(&self) -> Vec<(Oid, Arc<Refreshes>)> {
        let databases = self.databases.lock();
        databases.iter().map(|(oid, refreshes)| (*oid, Arc::clone(refreshes))).collect()
    }

    /// Ends the tasks; a run under way is given up.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        let task = self.task.lock().take();
        if let Some(task) = task {
            // It ends with the last of its databases; a panic in one is logged there.
            let _ = task.await;
        }
    }
}

async fn look_for_databases(engine: Weak<Engine>, stop: CancellationToken) {
    let mut watched: HashMap<Oid, JoinHandle<()>> = HashMap::new();
    loop {
        {
            let Some(engine) = engine.upgrade() else { return };
            watched.retain(|_, task| !task.is_finished());
            for database in engine.cluster.databases() {
                let weak = Arc::downgrade(&engine);
                let watch = |oid| tokio::spawn(watch(weak, oid, stop.clone()));
                watched.entry(database.oid).or_insert_with_key(|oid| watch(*oid));
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(LOOK_FOR_DATABASES) => {}
        }
    }
    for (_, task) in watched {
        if task.await.is_err_and(|error| error.is_panic()) {
            tracing::error!("a task that refreshes materialized views panicked");
        }
    }
}

/// Refreshes what is due in a database, until it is gone.
async fn watch(engine: Weak<Engine>, database: Oid, stop: CancellationToken) {
    let store = {
        let Some(engine) = engine.upgrade() else { return };
        let open = move || engine.cluster.store(database);
        tokio::task::spawn_blocking(open).await
    };
    let Ok(Ok(store)) = store else { return };
    let mut versions = store.versions();
    if let Some(engine) = engine.upgrade() {
        saved::restore(&engine.workers.of(database), &store);
    }
    drop(store);
    loop {
        let began = Instant::now();
        let next = {
            let Some(engine) = engine.upgrade() else { return };
            if engine.cluster.database(database).is_none() {
                return;
            }
            versions.mark_unchanged();
            tokio::select! {
                () = stop.cancelled() => return,
                next = run_due(&engine, database) => next,
            }
        };
        let next = next.unwrap_or_else(|error| {
            tracing::warn!(error = %error.message, "materialized views could not be refreshed");
            Some(Utc::now() + SLEEP_MAX)
        });
        let rest = began.elapsed().clamp(REST_MIN, SLEEP_MAX);
        let until = next.and_then(|next| (next - Utc::now()).to_std().ok());
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(rest) => {}
        }
        let wait = until.map_or(SLEEP_MAX, |until| until.saturating_sub(rest).min(SLEEP_MAX));
        tokio::select! {
            () = stop.cancelled() => return,
            changed = timeout(wait, versions.changed()) => {
                if matches!(changed, Ok(Err(_))) {
                    return;
                }
            }
        }
    }
}

/// Refreshes what is due now; returns when something is due next.
async fn run_due(engine: &Arc<Engine>, database: Oid) -> Result<Option<DateTime<Utc>>> {
    let store = engine.cluster.store(database)?;
    let snapshot = store.snapshot();
    let refreshes = engine.workers.of(database);
    refreshes.retain(|view| snapshot.catalog.relation_by_oid(view).is_some());
    let now = Utc::now();
    let (mut due, mut next) = (Vec::new(), None);
    watch_sources(&store, &snapshot, &refreshes);
    for view in snapshot.catalog.relations() {
        let Some((cause, at)) = due_at(&refreshes, &snapshot, view, now) else { continue };
        refreshes.note(view.oid, |state| state.next_at = at);
        match at {
            Some(at) if at > now => {
                next = Some(next.map_or(at, |next: DateTime<Utc>| next.min(at)))
            }
            Some(_) => due.push((Arc::clone(view), cause)),
            None => {}
        }
    }
    if due.is_empty() {
        return Ok(next);
    }
    run(engine, database, in_order(&snapshot.catalog, due)).await?;
    // What is due next is found in the next round.
    Ok(Some(Utc::now()))
}

/// Lets storage tell of the tables that the segments read, as long as somebody will ask.
fn watch_sources(store: &Store, snapshot: &Snapshot, refreshes: &Refreshes) {
    let (mut sources, mut oldest) = (BTreeSet::new(), snapshot.version);
    for view in snapshot.catalog.relations().filter(|one| segments::is_segment(one)) {
        if matches!(view.kind, RelationKind::MaterializedView { .. }) {
            sources.extend(Sources::of(&snapshot.catalog, view).stored);
            let state = refreshes.state(view.oid);
            if state.last_refreshed_at.is_some() {
                oldest = oldest.min(state.version);
            }
        }
    }
    store.watch(&sources, oldest);
}

/// Why and when a view is due; `None`: it has no schedule.
fn due_at(
    refreshes: &Refreshes,
    snapshot: &Snapshot,
    view: &Relation,
    now: DateTime<Utc>,
) -> Option<(Cause, Option<DateTime<Utc>>)> {
    let RelationKind::MaterializedView { populated, .. } = &view.kind else { return None };
    let schedule = Schedule::of(view);
    let state = refreshes.state(view.oid);
    match (&schedule, state.last_tried_at) {
        (Schedule::Manual, _) => None,
        (Schedule::OnCommit, _) if !populated => None,
        (Schedule::OnCommit, None) => Some((Cause::Commit, Some(now))),
        (Schedule::OnCommit, Some(last)) => {
            let sources = Sources::of(&snapshot.catalog, view);
            if sources.changed_since(snapshot, state.tried_version) {
                return Some((Cause::Commit, Some(now)));
            }
            // Who leaves because time passes leaves without a commit.
            Some((Cause::Schedule, sources.timed.then(|| last + TIMED)))
        }
        (Schedule::Cron(_), None) => {
            // What was missed while nobody watched is not made up for.
            refreshes.note(view.oid, |state| state.last_tried_at = Some(now));
            Some((Cause::Schedule, schedule.next(now)))
        }
        (Schedule::Every(_), None) => Some((Cause::Schedule, Some(now))),
        (_, Some(last)) => Some((Cause::Schedule, schedule.next(last))),
    }
}

/// Views after those that they read.
fn in_order(catalog: &Catalog, due: Vec<(Arc<Relation>, Cause)>) -> Vec<(Arc<Relation>, Cause)> {
    let mut waiting: Vec<_> = due
        .into_iter()
        .map(|(view, cause)| (Sources::of(catalog, &view).stored, view, cause))
        .collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let left: HashSet<Oid> = waiting.iter().map(|(_, view, _)| view.oid).collect();
        let ready =
            waiting.iter().position(|(sources, ..)| sources.iter().all(|one| !left.contains(one)));
        // Views cannot read one another in a circle; were it so, any order would do.
        let (_, view, cause) = waiting.remove(ready.unwrap_or(0));
        ordered.push((view, cause));
    }
    ordered
}

/// Refreshes views from one snapshot, in one transaction. One that fails keeps its rows.
async fn run(engine: &Arc<Engine>, database: Oid, due: Vec<(Arc<Relation>, Cause)>) -> Result<()> {
    let refreshes = engine.workers.of(database);
    let _alone = refreshes.alone().await;
    let mut session = engine.own_session(database)?;
    session.begin_statement("REFRESH MATERIALIZED VIEW");
    let base = session.context().await?;
    let number = i64::from(session.store.allocate_oid());
    let mut outcomes = Vec::with_capacity(due.len());
    let all: HashSet<Oid> = due.iter().map(|(view, _)| view.oid).collect();
    let views = all.iter().filter_map(|view| base.catalog().relation_by_oid(*view));
    // What reads others of them is asked after these.
    let reads_none = |view: &&Arc<Relation>| {
        !view.is_recommender()
            && Sources::of(base.catalog(), view).stored.iter().all(|one| !all.contains(one))
    };
    let views: Vec<_> = views.filter(reads_none).collect();
    let mut together = Together::ahead(&session, &base, &views).await;
    for (view, cause) in due {
        let run = Run { number, cause, started_at: base.started_at };
        let context = session.context().await?;
        // It may have been changed since it was found to be due.
        let Some(view) = context.catalog().relation_by_oid(view.oid).map(Arc::clone) else {
            continue;
        };
        refreshes.note(view.oid, |state| state.running = true);
        let savepoint = session.work().await?.lock().await.savepoint();
        let done = Box::pin(refresh(&mut session, &context, &view, (&run, &mut together))).await;
        if let Err(error) = &done {
            session.work().await?.lock().await.rollback_to(savepoint);
            tracing::warn!(view = %view.name, sqlstate = error.sqlstate, "a refresh has failed");
            if segments::is_segment(&view) {
                segments::failed(&mut session, &view, (&run, error)).await?;
            }
        }
        outcomes.push((view, run, done));
    }
    let committed = session.sync().await;
    for (view, run, done) in outcomes {
        let done = committed.clone().and(done);
        refreshes.note(view.oid, |state| match done {
            Ok(how) => *state = State::after(&run, (&base.snapshot, &view), how),
            Err(error) => {
                state.running = false;
                state.last_tried_at = Some(run.started_at);
                state.tried_version = base.snapshot.version;
                state.error = Some(error.message);
            }
        });
    }
    committed
}
