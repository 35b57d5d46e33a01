//! The end of the log, where groups of records are added.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use super::segment::{HEADER_BYTES, Segment, append_record};
use crate::error::{Error, Result};

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Position {
    /// Number of the segment.
    pub(crate) segment: u64,
    /// Offset in it.
    pub(crate) offset: u64,
    /// Sequence of the record that is or will be there.
    pub(crate) sequence: u64,
}

impl Position {
    /// The beginning of a new log.
    pub(crate) const START: Self = Self { segment: 1, offset: HEADER_BYTES, sequence: 1 };
}

/// Adds records to the log.
#[derive(Debug)]
pub(crate) struct LogWriter {
    directory: PathBuf,
    segment_bytes: u64,
    segment: Segment,
    offset: u64,
    sequence: u64,
    /// The next segment, made by a thread of its own while this one fills.
    next: Option<Receiver<Result<Segment>>>,
    buffer: Vec<u8>,
    /// Records in the buffer.
    pending: u64,
    /// The first failure that left the end of the log in doubt.
    broken: Option<String>,
}

impl LogWriter {
    /// Continues a log; what is behind the position is erased.
    ///
    /// # Errors
    /// The segment cannot be opened, made or written.
    pub(crate) fn open(directory: &Path, position: Position, segment_bytes: u64) -> Result<Self> {
        let path = super::segment_path(directory, position.segment);
        let segment = if path.exists() {
            let segment = Segment::open(directory, position.segment)?;
            // A torn group may have left whole records behind its first bad one; they must not
            // be taken for the continuation of what is written next.
            segment.erase(position.offset, segment.size)?;
            segment
        } else {
            Segment::create(directory, position.segment, segment_bytes)?
        };
        Ok(Self {
            directory: directory.to_owned(),
            segment_bytes,
            segment,
            offset: position.offset,
            sequence: position.sequence,
            next: None,
            buffer: Vec::new(),
            pending: 0,
            broken: None,
        })
    }

    /// Where the next group goes.
    pub(crate) fn position(&self) -> Position {
        Position { segment: self.segment.number, offset: self.offset, sequence: self.sequence }
    }

    /// Adds a record to the group that [`LogWriter::write`] writes.
    ///
    /// # Errors
    /// The log accepts no writes, or the record is too large.
    pub(crate) fn add(&mut self, payload: &[u8]) -> Result<()> {
        if let Some(reason) = &self.broken {
            return Err(Error::ReadOnly { reason: reason.clone() });
        }
        append_record(&mut self.buffer, self.sequence + self.pending, payload)?;
        self.pending += 1;
        Ok(())
    }

    /// Bytes of the group so far.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Forgets the group.
    pub(crate) fn discard(&mut self) {
        self.buffer.clear();
        self.pending = 0;
    }

    /// Writes the group: durable when it returns.
    ///
    /// # Errors
    /// Nothing of the group will be found by a recovery. When that cannot be made sure of, all
    /// further writes are refused.
    pub(crate) fn write(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let pending = std::mem::take(&mut self.pending);
        let bytes = buffer.len() as u64;
        if self.offset + bytes > self.segment.size {
            self.roll_over(bytes)?;
        }
        if let Err(error) = self.segment.write(&buffer, self.offset) {
            // A failed synchronisation says nothing about what is on disk, and the next one would
            // say nothing either: the kernel reports a lost page once.
            let erased = self.segment.erase(self.offset, self.offset + bytes);
            self.broken = Some(error.to_string());
            drop(erased);
            return Err(error);
        }
        self.offset += bytes;
        self.sequence += pending;
        self.buffer = buffer;
        self.buffer.clear();
        self.prepare_next();
        Ok(())
    }

    /// Goes on in a new segment, so that all that was written can be unlinked: an erasure must
    /// leave nothing in the log.
    ///
    /// # Errors
    /// The segment cannot be made; the log goes on in the present one.
    pub(crate) fn start_segment(&mut self) -> Result<()> {
        if self.offset == HEADER_BYTES { Ok(()) } else { self.roll_over(0) }
    }

    fn roll_over(&mut self, bytes: u64) -> Result<()> {
        let number = self.segment.number + 1;
        let size = self.segment_bytes.max(HEADER_BYTES + bytes);
        // One that could not be made ahead is tried again: the disk may have room by now.
        let ready = self.next.take().and_then(|next| next.recv().ok()?.ok());
        self.segment = match ready {
            Some(segment) if segment.size >= size => segment,
            _ => Segment::create(&self.directory, number, size)?,
        };
        self.offset = HEADER_BYTES;
        Ok(())
    }

    /// Lets the next segment be made when this one is half full.
    fn prepare_next(&mut self) {
        if self.next.is_some() || self.offset < self.segment.size / 2 {
            return;
        }
        let (send, receive) = sync_channel(1);
        let (directory, number, size) =
            (self.directory.clone(), self.segment.number + 1, self.segment_bytes);
        let make = move || drop(send.send(Segment::create(&directory, number, size)));
        if std::thread::Builder::new().name("log-segment".to_owned()).spawn(make).is_ok() {
            self.next = Some(receive);
        }
    }
}
