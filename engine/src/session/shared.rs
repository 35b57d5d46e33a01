//! The part of a session that others see: who it is, what it does, how to stop it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{Oid, Sequence};
use clientele_catalog::pg_catalog::{CursorFacts, PreparedFacts};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::job::Running;
use super::notify::Channels;
use super::settings::Settings;
use crate::api::{Encryption, Notice};
use crate::copy::progress::CopyProgress;
use crate::error::Error;
use crate::functions::random::Generator;
use crate::privacy::audit::Noted;

/// Why a statement is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum StopReason {
    /// CancelRequest or `pg_cancel_backend`.
    Request = 1,
    /// `statement_timeout`.
    Timeout = 2,
    /// `pg_terminate_backend` or the server's end.
    Termination = 3,
}

/// What `pg_stat_activity` tells of a session.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// `idle`, `active`, `idle in transaction`, `idle in transaction (aborted)`.
    pub state: &'static str,
    /// The present or last statement.
    pub query: String,
    /// When it began.
    pub query_start: Option<DateTime<Utc>>,
    /// When the transaction began.
    pub xact_start: Option<DateTime<Utc>>,
    /// When the state last changed.
    pub state_change: Option<DateTime<Utc>>,
}

/// A session as others see it.
pub struct SessionShared {
    /// Process number, unique among the sessions of this server.
    pub pid: i32,
    /// What a CancelRequest must know.
    pub secret: [u8; 4],
    /// The role that logged in.
    pub role_name: String,
    /// Its OID.
    pub role: Oid,
    /// The database.
    pub database_name: String,
    /// Its OID.
    pub database: Oid,
    /// Where the client is.
    pub peer: Option<SocketAddr>,
    /// How its connection is encrypted.
    pub tls: Option<Encryption>,
    /// When it began.
    pub backend_start: DateTime<Utc>,
    /// Ends the session.
    pub terminated: CancellationToken,
    /// Its settings.
    pub settings: Mutex<Settings>,
    /// What it does.
    pub activity: Mutex<Activity>,
    /// Last values of sequences, for `currval`.
    pub sequence_values: Mutex<HashMap<Oid, i64>>,
    /// What `random()` gives since `setseed`.
    pub(crate) random: Mutex<Option<Generator>>,
    /// State of sequences that only this session knows: not yet committed, or temporary.
    pub new_sequences: Mutex<HashMap<Oid, Sequence>>,
    /// Things to tell the client, from functions.
    pub notices: Mutex<Vec<Notice>>,
    /// What it has to report to the audit log.
    pub(crate) noted: Mutex<Noted>,
    /// The COPY that it runs.
    pub progress: Mutex<Option<Arc<CopyProgress>>>,
    /// Other long work that is under way.
    pub(crate) job: Mutex<Option<Running>>,
    /// Its prepared statements, for `pg_prepared_statements`.
    pub prepared: Mutex<Vec<PreparedFacts>>,
    /// Its cursors, for `pg_cursors`.
    pub cursors: Mutex<Vec<CursorFacts>>,
    /// What it listens to.
    pub channels: Channels,
    statement: Mutex<CancellationToken>,
    reason: AtomicU8,
    serial: AtomicU64,
}

/// Who a new session belongs to.
pub struct Identity {
    /// Process number.
    pub pid: i32,
    /// Role: OID and name.
    pub role: (Oid, String),
    /// Database: OID and name.
    pub database: (Oid, String),
    /// Where the client is.
    pub peer: Option<SocketAddr>,
    /// How its connection is encrypted.
    pub tls: Option<Encryption>,
}

impl SessionShared {
    /// A session that does nothing yet.
    pub fn new(identity: Identity, settings: Settings) -> Self {
        Self {
            pid: identity.pid,
            secret: rand::random(),
            role_name: identity.role.1,
            role: identity.role.0,
            database_name: identity.database.1,
            database: identity.database.0,
            peer: identity.peer,
            tls: identity.tls,
            backend_start: Utc::now(),
            terminated: CancellationToken::new(),
            settings: Mutex::new(settings),
            activity: Mutex::new(Activity { state: "idle", ..Activity::default() }),
            sequence_values: Mutex::default(),
            random: Mutex::default(),
            new_sequences: Mutex::default(),
            notices: Mutex::default(),
            noted: Mutex::default(),
            progress: Mutex::default(),
            job: Mutex::default(),
            prepared: Mutex::default(),
            cursors: Mutex::default(),
            channels: Channels::default(),
            statement: Mutex::new(CancellationToken::new()),
            reason: AtomicU8::new(0),
            serial: AtomicU64::new(0),
        }
    }

    /// Name of the schema of this session's temporary relations.
    pub fn temporary_schema(&self) -> String {
        format!("pg_temp_{}", self.pid)
    }

    /// A statement begins: it gets a token of its own, so that a late cancel cannot hit the next.
    pub fn begin_statement(&self, text: &str) -> CancellationToken {
        let token = self.terminated.child_token();
        *self.statement.lock() = token.clone();
        self.reason.store(0, Ordering::Relaxed);
        self.serial.fetch_add(1, Ordering::Relaxed);
        let now = Some(Utc::now());
        let mut activity = self.activity.lock();
        activity.state = "active";
        activity.query.clear();
        activity.query.push_str(text);
        activity.query_start = now;
        activity.state_change = now;
        token
    }

    /// The present statement's token.
    pub fn token(&self) -> CancellationToken {
        self.statement.lock().clone()
    }

    /// Nothing runs any more.
    pub fn rest(&self, state: &'static str, xact_start: Option<DateTime<Utc>>) {
        let mut activity = self.activity.lock();
        activity.state = state;
        activity.xact_start = xact_start;
        activity.state_change = Some(Utc::now());
    }

    /// Stops the present statement, or the session.
    pub fn stop(&self, reason: StopReason) {
        if reason == StopReason::Termination {
            self.reason.store(reason as u8, Ordering::Relaxed);
            self.terminated.cancel();
            return;
        }
        if self.activity.lock().state == "active" {
            self.reason.store(reason as u8, Ordering::Relaxed);
            self.statement.lock().cancel();
        }
    }

    /// Number of the present statement.
    pub fn serial(&self) -> u64 {
        self.serial.load(Ordering::Relaxed)
    }

    /// Stops the statement of this number, if it is still the present one.
    pub fn stop_statement(&self, serial: u64, reason: StopReason) {
        if self.serial() == serial {
            self.stop(reason);
        }
    }

    /// What the stopped statement fails with.
    pub fn stop_error(&self) -> Error {
        match self.reason.load(Ordering::Relaxed) {
            3 => Error::fatal("57P01", "terminating connection due to administrator command"),
            2 => Error::new("57014", "canceling statement due to statement timeout"),
            _ => Error::new("57014", "canceling statement due to user request"),
        }
    }
}
