//! PostgreSQL's binary format → rows (manual: sql-copy, Binary Format).
//!
//! A signature and a header, then for each row the number of its fields and for each field its
//! length (−1: NULL) and bytes, and −1 at the end.

use std::ops::Range;

use super::bad_format;
use crate::error::{Error, Result};

/// What every file begins with.
pub(crate) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Bytes of a row at most.
const ROW_BYTES_MAX: usize = 1 << 30;

/// Cuts bytes into rows.
#[derive(Debug, Default)]
pub(crate) struct BinaryRows {
    bytes: Vec<u8>,
    at: usize,
    started: bool,
    ended: bool,
    number: u64,
}

/// Where the values of a row are; `None` is NULL.
pub(crate) type Values = Vec<Option<Range<usize>>>;

impl BinaryRows {
    /// Adds a piece of data.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(piece);
    }

    /// Number of the last row that was returned; of the failing one after an error.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The bytes of a value.
    pub(crate) fn value(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// Reads the next row into `values`; false: more data are needed, or (`last`) there are none.
    ///
    /// # Errors
    /// 22P04 for what is not this format.
    pub(crate) fn next(&mut self, columns: usize, values: &mut Values, last: bool) -> Result<bool> {
        if !self.started && !self.header(last)? {
            return Ok(false);
        }
        let found = self.row(columns, values, last);
        if !matches!(found, Ok(false)) {
            self.number += 1;
        }
        found
    }

    fn header(&mut self, last: bool) -> Result<bool> {
        let signature = self.bytes.get(..SIGNATURE.len()).unwrap_or(&self.bytes);
        if !SIGNATURE.starts_with(signature) || last && signature.len() < SIGNATURE.len() {
            return Err(bad_format("COPY file signature not recognized"));
        }
        let mut cursor = Cursor { bytes: &self.bytes, at: SIGNATURE.len() };
        let missing = |what: &str| match last {
            true => Err(bad_format(format!("invalid COPY file header (missing {what})"))),
            false => Ok(false),
        };
        let Some(flags) = cursor.i32() else { return missing("flags") };
        if flags & (1 << 16) != 0 {
            return Err(bad_format("invalid COPY file header (WITH OIDS)"));
        }
        if flags >> 16 != 0 {
            return Err(bad_format("unrecognized critical flags in COPY file header"));
        }
        let Some(length) = cursor.i32() else { return missing("length") };
        let wrong = || bad_format("invalid COPY file header (wrong length)");
        let length = usize::try_from(length).ok().filter(|length| *length < ROW_BYTES_MAX);
        let length = length.ok_or_else(wrong)?;
        if cursor.take(length).is_none() {
            return if last { Err(wrong()) } else { Ok(false) };
        }
        self.at = cursor.at;
        self.started = true;
        Ok(true)
    }

    fn row(&mut self, columns: usize, values: &mut Values, last: bool) -> Result<bool> {
        values.clear();
        if self.ended {
            if self.at < self.bytes.len() {
                return Err(bad_format("received copy data after EOF marker"));
            }
            return Ok(false);
        }
        let open = self.bytes.len() - self.at;
        let unfinished = || match last {
            true => Err(bad_format("unexpected EOF in COPY data")),
            false if open > ROW_BYTES_MAX => Err(Error::new("54000", "a row is too long")),
            false => Ok(false),
        };
        let mut cursor = Cursor { bytes: &self.bytes, at: self.at };
        let Some(count) = cursor.i16() else {
            // Without the end marker the end of the data will do.
            return if open == 0 { Ok(false) } else { unfinished() };
        };
        if count == -1 {
            self.at = cursor.at;
            self.ended = true;
            return self.row(columns, values, last);
        }
        if usize::try_from(count) != Ok(columns) {
            return Err(bad_format(format!("row field count is {count}, expected {columns}")));
        }
        for _ in 0..columns {
            let Some(length) = cursor.i32() else { return unfinished() };
            if length == -1 {
                values.push(None);
                continue;
            }
            let length = usize::try_from(length).map_err(|_| bad_format("invalid field size"))?;
            let Some(range) = cursor.take(length) else { return unfinished() };
            values.push(Some(range));
        }
        self.at = cursor.at;
        Ok(true)
    }
}

/// Reads big-endian numbers; `None` at the end of the bytes.
struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take(&mut self, length: usize) -> Option<Range<usize>> {
        let range = self.at..self.at.checked_add(length)?;
        self.bytes.get(range.clone())?;
        self.at = range.end;
        Some(range)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let range = self.take(N)?;
        self.bytes.get(range)?.try_into().ok()
    }

    fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }
}
