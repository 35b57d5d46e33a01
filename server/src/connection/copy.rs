//! COPY's sub-protocol, the same under both protocols.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use clientele_engine::api::{ByteStream, CopyFormat, CopyIn};
use clientele_engine::{Error, Result};
use futures::StreamExt;
use pgwire::messages::PgWireBackendMessage as Message;
use pgwire::messages::copy::{CopyDone, CopyInResponse, CopyOutResponse};

use super::Connection;
use super::link::Link;
use super::request::{Body, Frame};
use crate::error::{Failure, error_response, protocol_violation};

/// Small messages are put together up to this size before the engine gets them.
const GATHER_MAX: usize = 256 << 10;

impl Connection {
    /// `COPY … FROM STDIN`: returns the command tag.
    pub(super) async fn copy_in(&mut self, mut copy: Box<dyn CopyIn>) -> Result<String, Failure> {
        let (format, formats) = formats(copy.format(), copy.column_count());
        let column_count = i16::try_from(formats.len()).unwrap_or(i16::MAX);
        let message = CopyInResponse::new(format, column_count, formats);
        self.link.send(&Message::CopyInResponse(message))?;
        self.link.flush().await?;
        loop {
            let frame = self.link.next_within().await?;
            match frame.kind {
                b'd' => {
                    let data = gather(&mut self.link, frame.body);
                    self.link.run(copy.write(data)).await??;
                }
                b'c' => return Ok(self.link.run(copy.finish()).await??),
                b'f' => return Err(copy_failed(&frame)?.with_context(copy.place()).into()),
                // Pipelining clients send these before they know that a COPY has begun.
                b'H' | b'S' => (),
                b'X' => return Err(Failure::End(None)),
                kind => return Err(self.out_of_step(kind, copy.place())),
            }
        }
    }

    /// Who sends something else amid a COPY is not understood any more (PostgreSQL: copyfromparse.c).
    fn out_of_step(&mut self, kind: u8, place: String) -> Failure {
        let message = format!("unexpected message type 0x{kind:02X} during COPY from stdin");
        let error = protocol_violation(message).with_context(place);
        if let Err(error) = self.link.send(&error_response(&error)) {
            return error.into();
        }
        let message = "terminating connection because protocol synchronization was lost";
        Failure::End(Some(Error::fatal("08P01", message)))
    }

    /// `COPY … TO STDOUT`: returns the command tag.
    pub(super) async fn copy_out(
        &mut self,
        format: CopyFormat,
        column_count: usize,
        stream: ByteStream,
        rows: &AtomicU64,
    ) -> Result<String, Failure> {
        let (code, codes) = formats(format, column_count);
        let column_count = i16::try_from(codes.len()).unwrap_or(i16::MAX);
        let message = CopyOutResponse::new(code, column_count, codes);
        self.link.send(&Message::CopyOutResponse(message))?;
        send_data(&mut self.link, stream, format).await?;
        self.tell()?;
        self.link.send(&Message::CopyDone(CopyDone::new()))?;
        let rows = rows.load(Ordering::Relaxed);
        self.server.metrics.rows_sent.inc_by(rows);
        Ok(format!("COPY {rows}"))
    }
}

fn formats(format: CopyFormat, column_count: usize) -> (i8, Vec<i16>) {
    let code = match format {
        CopyFormat::Text => 0,
        CopyFormat::Binary => 1,
    };
    (code, vec![i16::from(code); column_count])
}

/// Joins what has arrived already, so that a client that sends row by row costs the engine no more
/// than one that sends blocks.
fn gather(link: &mut Link, first: Bytes) -> Bytes {
    let Some(second) = link.next_buffered(b'd') else {
        return first;
    };
    let mut all = BytesMut::from(first);
    all.extend_from_slice(&second.body);
    while all.len() < GATHER_MAX {
        let Some(next) = link.next_buffered(b'd') else { break };
        all.extend_from_slice(&next.body);
    }
    all.freeze()
}

fn copy_failed(frame: &Frame) -> Result<Error> {
    let reason = Body(&frame.body).text()?;
    Ok(Error::new("57014", format!("COPY from stdin failed: {reason}")))
}

/// Sends data as CopyData. Text goes out line by line, as PostgreSQL does it and clients that
/// read rows rely on.
async fn send_data(
    link: &mut Link,
    mut stream: ByteStream,
    format: CopyFormat,
) -> Result<(), Failure> {
    let mut rest = BytesMut::new();
    while let Some(piece) = link.run(stream.next()).await? {
        let piece = piece?;
        if format == CopyFormat::Binary {
            put_data(link, &[], &piece)?;
        } else {
            for line in piece.split_inclusive(|byte| *byte == b'\n') {
                if line.ends_with(b"\n") {
                    put_data(link, &rest, line)?;
                    rest.clear();
                    link.flush_full().await?;
                } else {
                    rest.extend_from_slice(line);
                }
            }
        }
        link.flush_full().await?;
    }
    match rest.is_empty() {
        true => Ok(()),
        false => Ok(put_data(link, &rest, &[])?),
    }
}

fn put_data(link: &mut Link, head: &[u8], tail: &[u8]) -> Result<()> {
    let length = i32::try_from(head.len() + tail.len() + 4)
        .map_err(|_| Error::new("54000", "a row is too large to be sent"))?;
    let out = &mut link.output.buffer;
    out.push(b'd');
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(head);
    out.extend_from_slice(tail);
    Ok(())
}
