//! Values in PostgreSQL's binary format: what its `send` and `receive` functions exchange.
//!
//! ```text
//! ArrayEncoder::for_array(type, array) ─▶ write(row, bytes)      (binary results, COPY BINARY)
//! decode(type, bytes) ─▶ ScalarValue                             (binary parameters)
//! input::Builder::append_binary(bytes) ─▶ array                  (COPY BINARY)
//! ```
//!
//! Only the bytes of the value: its length, and −1 for NULL, are the message's. All numbers are
//! big-endian.

mod array;
mod encoder;
mod numeric;
mod range;
mod receive;
mod send;
mod text;

use datafusion::scalar::ScalarValue;

use crate::input::{self, Builder};
use crate::types::PgType;
use crate::{Result, ValueError};

pub use encoder::ArrayEncoder;
pub(crate) use receive::append;

/// Reads one value; `None` is NULL.
///
/// # Errors
/// 22P03 for bytes that are no value of the type, 08P01 for too few, 22021 for text that is not UTF-8, 22008 and
/// 22003 for values that are out of range.
pub fn decode(pg_type: PgType, bytes: Option<&[u8]>) -> Result<ScalarValue> {
    let mut builder = Builder::new(pg_type, 1)?;
    builder.append_binary(bytes)?;
    input::first(&mut builder)
}

/// `incorrect binary data format` (22P03).
pub(crate) fn incorrect() -> ValueError {
    ValueError::new("22P03", "incorrect binary data format")
}

/// `insufficient data left in message` (08P01): a value ends too early.
pub(crate) fn insufficient() -> ValueError {
    ValueError::new("08P01", "insufficient data left in message")
}

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

impl<'b> Reader<'b> {
    /// The next `COUNT` bytes.
    pub(crate) fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT]> {
        let (head, rest) = self.0.split_first_chunk::<COUNT>().ok_or_else(insufficient)?;
        self.0 = rest;
        Ok(*head)
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'b [u8]> {
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(insufficient)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn i16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// Refuses what is left over.
    pub(crate) fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(incorrect()) }
    }
}

#[cfg(test)]
mod tests;
