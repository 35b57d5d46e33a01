//! From an accepted socket to a start-up packet: encryption, cancel requests, protocol version.
//!
//! Packets have no type byte here and are read to the byte, never beyond: what an attacker slips
//! in before a TLS handshake is not taken for something said after it.

use std::net::SocketAddr;

use bytes::Bytes;
use clientele_engine::api::Encryption;
use clientele_engine::{Error, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::link::Socket;
use super::request::Body;
use crate::error::protocol_violation;
use crate::listener::Server;
use crate::tls;

/// PostgreSQL: MAX_STARTUP_PACKET_LENGTH.
const SIZE_MAX: usize = 10_000;

const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const VERSION_3_0: u32 = 3 << 16;
const VERSION_3_2: u32 = 3 << 16 | 2;
/// First byte of a TLS handshake: the client encrypts without asking (`sslnegotiation=direct`).
const TLS_HANDSHAKE: u8 = 0x16;

/// How negotiation ends.
pub enum Negotiated {
    /// The client wants a session.
    Session(Wish),
    /// A cancel request was passed on, or the client went away: nothing more to do.
    Done,
    /// The client is told why not.
    Refused(Box<dyn Socket>, Error),
}

/// A client that wants a session.
pub struct Wish {
    /// Its socket.
    pub socket: Box<dyn Socket>,
    /// How it is encrypted.
    pub tls: Option<Encryption>,
    /// Start-up parameters in their order.
    pub parameters: Vec<(String, String)>,
    /// What of its wishes the protocol version does not have: NegotiateProtocolVersion is due.
    pub downgrade: Option<Downgrade>,
}

/// The protocol that is spoken instead of the one asked for.
pub struct Downgrade {
    /// Newest version that is served.
    pub version: u32,
    /// Options of the protocol that are not known.
    pub options: Vec<String>,
}

/// Negotiates encryption and protocol. The caller limits the time.
pub async fn negotiate(stream: TcpStream, peer: SocketAddr, server: &Server) -> Negotiated {
    let mut socket: Box<dyn Socket> = match (&server.tls, starts_with_tls(&stream).await) {
        (Some(tls), true) => match tls.acceptor.accept(stream).await {
            Ok(stream) => {
                let how = tls::encryption(&stream);
                return finish(Box::new(stream), how, server).await;
            }
            Err(_) => return Negotiated::Done,
        },
        _ => Box::new(stream),
    };
    loop {
        let Ok(packet) = read_packet(&mut socket).await else {
            return Negotiated::Done;
        };
        match packet.as_ref().map(|packet| packet.code) {
            Ok(SSL_REQUEST) => {
                let Some(tls) = &server.tls else {
                    if socket.write_all(b"N").await.is_err() {
                        return Negotiated::Done;
                    }
                    continue;
                };
                if socket.write_all(b"S").await.is_err() {
                    return Negotiated::Done;
                }
                let Ok(encrypted) = tls.acceptor.accept(socket).await else {
                    tracing::info!(%peer, "TLS handshake failed");
                    return Negotiated::Done;
                };
                let how = tls::encryption(&encrypted);
                return finish(Box::new(encrypted), how, server).await;
            }
            Ok(GSS_REQUEST) => {
                if socket.write_all(b"N").await.is_err() {
                    return Negotiated::Done;
                }
            }
            _ => return settle(packet, socket, None, server),
        }
    }
}

/// After encryption is settled, only a start-up packet or a cancel request can come.
async fn finish(
    mut socket: Box<dyn Socket>,
    tls: Option<Encryption>,
    server: &Server,
) -> Negotiated {
    match read_packet(&mut socket).await {
        Ok(packet) => settle(packet, socket, tls, server),
        Err(_) => Negotiated::Done,
    }
}

fn settle(
    packet: Result<Packet>,
    socket: Box<dyn Socket>,
    tls: Option<Encryption>,
    server: &Server,
) -> Negotiated {
    match packet.and_then(|packet| packet.read(server)) {
        Ok(Some((parameters, downgrade))) => {
            Negotiated::Session(Wish { socket, tls, parameters, downgrade })
        }
        Ok(None) => Negotiated::Done,
        Err(error) => Negotiated::Refused(socket, Error { severity: "FATAL", ..error }),
    }
}

/// A packet without type byte: length, code, rest.
struct Packet {
    code: u32,
    rest: Bytes,
}

type Parameters = Vec<(String, String)>;

impl Packet {
    /// Reads start-up parameters; a cancel request is passed on to the engine.
    fn read(&self, server: &Server) -> Result<Option<(Parameters, Option<Downgrade>)>> {
        let mut body = Body(&self.rest);
        if self.code == CANCEL_REQUEST {
            server.engine.cancel(body.int32()?.cast_signed(), body.rest());
            return Ok(None);
        }
        if self.code >> 16 != 3 {
            let (major, minor) = (self.code >> 16, self.code & 0xffff);
            let message = format!(
                "unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2"
            );
            return Err(Error::new("0A000", message));
        }
        let mut parameters = Vec::new();
        loop {
            let name = body.text()?;
            if name.is_empty() {
                break;
            }
            parameters.push((name, body.text()?));
        }
        let (unknown, parameters): (Vec<_>, Parameters) =
            parameters.into_iter().partition(|(name, _)| name.starts_with("_pq_."));
        let options: Vec<String> = unknown.into_iter().map(|(name, _)| name).collect();
        let version = match self.code {
            VERSION_3_0 => VERSION_3_0,
            code if code >= VERSION_3_2 => VERSION_3_2,
            // 3.1 was never released: whoever asks for it gets what was there before.
            _ => VERSION_3_0,
        };
        let downgrade = version != self.code || !options.is_empty();
        Ok(Some((parameters, downgrade.then_some(Downgrade { version, options }))))
    }
}

/// Reads a packet. The outer error: the client has gone; the inner: it sends no packet.
async fn read_packet(
    socket: &mut (impl AsyncRead + Unpin + ?Sized),
) -> std::io::Result<Result<Packet>> {
    let length = socket.read_u32().await? as usize;
    if !(8..=SIZE_MAX).contains(&length) {
        return Ok(Err(protocol_violation("invalid length of startup packet")));
    }
    let code = socket.read_u32().await?;
    let mut rest = vec![0; length - 8];
    socket.read_exact(&mut rest).await?;
    Ok(Ok(Packet { code, rest: rest.into() }))
}

async fn starts_with_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0] == TLS_HANDSHAKE
}
