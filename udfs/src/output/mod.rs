//! Value → text, exactly as PostgreSQL's type output functions print it.
//!
//! ```text
//! Formatter::for_array(type, array, style) ─▶ ArrayFormatter::write(row, bytes)   (results, COPY)
//! to_text_array(array, type, style)        ─▶ Utf8View array                      (x::text)
//! ```
//!
//! The array is downcast once; a row then costs a `match` and its printer. Every Arrow layout that
//! a plan produces is accepted. `DateStyle` is ISO, `bytea_output` is hex,
//! `extra_float_digits` asks for the shortest text that reads back the same.

pub(crate) mod array;
pub(crate) mod decimal;
mod float;
mod formatter;
pub(crate) mod integer;
pub(crate) mod interval;
mod record;
pub(crate) mod temporal;

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{Array, ArrayRef, StringViewBuilder};

use crate::Result;
use crate::types::PgType;

pub(crate) use formatter::write_uuid;
pub use formatter::{ArrayFormatter, Formatter};

/// What the text of a value depends on beside its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The session's zone, in which `timestamptz` is shown.
    pub time_zone: Tz,
    /// `IntervalStyle` of results; `x::text` is in postgres style.
    pub intervals: IntervalStyle,
}

impl Default for Style {
    /// UTC.
    fn default() -> Self {
        Self { time_zone: Tz::UTC, intervals: IntervalStyle::Postgres }
    }
}

/// How an `interval` is printed (manual, 8.5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalStyle {
    /// `1 day 02:00:00`.
    Postgres,
    /// `P1DT2H`.
    Iso8601,
}

/// Prints every value, as `x::text` does; the result is `Utf8View`.
///
/// # Errors
/// 0A000 for Arrow types without a PostgreSQL form, 22008 for times beyond microseconds' range.
pub fn to_text_array(array: &ArrayRef, pg_type: PgType, style: &Style) -> Result<ArrayRef> {
    let formatter = Formatter::for_array(pg_type, array, style)?;
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut text = Vec::with_capacity(64);
    for row in 0..array.len() {
        text.clear();
        if formatter.write(row, &mut text) {
            // Printers write text only; a stray byte would be a bug, and shows as U+FFFD.
            builder.append_value(String::from_utf8_lossy(&text));
        } else {
            builder.append_null();
        }
    }
    Ok(Arc::new(builder.finish()))
}

#[cfg(test)]
mod tests;
