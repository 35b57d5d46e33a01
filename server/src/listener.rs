//! Accepts connections, holds them to their number, and lets them end well.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clientele_engine::{Engine, Error};
use pgwire::messages::PgWireBackendMessage;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Doubles, Throttle};
use crate::connection;
use crate::connection::link::Guard;
use crate::error::error_response;
use crate::hba::Rules;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::tls::Tls;

/// Waits between attempts when the system has no file handle left, doubled up to the last.
const BACK_OFF_FIRST: Duration = Duration::from_millis(10);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// What all connections share.
pub struct Server {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Certificate and key, where TLS is on.
    pub tls: Option<Tls>,
    /// Who may connect from where.
    pub hba: Rules,
    /// Limits from the settings.
    pub limits: Limits,
    /// What is counted.
    pub metrics: Metrics,
    /// Who failed to log in lately.
    pub throttle: Throttle,
    /// Verifiers for roles that have none.
    pub doubles: Doubles,
    /// Cancelled: no new connections, idle sessions end.
    pub drain: CancellationToken,
    /// Cancelled: every session ends.
    pub stop: CancellationToken,
}

/// Limits of connections.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Sockets at one time. Twice the sessions: a client that does not log in must not keep out
    /// those that do, and the engine says itself when its sessions are taken.
    pub sockets_max: usize,
    /// Time to log in.
    pub startup_timeout: Duration,
    /// Largest message.
    pub message_size_max_bytes: usize,
}

impl Server {
    /// A server for this engine.
    ///
    /// # Errors
    /// None in practice, see [`Metrics::new`].
    pub fn new(
        engine: Arc<Engine>,
        (tls, hba): (Option<Tls>, Rules),
        settings: &Settings,
    ) -> prometheus::Result<Arc<Self>> {
        let limits = Limits {
            sockets_max: settings.connections_max.saturating_mul(2).max(100),
            startup_timeout: settings.startup_timeout,
            message_size_max_bytes: settings.message_size_max_bytes,
        };
        Ok(Arc::new(Self {
            engine,
            tls,
            hba,
            limits,
            metrics: Metrics::new()?,
            throttle: Throttle::default(),
            doubles: Doubles::default(),
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// What ends a connection that has no session yet.
    pub fn guard(&self) -> Guard {
        Guard {
            drain: self.drain.clone(),
            stop: self.stop.clone(),
            terminated: CancellationToken::new(),
            stop_statement: Arc::new(|| ()),
        }
    }
}

/// Accepts connections until the server drains, then waits for them to end: running statements
/// get `timeout`, after which every session is closed.
pub async fn run(listener: TcpListener, server: Arc<Server>, timeout: Duration) {
    let connections = TaskTracker::new();
    tokio::select! {
        () = accept_all(&listener, &server, &connections) => (),
        () = server.drain.cancelled() => (),
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(timeout, connections.wait()).await.is_err() {
        tracing::warn!(
            sessions = connections.len(),
            "statements still run: closing their sessions"
        );
        server.stop.cancel();
        connections.wait().await;
    }
}

async fn accept_all(listener: &TcpListener, server: &Arc<Server>, connections: &TaskTracker) {
    let mut back_off = BACK_OFF_FIRST;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                back_off = BACK_OFF_FIRST;
                admit(stream, peer, server, connections);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(back_off).await;
                back_off = (2 * back_off).min(BACK_OFF_MAX);
            }
        }
    }
}

fn admit(stream: TcpStream, peer: SocketAddr, server: &Arc<Server>, connections: &TaskTracker) {
    server.metrics.connections_accepted.inc();
    if connections.len() >= server.limits.sockets_max {
        server.metrics.connections_refused.inc();
        refuse(&stream);
        return;
    }
    // Answers are sent whole: waiting for more would only delay them.
    stream.set_nodelay(true).ok();
    let server = Arc::clone(server);
    connections.spawn(async move {
        let open = Open::new(&server.metrics);
        connection::serve(stream, peer, Arc::clone(&server)).await;
        drop(open);
    });
}

/// Counts a connection as open for as long as it lives.
struct Open(prometheus::IntGauge);

impl Open {
    fn new(metrics: &Metrics) -> Self {
        metrics.connections.inc();
        Self(metrics.connections.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Turns a client away without spending a task on it: what does not fit the socket's empty buffer
/// at once is not sent.
fn refuse(stream: &TcpStream) {
    let error = Error::fatal("53300", "sorry, too many clients already");
    let mut message = bytes::BytesMut::new();
    let response: PgWireBackendMessage = error_response(&error);
    if response.encode(&mut message).is_ok() {
        stream.try_write(&message).ok();
    }
}
