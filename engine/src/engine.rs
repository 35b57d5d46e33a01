//! One data directory, opened: databases, roles, sessions, the threads that compute.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::cluster::Cluster;
use clientele_catalog::definition::{Database, Oid, Role};
use clientele_catalog::privileges::Access;
use clientele_catalog::storage::StoreOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use parking_lot::Mutex;
use tokio::runtime::Runtime;

use crate::api::Startup;
use crate::error::{Error, Result};
use crate::functions;
use crate::gdpr::Purger;
use crate::identity::Matchers;
use crate::password;
use crate::privacy::audit::Auditor;
use crate::recommend::Recommenders;
use crate::refresh::{self, Workers};
use crate::segments::Memberships;
use crate::session::Session;
use crate::session::object_locks::ObjectLocks;
use crate::session::shared::{SessionShared, StopReason};

/// How an engine is opened.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Memory that statements may use together, bytes; beyond it they spill, then fail (53200).
    pub memory_bytes: usize,
    /// Threads that compute.
    pub cpu_threads: usize,
    /// Largest number of sessions.
    pub connections_max: usize,
    /// How long erased people may be on the disk.
    pub purge_after: Duration,
    /// How rows are kept.
    pub store: StoreOptions,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./clientele-data"),
            memory_bytes: 2 << 30,
            cpu_threads: std::thread::available_parallelism().map_or(2, usize::from),
            connections_max: 200,
            purge_after: Duration::from_secs(3600),
            store: StoreOptions::default(),
        }
    }
}

/// An open data directory.
pub struct Engine {
    pub(crate) cluster: Cluster,
    pub(crate) runtime_env: Arc<RuntimeEnv>,
    pub(crate) options: EngineOptions,
    /// When the engine was opened.
    pub started_at: DateTime<Utc>,
    cpu: Option<Runtime>,
    planning: Option<Runtime>,
    sessions: Mutex<HashMap<i32, Arc<SessionShared>>>,
    next_pid: AtomicI32,
    pub(crate) sequences: Mutex<functions::Blocks>,
    /// What record matching remembers of each database.
    pub(crate) matchers: Matchers,
    /// Who is in which segment, as last asked for.
    pub(crate) memberships: Arc<Memberships>,
    /// The models of recommenders.
    pub(crate) recommenders: Recommenders,
    /// The audit logs of the databases.
    pub(crate) auditor: Auditor,
    /// What refreshes materialized views.
    pub(crate) workers: Workers,
    /// Who changes which relations of which database.
    object_locks: Mutex<HashMap<Oid, Arc<ObjectLocks>>>,
    /// What removes erased people from the disk.
    pub(crate) purger: Purger,
}

impl Engine {
    /// Makes a new data directory with role `admin` and an empty database `postgres`.
    ///
    /// # Errors
    /// 55006 when the directory is in use, 58030 when it cannot be written.
    pub fn create(data_dir: &Path, admin_password: &str) -> Result<()> {
        let verifier = password::verifier(admin_password);
        Cluster::create(data_dir, Some(verifier), StoreOptions::default())?;
        Ok(())
    }

    /// Opens a data directory, recovering what was committed.
    ///
    /// # Errors
    /// 55006 when it is in use, XX001 when it is damaged, 58030 when it cannot be read.
    pub fn open(options: EngineOptions) -> Result<Arc<Self>> {
        // More threads than processors: a plan that computes long between two batches must not keep
        // the other statements waiting.
        let cpu = threads("compute", options.cpu_threads.max(1) * 4)?;
        let planning = threads("planning", options.cpu_threads.max(1) * 4)?;
        let cluster = Cluster::open(&options.data_dir, options.store.clone())?;
        // What an earlier process spilled is worth nothing, and may hold personal data.
        let spill = options.data_dir.join("spill");
        let _ = std::fs::remove_dir_all(&spill);
        std::fs::create_dir_all(&spill).map_err(|error| {
            Error::new("58030", format!("could not create a directory: {error}"))
        })?;
        let runtime_env = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(options.memory_bytes)))
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill])),
            )
            .build_arc()?;
        let background = options.store.background;
        let engine = Arc::new(Self {
            cluster,
            runtime_env,
            options,
            started_at: Utc::now(),
            matchers: Matchers::default(),
            auditor: Auditor::default(),
            purger: Purger::default(),
            recommenders: Recommenders::default(),
            cpu: Some(cpu),
            planning: Some(planning),
            sessions: Mutex::default(),
            next_pid: AtomicI32::new(1000),
            sequences: Mutex::default(),
            memberships: Arc::default(),
            workers: Workers::default(),
            object_locks: Mutex::default(),
        });
        if background {
            Workers::start(&engine);
            Purger::start(&engine);
        }
        Ok(engine)
    }

    /// Who changes which relations of a database.
    pub(crate) fn object_locks(&self, database: Oid) -> Arc<ObjectLocks> {
        Arc::clone(self.object_locks.lock().entry(database).or_default())
    }

    /// SCRAM-SHA-256 verifier of a role that may log in.
    pub fn password_verifier(&self, role: &str) -> Option<String> {
        let role = self.cluster.role_by_name(role).filter(|one| one.login)?;
        let now = Utc::now().timestamp_micros();
        role.password.filter(|_| role.valid_until.is_none_or(|until| now < until))
    }

    /// Whether a role is another one or a member of it, over any number of steps.
    pub fn is_member(&self, role: &str, group: &str) -> bool {
        let (Some(role), Some(group)) = (self.role(role), self.role(group)) else { return false };
        self.cluster.is_member(role.oid, group.oid)
    }

    /// Begins a session for an authenticated role.
    ///
    /// # Errors
    /// 3D000 no such database, 53300 too many sessions, 28000 no such role.
    pub fn connect(self: &Arc<Self>, startup: Startup) -> Result<Session> {
        let role = self.role(&startup.role).ok_or_else(|| {
            Error::fatal("28000", format!("role \"{}\" does not exist", startup.role))
        })?;
        if self.sessions.lock().len() >= self.options.connections_max {
            return Err(Error::fatal("53300", "sorry, too many clients already"));
        }
        let name = match startup.database.as_str() {
            "" => startup.role.clone(),
            name => name.to_owned(),
        };
        let database = self
            .database(&name)
            .ok_or_else(|| Error::fatal("3D000", format!("database \"{name}\" does not exist")))?;
        self.may_connect(&role, &database)?;
        let pid = self.next_pid();
        let session = Session::new(self, role, database, startup, pid)?;
        self.sessions.lock().insert(pid, Arc::clone(&session.shared));
        Ok(session)
    }

    /// A session of the engine's own; it is nobody's connection.
    ///
    /// # Errors
    /// 3D000 no such database.
    pub(crate) fn own_session(self: &Arc<Self>, database: Oid) -> Result<Session> {
        let role = self.cluster.role(BOOTSTRAP_ROLE_OID);
        let database = self.cluster.database(database);
        let (Some(role), Some(database)) = (role, database) else {
            return Err(Error::new("3D000", "the database is gone"));
        };
        let startup = Startup { role: role.name.clone(), ..Startup::default() };
        Session::new(self, role, database, startup, self.next_pid())
    }

    /// Shows what a session of the engine's own does, until it ends.
    pub(crate) fn show(&self, session: &Session, statement: &str) {
        {
            let mut activity = session.shared.activity.lock();
            activity.state = "active";
            statement.clone_into(&mut activity.query);
            activity.query_start = Some(Utc::now());
        }
        self.sessions.lock().insert(session.shared.pid, Arc::clone(&session.shared));
    }

    /// A number that no session has had.
    pub(crate) fn next_pid(&self) -> i32 {
        self.next_pid.fetch_add(1, Ordering::Relaxed)
    }

    /// Refuses roles that may not log in, and databases that the role may not connect to.
    fn may_connect(&self, role: &Role, database: &Database) -> Result<()> {
        if !role.login {
            let text = format!("role \"{}\" is not permitted to log in", role.name);
            return Err(Error::fatal("28000", text));
        }
        let rights = self.cluster.rights(role.oid, database.oid);
        match Access::database(database).permits(&rights, 'c', false) {
            true => Ok(()),
            false => {
                let text = format!("permission denied for database \"{}\"", database.name);
                let detail = "User does not have CONNECT privilege.";
                Err(Error::fatal("42501", text).with_detail(detail))
            }
        }
    }

    /// Stops what a session does, if the secret is right.
    pub fn cancel(&self, pid: i32, secret: &[u8]) {
        if let Some(session) = self.session(pid)
            && session.secret.as_slice() == secret
        {
            session.stop(StopReason::Request);
        }
    }

    /// Ends all sessions and writes everything to files.
    ///
    /// # Errors
    /// What could not be written; it is safe in the log then.
    pub async fn shutdown(&self) -> Result<()> {
        for session in self.sessions() {
            session.stop(StopReason::Termination);
        }
        self.workers.end().await;
        self.purger.end().await;
        self.auditor.end(&self.cluster).await?;
        let refreshes = refresh::saved::collect(self);
        self.cluster.close().await?;
        refresh::saved::write(refreshes);
        Ok(())
    }

    /// All sessions.
    pub fn sessions(&self) -> Vec<Arc<SessionShared>> {
        self.sessions.lock().values().map(Arc::clone).collect()
    }

    /// A session by its number.
    pub fn session(&self, pid: i32) -> Option<Arc<SessionShared>> {
        self.sessions.lock().get(&pid).map(Arc::clone)
    }

    pub(crate) fn forget(&self, pid: i32) {
        self.sessions.lock().remove(&pid);
    }

    pub(crate) fn role(&self, name: &str) -> Option<Role> {
        self.cluster.role_by_name(name)
    }

    pub(crate) fn database(&self, name: &str) -> Option<Database> {
        self.cluster.database_by_name(name)
    }

    /// Where plans run.
    ///
    /// # Errors
    /// 57P01 once the engine is being closed.
    pub fn cpu(&self) -> Result<tokio::runtime::Handle> {
        handle(self.cpu.as_ref())
    }

    /// Where plans are made, and what takes milliseconds is done: behind a crowd of plans that run
    /// these would wait for a turn of each.
    ///
    /// # Errors
    /// 57P01 once the engine is being closed.
    pub(crate) fn planning(&self) -> Result<tokio::runtime::Handle> {
        handle(self.planning.as_ref())
    }
}

fn threads(name: &str, count: usize) -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(count).thread_name(name).thread_stack_size(8 << 20).enable_all();
    let refused = |error| Error::new("58030", format!("could not start threads: {error}"));
    builder.build().map_err(refused)
}

fn handle(runtime: Option<&Runtime>) -> Result<tokio::runtime::Handle> {
    let closing = || Error::fatal("57P01", "the server is shutting down");
    runtime.map(|runtime| runtime.handle().clone()).ok_or_else(closing)
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A runtime must not wait for its threads inside another runtime.
        for runtime in [self.cpu.take(), self.planning.take()].into_iter().flatten() {
            runtime.shutdown_background();
        }
    }
}
