//! Who is it? SCRAM, then a session of the engine, then the greeting.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use clientele_engine::api::Encryption;
use clientele_engine::{Error, Session, Startup};
use pgwire::messages::PgWireBackendMessage as Message;
use pgwire::messages::startup::{
    Authentication, BackendKeyData, NegotiateProtocolVersion, ParameterStatus, SecretKey,
};

use super::Connection;
use super::link::Link;
use super::request::{Body, Frame};
use super::startup::Wish;
use crate::auth;
use crate::error::{Failure, protocol_violation};
use crate::listener::Server;

/// Authenticates a client and opens its session. With a failure comes the link to tell it over.
///
/// # Errors
/// 28P01, the same for a wrong password and an unknown role; then what the engine says of the
/// database, the limit of connections and the settings.
pub async fn log_in(
    wish: Wish,
    peer: SocketAddr,
    server: &Arc<Server>,
) -> Result<Connection, (Link, Failure)> {
    let Wish { socket, tls, parameters, downgrade } = wish;
    let mut link = Link::new(socket, server.guard(), &server.metrics);
    if let Some(downgrade) = downgrade {
        let version = downgrade.version.cast_signed();
        let message = NegotiateProtocolVersion::new(version, downgrade.options);
        if let Err(error) = link.send(&Message::NegotiateProtocolVersion(message)) {
            return Err((link, error.into()));
        }
    }
    let opened = match read_startup(parameters, peer, tls) {
        Ok(startup) => match authenticate(&mut link, &startup, server).await {
            Ok(()) => server.engine.connect(startup).map_err(Failure::from),
            Err(failure) => Err(failure),
        },
        Err(error) => Err(error.into()),
    };
    match opened {
        Ok(session) => greet(link, session, server).await,
        Err(failure) => Err((link, failure)),
    }
}

/// Sorts the start-up parameters.
fn read_startup(
    parameters: Vec<(String, String)>,
    peer: SocketAddr,
    tls: Option<Encryption>,
) -> Result<Startup, Error> {
    let mut startup = Startup { peer: Some(peer), tls, ..Startup::default() };
    for (name, value) in parameters {
        match name.as_str() {
            "user" => startup.role = value,
            "database" => startup.database = value,
            "replication" => match value.as_str() {
                "false" | "off" | "no" | "0" => (),
                _ => return Err(Error::unsupported("the replication protocol")),
            },
            _ => startup.parameters.push((name, value)),
        }
    }
    if startup.role.is_empty() {
        return Err(Error::new("28000", "no PostgreSQL user name specified in startup packet"));
    }
    if startup.database.is_empty() {
        startup.database = startup.role.clone();
    }
    Ok(startup)
}

async fn authenticate(link: &mut Link, startup: &Startup, server: &Server) -> Result<(), Failure> {
    server.hba.admit(startup, &server.engine)?;
    let tls = server.tls.as_ref().filter(|_| startup.tls.is_some());
    link.send(&Message::Authentication(Authentication::SASL(auth::mechanisms(tls))))?;
    link.flush().await?;
    let (mechanism, first) = read_first(&password_message(link).await?)?;
    let verifier = server.engine.password_verifier(&startup.role);
    let secret = server.doubles.secret(&startup.role, verifier.as_deref());
    let (answer, exchange) = auth::begin(&mechanism, &first, secret, tls)?;
    link.send(&Message::Authentication(Authentication::SASLContinue(answer.into())))?;
    link.flush().await?;
    let last = password_message(link).await?;
    let Ok(proof) = exchange.on_client_final_message(&last) else {
        return Err(refuse(startup, server).await.into());
    };
    link.send(&Message::Authentication(Authentication::SASLFinal(proof.into())))?;
    Ok(())
}

/// Takes its time, to slow down guessing, and logs who tried, nothing else.
async fn refuse(startup: &Startup, server: &Server) -> Error {
    server.metrics.logins_failed.inc();
    if let Some(peer) = startup.peer {
        tracing::warn!(role = startup.role, address = %peer.ip(), "login failed");
        tokio::time::sleep(server.throttle.failed(peer.ip())).await;
    }
    let message = format!("password authentication failed for user \"{}\"", startup.role);
    Error::fatal("28P01", message)
}

async fn password_message(link: &mut Link) -> Result<Bytes, Failure> {
    match link.next().await? {
        Frame { kind: b'p', body } => Ok(body),
        Frame { kind: b'X', .. } => Err(Failure::End(None)),
        Frame { kind, .. } => {
            let message = format!("expected SASL response, got message type {kind}");
            Err(protocol_violation(message).into())
        }
    }
}

/// SASLInitialResponse: the mechanism and the client's first message.
fn read_first(bytes: &Bytes) -> Result<(String, Bytes), Error> {
    let mut body = Body(bytes);
    let mechanism = body.text()?;
    let length = body.int32()? as usize;
    let message = body.rest();
    match message.len() == length {
        true => Ok((mechanism, bytes.slice_ref(message))),
        false => Err(protocol_violation("malformed SASL response")),
    }
}

/// AuthenticationOk, ParameterStatus for each reported setting, BackendKeyData, ReadyForQuery.
async fn greet(
    mut link: Link,
    session: Session,
    server: &Arc<Server>,
) -> Result<Connection, (Link, Failure)> {
    let secret = SecretKey::Bytes(session.secret().into());
    let key = BackendKeyData::new(session.pid(), secret);
    let settings = session.parameters().into_iter();
    let settings =
        settings.map(|(name, value)| Message::ParameterStatus(ParameterStatus::new(name, value)));
    let greeting = std::iter::once(Message::Authentication(Authentication::Ok))
        .chain(settings)
        .chain(std::iter::once(Message::BackendKeyData(key)));
    for message in greeting {
        if let Err(error) = link.send(&message) {
            return Err((link, error.into()));
        }
    }
    link.allow(server.limits.message_size_max_bytes);
    link.guard.terminated = session.terminated();
    let (engine, pid, secret) = (Arc::clone(&server.engine), session.pid(), session.secret());
    link.guard.stop_statement = Arc::new(move || engine.cancel(pid, &secret));
    let mut connection = Connection {
        server: Arc::clone(server),
        link,
        session,
        portals: HashMap::new(),
        skipping: false,
        changed: BTreeMap::new(),
        is_ready: false,
    };
    match connection.ready().await {
        Ok(()) => Ok(connection),
        Err(failure) => Err((connection.link, failure)),
    }
}
