//! The socket as messages: frames in, one output buffer out, and what ends a connection from
//! outside.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use clientele_engine::{Error, Result};
use pgwire::messages::PgWireBackendMessage;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio_util::sync::CancellationToken;

use super::request::{Frame, unexpected};
use crate::error::{Failure, protocol_violation};
use crate::metrics::Metrics;

/// A connected stream, encrypted or not.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Largest message of a client that has not logged in (PostgreSQL: PG_MAX_AUTH_TOKEN_LENGTH).
const SIZE_MAX_BEFORE_LOGIN: usize = 65_535;
/// Largest message of the kinds that carry a name or nothing (PostgreSQL: PQ_SMALL_MESSAGE_LIMIT).
const SIZE_MAX_SMALL: usize = 10_000;
/// What is read ahead while a statement runs; beyond it the client has to wait.
const READ_AHEAD_MAX: usize = 1 << 20;
const READ_SIZE_MIN: usize = 8 << 10;
const READ_SIZE_MAX: usize = 256 << 10;
/// Output is handed to the socket in pieces of about this size.
const OUTPUT_TARGET: usize = 64 << 10;
/// How long a statement that is told to stop may take to do so.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that does not read must not hold up its own end.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// What ends a connection from outside.
#[derive(Clone)]
pub struct Guard {
    /// The server drains: idle sessions end, running statements may finish.
    pub drain: CancellationToken,
    /// The server stops: everything ends.
    pub stop: CancellationToken,
    /// This session is terminated by an administrator.
    pub terminated: CancellationToken,
    /// Stops what the session's statement does.
    pub stop_statement: Arc<dyn Fn() + Send + Sync>,
}

impl Guard {
    async fn ended(&self) {
        tokio::select! {
            () = self.stop.cancelled() => (),
            () = self.terminated.cancelled() => (),
        }
    }

    async fn ended_or_draining(&self) {
        tokio::select! {
            () = self.drain.cancelled() => (),
            () = self.ended() => (),
        }
    }
}

fn terminated() -> Failure {
    let message = "terminating connection due to administrator command";
    Failure::End(Some(Error::fatal("57P01", message)))
}

/// One client's socket.
pub struct Link {
    input: Inbound,
    /// What is to be sent.
    pub output: Outbound,
    /// What ends the connection from outside.
    pub guard: Guard,
}

impl Link {
    /// Wraps a socket of a client that has not logged in.
    pub fn new(socket: Box<dyn Socket>, guard: Guard, metrics: &Metrics) -> Self {
        let (reader, writer) = tokio::io::split(socket);
        let input = Inbound {
            reader,
            buffer: BytesMut::with_capacity(8 << 10),
            read_size: READ_SIZE_MIN,
            size_max: SIZE_MAX_BEFORE_LOGIN,
            received: metrics.bytes_received.clone(),
        };
        let output = Outbound {
            writer,
            buffer: Vec::with_capacity(8 << 10),
            scratch: BytesMut::with_capacity(1 << 10),
            broken: false,
            sent: metrics.bytes_sent.clone(),
        };
        Self { input, output, guard }
    }

    /// Lets messages of the given size in.
    pub fn allow(&mut self, size_max: usize) {
        self.input.size_max = size_max;
    }

    /// Waits for the next message while the session is idle.
    ///
    /// # Errors
    /// The client has gone, sends what is no message, or the server drains.
    pub async fn next(&mut self) -> Result<Frame, Failure> {
        tokio::select! {
            biased;
            frame = self.input.frame() => frame,
            () = self.guard.ended_or_draining() => Err(terminated()),
        }
    }

    /// Waits for the next message within a statement (COPY).
    ///
    /// # Errors
    /// As [`Link::next`], save that a server that drains lets the statement finish.
    pub async fn next_within(&mut self) -> Result<Frame, Failure> {
        tokio::select! {
            biased;
            frame = self.input.frame() => frame,
            () = self.guard.ended() => Err(terminated()),
        }
    }

    /// The next message if it is of this kind and has arrived whole already.
    pub fn next_buffered(&mut self, kind: u8) -> Option<Frame> {
        let next = self.input.buffer.first() == Some(&kind);
        next.then(|| self.input.cut().ok().flatten()).flatten()
    }

    /// Does work of the engine while watching the client and the administrator; what the client
    /// sends meanwhile is kept for later.
    ///
    /// # Errors
    /// The client has gone or the session is terminated; the work has been stopped then.
    pub async fn run<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let mut work = std::pin::pin!(work);
        let end = tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = self.input.gone() => Failure::End(None),
            () = self.guard.ended() => terminated(),
        };
        // Stopped rather than dropped: a statement amid a commit or a file comes to a defined end.
        (self.guard.stop_statement)();
        tokio::time::timeout(STOP_TIMEOUT, work).await.ok();
        Err(end)
    }

    /// Hands all output to the socket, waiting for the client where it reads slowly.
    ///
    /// # Errors
    /// The client has gone or the session is terminated.
    pub async fn flush(&mut self) -> Result<(), Failure> {
        tokio::select! {
            biased;
            done = self.output.flush() => Ok(done?),
            () = self.input.gone() => Err(Failure::End(None)),
            () = self.guard.ended() => Err(terminated()),
        }
    }

    /// Flushes where enough has come together.
    ///
    /// # Errors
    /// As [`Link::flush`].
    pub async fn flush_full(&mut self) -> Result<(), Failure> {
        match self.output.buffer.len() >= OUTPUT_TARGET {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    /// How many bytes may still be written before [`Link::flush_full`] flushes.
    pub fn room(&self) -> usize {
        OUTPUT_TARGET.saturating_sub(self.output.buffer.len())
    }

    /// Puts a message into the output.
    ///
    /// # Errors
    /// A message that the protocol cannot carry.
    pub fn send(&mut self, message: &PgWireBackendMessage) -> Result<()> {
        self.output.put(message)
    }

    /// Says a last word, where the client can still hear it, and closes.
    pub async fn farewell(mut self, message: Option<&PgWireBackendMessage>) {
        if self.output.broken {
            return;
        }
        let told = message.map_or(Ok(()), |message| self.output.put(message));
        if told.is_ok() {
            let close = async {
                self.output.flush().await?;
                self.output.writer.shutdown().await
            };
            // Nobody is left to hear of a failure here.
            tokio::time::timeout(FAREWELL_TIMEOUT, close).await.ok();
        }
    }
}

/// Frames out of a byte stream.
struct Inbound {
    reader: ReadHalf<Box<dyn Socket>>,
    buffer: BytesMut,
    /// Room made for the next read: grows while reads fill it (COPY), so that idle connections
    /// hold little memory.
    read_size: usize,
    size_max: usize,
    received: prometheus::IntCounter,
}

impl Inbound {
    /// Waits for a whole frame. Can be dropped and called again without loss.
    async fn frame(&mut self) -> Result<Frame, Failure> {
        loop {
            if let Some(frame) = self.cut()? {
                return Ok(frame);
            }
            if self.read().await == 0 {
                return Err(Failure::End(None));
            }
        }
    }

    /// Reads ahead and returns when the client has gone, else never.
    async fn gone(&mut self) {
        while self.buffer.len() < READ_AHEAD_MAX {
            if self.read().await == 0 {
                return;
            }
        }
        std::future::pending().await
    }

    /// Reads what is there; 0: the client has gone.
    async fn read(&mut self) -> usize {
        self.buffer.reserve(self.read_size);
        let room = self.buffer.capacity() - self.buffer.len();
        let count = self.reader.read_buf(&mut self.buffer).await.unwrap_or(0);
        self.read_size = match count >= room {
            true => (2 * self.read_size).min(READ_SIZE_MAX),
            false => READ_SIZE_MIN,
        };
        self.received.inc_by(count as u64);
        count
    }

    /// Cuts the first frame off the buffer, where it is there whole.
    fn cut(&mut self) -> Result<Option<Frame>, Failure> {
        let Some((&kind, rest)) = self.buffer.split_first() else {
            return Ok(None);
        };
        let size_max = self.limit(kind).map_err(fatal)?;
        let Some(length) = rest.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length < 4 || length > size_max {
            return Err(fatal(protocol_violation("invalid message length")));
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.buffer.advance(5);
        let body = self.buffer.split_to(length - 4).freeze();
        Ok(Some(Frame { kind, body }))
    }

    /// Largest length of a message of this kind.
    fn limit(&self, kind: u8) -> Result<usize> {
        match kind {
            b'Q' | b'P' | b'B' | b'F' | b'd' | b'p' => Ok(self.size_max),
            b'C' | b'D' | b'E' | b'H' | b'S' | b'X' | b'c' | b'f' => Ok(SIZE_MAX_SMALL),
            kind => Err(unexpected(kind)),
        }
    }
}

/// After a frame that cannot be cut, nothing that follows can be understood.
fn fatal(error: Error) -> Failure {
    Failure::End(Some(Error { severity: "FATAL", ..error }))
}

/// One buffer of messages on their way out.
pub struct Outbound {
    writer: WriteHalf<Box<dyn Socket>>,
    /// Whole messages. Rows are written straight into it.
    pub buffer: Vec<u8>,
    scratch: BytesMut,
    /// A message may have been sent in part: nothing can follow it.
    broken: bool,
    sent: prometheus::IntCounter,
}

impl Outbound {
    fn put(&mut self, message: &PgWireBackendMessage) -> Result<()> {
        self.scratch.clear();
        message.encode(&mut self.scratch).map_err(Error::internal)?;
        self.buffer.extend_from_slice(&self.scratch);
        Ok(())
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        self.broken = true;
        self.writer.write_all(&self.buffer).await?;
        self.writer.flush().await?;
        self.broken = false;
        self.sent.inc_by(self.buffer.len() as u64);
        self.buffer.clear();
        // One huge row must not keep its memory for the life of the connection.
        self.buffer.shrink_to(4 * OUTPUT_TARGET);
        Ok(())
    }
}
