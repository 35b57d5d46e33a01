//! One client, from its first byte to its last.
//!
//! ```text
//! startup ──▶ authenticate ──▶ ready ──▶ closed
//!    │              │                      ▲
//!    └──────────────┴──────────────────────┘   (cancel request, refusal, time-out)
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`startup`] | encryption, cancel requests, protocol version |
//! | [`login`] | the password, then the engine's session |
//! | [`link`] | frames in, one output buffer out, what ends a connection from outside |
//! | [`request`] | what a client can say |
//! | [`simple`], [`extended`] | the two protocols, over one road in the engine |
//! | [`cursors`] | portals that SQL moves, cursors that the protocol reads |
//! | [`portal`], [`rows`] | a bound statement and where its rows stand; rows on their way out |
//! | [`copy`] | COPY's sub-protocol |

pub mod copy;
pub mod cursors;
pub mod extended;
pub mod link;
pub mod login;
pub mod portal;
pub mod request;
pub mod rows;
pub mod simple;
pub mod startup;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_engine::{Error, Notice, Session, TransactionStatus};
use futures::FutureExt;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{
    CommandComplete, NotificationResponse, ReadyForQuery, TransactionStatus as WireStatus,
};
use pgwire::messages::startup::ParameterStatus;
use tokio::net::TcpStream;

use crate::error::{Failure, error_response, notice_response};
use crate::listener::Server;
use link::Link;
use portal::Portal;
use request::{Frame, Request};
use startup::{Negotiated, Wish};

/// Where a connection stands.
enum State {
    /// Connected; nothing said yet.
    Startup(TcpStream),
    /// Wants a session; has to show who it is.
    Authenticate(Box<Wish>),
    /// Logged in.
    Ready(Box<Connection>),
    /// At its end.
    Closed,
}

/// Serves one client to its end.
pub async fn serve(stream: TcpStream, peer: SocketAddr, server: Arc<Server>) {
    let deadline = tokio::time::Instant::now() + server.limits.startup_timeout;
    let mut state = State::Startup(stream);
    loop {
        let next = async {
            match state {
                State::Startup(stream) => start(stream, peer, &server).await,
                State::Authenticate(wish) => authenticate(*wish, peer, &server).await,
                settled => settled,
            }
        };
        let entered = tokio::select! {
            entered = tokio::time::timeout_at(deadline, Box::pin(next)) => entered,
            () = server.drain.cancelled() => return,
        };
        state = match entered {
            Ok(State::Ready(connection)) => return connection.serve().await,
            Ok(State::Closed) | Err(_) => return,
            Ok(other) => other,
        };
    }
}

async fn start(stream: TcpStream, peer: SocketAddr, server: &Server) -> State {
    match startup::negotiate(stream, peer, server).await {
        Negotiated::Session(wish) => State::Authenticate(Box::new(wish)),
        Negotiated::Refused(socket, error) => {
            let link = Link::new(socket, server.guard(), &server.metrics);
            link.farewell(Some(&error_response(&error))).await;
            State::Closed
        }
        Negotiated::Done => State::Closed,
    }
}

async fn authenticate(wish: Wish, peer: SocketAddr, server: &Arc<Server>) -> State {
    match login::log_in(wish, peer, server).await {
        Ok(connection) => State::Ready(Box::new(connection)),
        Err((link, Failure::End(Some(error)) | Failure::Statement(error))) => {
            let error = Error { severity: "FATAL", ..error };
            link.farewell(Some(&error_response(&error))).await;
            State::Closed
        }
        Err((_, Failure::End(None))) => State::Closed,
    }
}

/// A client that has logged in.
pub struct Connection {
    server: Arc<Server>,
    link: Link,
    session: Session,
    /// Portals by name; the unnamed one is called "". They live as long as their transaction.
    portals: HashMap<String, Portal>,
    /// After an error in the extended protocol, everything up to Sync is ignored.
    skipping: bool,
    /// Settings that clients follow and have not been told of yet.
    changed: BTreeMap<String, String>,
    /// Whether ReadyForQuery was the last thing said: only then does the session idle.
    is_ready: bool,
}

/// Setting, SQLSTATE and message of a session that idles too long.
type IdleLimit = (&'static str, &'static str, &'static str);
const IDLE_SESSION: IdleLimit =
    ("idle_session_timeout", "57P05", "terminating connection due to idle-session timeout");
const IDLE_IN_TRANSACTION: IdleLimit = (
    "idle_in_transaction_session_timeout",
    "25P03",
    "terminating connection due to idle-in-transaction timeout",
);

impl Connection {
    /// Answers messages until the connection ends, then says why where there is something to say.
    async fn serve(mut self: Box<Self>) {
        let ended = AssertUnwindSafe(Box::pin(self.run())).catch_unwind().await;
        let last_word = match ended {
            Ok(Failure::End(error)) => error,
            Ok(Failure::Statement(error)) => Some(error),
            Err(_) => {
                self.server.metrics.panics.inc();
                tracing::error!(pid = self.session.pid(), "session ended by an internal error");
                let message = "internal error: the session has ended";
                Some(Error::new("XX000", message).with_hint("The server's log says where."))
            }
        };
        let last_word = last_word.map(|error| Error { severity: "FATAL", ..error });
        // What the session holds is given back before the client sees its end.
        let Self { link, session, portals, .. } = *self;
        drop(portals);
        drop(session);
        link.farewell(last_word.as_ref().map(error_response).as_ref()).await;
    }

    async fn run(&mut self) -> Failure {
        loop {
            let answered = match self.next().await {
                Ok(frame) => self.dispatch(frame).await,
                Err(end) => Err(end),
            };
            if let Err(end) = answered {
                return end;
            }
        }
    }

    /// Waits for the next message, for no longer than the session's settings let it idle.
    async fn next(&mut self) -> Result<Frame, Failure> {
        let (setting, sqlstate, message) = match (self.is_ready, self.session.status()) {
            (false, _) => return self.link.next().await,
            (true, TransactionStatus::Idle) => return self.next_when_idle().await,
            (true, _) => IDLE_IN_TRANSACTION,
        };
        let limit_ms = self.session.milliseconds(setting);
        if limit_ms == 0 {
            return self.link.next().await;
        }
        let next = tokio::time::timeout(Duration::from_millis(limit_ms), self.link.next());
        match next.await {
            Ok(frame) => frame,
            Err(_) => Err(Failure::End(Some(Error::fatal(sqlstate, message)))),
        }
    }

    /// Waits outside a transaction, where notifications are told as they arrive.
    async fn next_when_idle(&mut self) -> Result<Frame, Failure> {
        let (setting, sqlstate, message) = IDLE_SESSION;
        let limit_ms = self.session.milliseconds(setting);
        let limit = Duration::from_millis(if limit_ms == 0 { u64::MAX / 1000 } else { limit_ms });
        let since = Instant::now();
        loop {
            tokio::select! {
                biased;
                frame = self.link.next() => return frame,
                () = self.session.notified() => {}
                () = tokio::time::sleep(limit.saturating_sub(since.elapsed())) => {
                    return Err(Failure::End(Some(Error::fatal(sqlstate, message))));
                }
            }
            self.tell_notifications()?;
            self.link.flush().await?;
        }
    }

    fn tell_notifications(&mut self) -> Result<(), Failure> {
        for notice in self.session.take_notifications() {
            if let Notice::Notification { pid, channel, payload } = notice {
                let notification = NotificationResponse::new(pid, channel, payload);
                self.link.send(&PgWireBackendMessage::NotificationResponse(notification))?;
            }
        }
        Ok(())
    }

    async fn dispatch(&mut self, frame: Frame) -> Result<(), Failure> {
        self.is_ready = false;
        if self.skipping && !matches!(frame.kind, b'S' | b'X') {
            return Ok(());
        }
        let answered = match Request::decode(&frame) {
            Ok(request) => self.answer(request).await,
            Err(error) => Err(error.into()),
        };
        match answered {
            Err(Failure::Statement(error)) => self.refuse(frame.kind, &error).await,
            other => other,
        }
    }

    async fn answer(&mut self, request: Request) -> Result<(), Failure> {
        match request {
            Request::Query(sql) => self.query(&sql).await,
            Request::Parse(name, sql, types) => self.parse(name, &sql, &types).await,
            Request::Bind(bind) => self.bind(*bind).await,
            Request::Describe(target) => self.describe(&target),
            Request::Execute(portal, row_limit) => self.execute(portal, row_limit).await,
            Request::Close(target) => self.close(&target),
            Request::Flush => self.link.flush().await,
            Request::Sync => self.sync().await,
            Request::FunctionCall => Err(Error::unsupported("the function call message").into()),
            Request::CopyRest => Ok(()),
            Request::Terminate => Err(Failure::End(None)),
        }
    }

    /// Answers with an error. The simple protocol is ready again at once, the extended one after
    /// the next Sync.
    async fn refuse(&mut self, kind: u8, error: &Error) -> Result<(), Failure> {
        self.server.metrics.statement_failed(error.sqlstate);
        tracing::debug!(pid = self.session.pid(), sqlstate = error.sqlstate, "statement failed");
        self.session.fail();
        self.portals.values_mut().for_each(Portal::abandon);
        self.tell()?;
        self.link.send(&error_response(error))?;
        if matches!(kind, b'Q' | b'F' | b'S') {
            if let Err(error) = self.link.run(self.session.sync()).await? {
                self.link.send(&error_response(&error))?;
            }
            return self.ready().await;
        }
        self.skipping = true;
        self.link.flush().await
    }

    /// ReadyForQuery.
    async fn ready(&mut self) -> Result<(), Failure> {
        self.skipping = false;
        self.is_ready = true;
        let status = match self.session.status() {
            TransactionStatus::Idle => WireStatus::Idle,
            TransactionStatus::InTransaction => WireStatus::Transaction,
            TransactionStatus::Failed => WireStatus::Error,
        };
        self.tell()?;
        if status == WireStatus::Idle {
            self.portals.clear();
            self.tell_notifications()?;
        }
        for (name, value) in std::mem::take(&mut self.changed) {
            let status = ParameterStatus::new(name, value);
            self.link.send(&PgWireBackendMessage::ParameterStatus(status))?;
        }
        self.link.send(&PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status)))?;
        self.link.flush().await
    }

    /// CommandComplete, with what goes before it.
    fn complete(&mut self, tag: String, began: Instant) -> Result<(), Failure> {
        self.server.metrics.statement_done(&tag, began);
        self.tell()?;
        let complete = PgWireBackendMessage::CommandComplete(CommandComplete::new(tag));
        Ok(self.link.send(&complete)?)
    }

    /// Sends what the session has to say beside its answers.
    fn tell(&mut self) -> Result<(), Failure> {
        for notice in self.session.take_notices() {
            let message = match notice {
                Notice::Message(notice) => notice_response(&notice),
                // Settings are told once, before the next ReadyForQuery.
                Notice::Parameter(name, value) => {
                    self.changed.insert(name, value);
                    continue;
                }
                // Notifications have a queue of their own.
                Notice::Notification { .. } => continue,
            };
            self.link.send(&message)?;
        }
        Ok(())
    }
}
