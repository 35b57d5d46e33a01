//! A small client of the PostgreSQL protocol that returns values as the text the server sent, over
//! the simple or the extended protocol.

use std::io::ErrorKind::{TimedOut, WouldBlock};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fallible_iterator::FallibleIterator;
use postgres_protocol::IsNull;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::{backend::Message, frontend};

use crate::server::PASSWORD;

/// An error of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// SQLSTATE.
    pub sqlstate: String,
    /// Primary message.
    pub message: String,
}

impl std::fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.sqlstate, self.message)
    }
}

impl std::error::Error for ServerError {}

/// The answer to one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Number of columns.
    pub columns: usize,
    /// Rows of text.
    pub rows: Vec<Vec<Option<String>>>,
    /// Command tag.
    pub tag: String,
}

/// A connection.
pub struct Client {
    stream: TcpStream,
    buffer: bytes_mut::BytesMut,
    /// What a CancelRequest needs.
    pub key: (i32, i32),
}

/// `postgres_protocol` speaks in `bytes`; this is the one name that we need of it.
mod bytes_mut {
    pub use clientele_engine::bytes::BytesMut;
}

impl Client {
    /// Connects as `admin`.
    pub fn connect(port: u16, database: &str) -> Result<Self> {
        Self::connect_as(port, database, ("admin", PASSWORD))
    }

    /// Connects as a role with its password.
    pub fn connect_as(port: u16, database: &str, login: (&str, &str)) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut client = Self { stream, buffer: bytes_mut::BytesMut::new(), key: (0, 0) };
        client.log_in(database, login)?;
        Ok(client)
    }

    fn log_in(&mut self, database: &str, (role, password): (&str, &str)) -> Result<()> {
        let mut out = bytes_mut::BytesMut::new();
        frontend::startup_message(
            [("user", role), ("database", database), ("TimeZone", "UTC")],
            &mut out,
        )?;
        self.stream.write_all(&out)?;
        let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        loop {
            let mut out = bytes_mut::BytesMut::new();
            match self.read()? {
                Message::AuthenticationSasl(_) => {
                    frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), &mut out)?;
                }
                Message::AuthenticationSaslContinue(body) => {
                    scram.update(body.data())?;
                    frontend::sasl_response(scram.message(), &mut out)?;
                }
                Message::AuthenticationSaslFinal(body) => scram.finish(body.data())?,
                Message::BackendKeyData(body) => self.key = (body.process_id(), body.secret_key()),
                Message::ReadyForQuery(_) => return Ok(()),
                Message::ErrorResponse(body) => return Err(server_error(&body)?.into()),
                _ => {}
            }
            self.stream.write_all(&out)?;
        }
    }

    fn read(&mut self) -> Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.buffer)? {
                return Ok(message);
            }
            let mut chunk = [0; 16 * 1024];
            let length = self.stream.read(&mut chunk)?;
            if length == 0 {
                bail!("the server closed the connection");
            }
            self.buffer.extend_from_slice(chunk.get(..length).unwrap_or_default());
        }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The next message as it is: its letter and what follows the length. `None`: nothing came in
    /// that time; an error when the server has closed the connection.
    pub fn frame(&mut self, wait: Duration) -> Result<Option<(u8, Vec<u8>)>> {
        self.stream.set_read_timeout(Some(wait))?;
        loop {
            if let Some((head, rest)) = self.buffer.split_at_checked(5) {
                let length = head.get(1..).and_then(|bytes| bytes.try_into().ok());
                let length = u32::from_be_bytes(length.context("no length")?) as usize - 4;
                if rest.len() >= length {
                    let letter = head.first().copied().context("no letter")?;
                    let message = self.buffer.split_to(5 + length);
                    return Ok(Some((letter, message.get(5..).unwrap_or_default().to_vec())));
                }
            }
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(length) => {
                    self.buffer.extend_from_slice(chunk.get(..length).unwrap_or_default());
                }
                Err(error) if matches!(error.kind(), WouldBlock | TimedOut) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Runs a statement over the simple protocol.
    pub fn simple(&mut self, sql: &str) -> Result<Answer> {
        let mut out = bytes_mut::BytesMut::new();
        frontend::query(sql, &mut out)?;
        self.stream.write_all(&out)?;
        self.answer()
    }

    /// Runs `COPY … FROM STDIN` with that input.
    pub fn copy_in(&mut self, sql: &str, input: &[u8]) -> Result<Answer> {
        let mut out = bytes_mut::BytesMut::new();
        frontend::query(sql, &mut out)?;
        self.stream.write_all(&out)?;
        loop {
            match self.read()? {
                Message::CopyInResponse(_) => break,
                Message::ErrorResponse(body) => {
                    let refused = server_error(&body)?;
                    self.answer()?;
                    return Err(refused.into());
                }
                _ => {}
            }
        }
        let mut out = bytes_mut::BytesMut::new();
        for chunk in input.chunks(1 << 16) {
            // CopyData: 'd', length of the rest, bytes (manual: protocol-message-formats).
            out.extend_from_slice(b"d");
            out.extend_from_slice(&(u32::try_from(chunk.len())? + 4).to_be_bytes());
            out.extend_from_slice(chunk);
        }
        frontend::copy_done(&mut out);
        self.stream.write_all(&out)?;
        self.answer()
    }

    /// Runs a statement over the extended protocol, values as text.
    pub fn extended(&mut self, sql: &str) -> Result<Answer> {
        let mut out = bytes_mut::BytesMut::new();
        frontend::parse("", sql, [], &mut out)?;
        frontend::describe(b'S', "", &mut out)?;
        let bound =
            frontend::bind("", "", [], [] as [&str; 0], |_, _| Ok(IsNull::Yes), [], &mut out);
        if bound.is_err() {
            bail!("a statement without parameters cannot be bound");
        }
        frontend::execute("", 0, &mut out)?;
        frontend::sync(&mut out);
        self.stream.write_all(&out)?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut answer = Answer::default();
        let mut failure = None;
        loop {
            match self.read()? {
                Message::RowDescription(body) => answer.columns = body.fields().count()?,
                Message::DataRow(body) => {
                    let buffer = body.buffer_bytes().clone();
                    let mut row = Vec::new();
                    let mut ranges = body.ranges();
                    while let Some(range) = ranges.next()? {
                        let value = range.map(|range| {
                            String::from_utf8_lossy(buffer.get(range).unwrap_or_default())
                                .into_owned()
                        });
                        row.push(value);
                    }
                    answer.rows.push(row);
                }
                Message::CommandComplete(body) => answer.tag = body.tag()?.to_owned(),
                Message::ErrorResponse(body) => failure = Some(server_error(&body)?),
                Message::ReadyForQuery(_) => break,
                _ => {}
            }
        }
        match failure {
            Some(error) => Err(error.into()),
            None => Ok(answer),
        }
    }
}

fn server_error(
    body: &postgres_protocol::message::backend::ErrorResponseBody,
) -> Result<ServerError> {
    let mut error = ServerError { sqlstate: String::new(), message: String::new() };
    let mut fields = body.fields();
    while let Some(field) = fields.next()? {
        let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => error.sqlstate = text,
            b'M' => error.message = text,
            _ => {}
        }
    }
    Ok(error)
}

/// The one value of a statement.
pub fn value(client: &mut Client, sql: &str) -> Result<String> {
    let answer = client.simple(sql)?;
    let row = answer.rows.first().context("no row")?;
    row.first().cloned().flatten().context("no value")
}
