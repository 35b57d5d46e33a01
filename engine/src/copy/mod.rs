//! COPY's formats: bytes cut anywhere → Arrow batches, and batches → bytes (manual: sql-copy).
//!
//! ```text
//! FROM  Bytes ─▶ Reader (lines ▸ fields ▸ columns) ─▶ Parsed ─▶ checks ─▶ storage
//! TO    RecordBatch ─▶ Writer ─▶ Bytes
//! ```
//!
//! Nothing here knows a table's constraints or a transaction: `statement/copy_from.rs` and
//! `statement/copy_to.rs` put the parts together.
//!
//! | part | what it is |
//! |---|---|
//! | [`dialect`] | the statement's options, checked, with their defaults |
//! | [`lines`] | cuts text into lines: line ends, quotes, the end marker |
//! | [`fields`] | cuts a line into fields, without copying where nothing is escaped |
//! | [`binary`] | cuts PostgreSQL's binary format into rows |
//! | [`reader`] | rows → columns, with the errors that name line and column |
//! | [`rejects`] | `ON_ERROR ignore`: what was skipped, and how much of it is too much |
//! | [`projection`] | columns of the data → columns of the table, defaults included |
//! | [`kept`] | the rows of the table, until the data have ended |
//! | [`load`] | the threads that parse, check and write at the same time |
//! | [`writer`] | batches → text, csv, binary |
//! | [`parquet`] | Parquet files, both ways |
//! | [`server_file`] | who may touch the server's files, and how they are opened |
//! | [`progress`] | counters for `pg_stat_progress_copy` |

pub(crate) mod binary;
pub(crate) mod dialect;
pub(crate) mod fields;
pub(crate) mod kept;
pub(crate) mod lines;
pub(crate) mod load;
pub(crate) mod parquet;
pub mod progress;
pub(crate) mod projection;
pub(crate) mod reader;
pub(crate) mod rejects;
pub(crate) mod server_file;
pub(crate) mod writer;

#[cfg(test)]
mod tests;

use crate::error::Error;

/// `bad copy file format` (22P04).
pub(crate) fn bad_format(message: impl Into<String>) -> Error {
    Error::new("22P04", message)
}

/// A value as a message shows it: PostgreSQL cuts it after 100 bytes.
pub(crate) fn shortened(value: &str) -> String {
    const SHOWN_MAX: usize = 100;
    if value.len() <= SHOWN_MAX {
        return value.to_owned();
    }
    let end = (0..=SHOWN_MAX).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
    format!("{}...", value.get(..end).unwrap_or_default())
}
