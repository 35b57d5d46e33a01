//! The write-ahead log: what was committed since the last checkpoint.
//!
//! Segments of a fixed size are written with zeros and synchronised before they are used: a
//! synchronisation of a block that exists costs a fraction of one that makes a file longer. A
//! group of records is one write and one `fdatasync`. Records carry a running number and a
//! checksum; the first one that does not fit ends the log.

mod payload;
mod segment;
mod writer;

pub(super) use payload::{
    BitmapBody, FileRecord, Payload, ReplaceRecord, RowsRecord, TableRecord, decode_rows,
    encode_rows,
};
pub(super) use segment::{Segment, list_segments, segment_path};
pub(super) use writer::{LogWriter, Position};
