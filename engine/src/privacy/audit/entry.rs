//! An entry of the audit log, and its hash.

use clientele_catalog::storage::{BrandKey, hex};

/// What the hash is made for.
const PURPOSE: &str = "audit";

/// What happened; the log adds number, time and hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `read`, `open`, `close`, `classify`, `purpose`, or the name of a procedure of schema `gdpr`.
    pub(crate) kind: &'static str,
    /// The role.
    pub(crate) role: String,
    /// Columns with schema and table.
    pub(crate) columns: Vec<String>,
    /// The statement without its literals.
    pub(crate) statement: Option<String>,
    /// Rows that the client was given.
    pub(crate) row_count: Option<i64>,
    /// The purpose that the session stated.
    pub(crate) purpose: Option<String>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// How many reads it puts together; `None`: it is one.
    pub(crate) read_count: Option<i64>,
}

/// Where an entry stands in the chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// Its number.
    pub(super) number: i64,
    /// Microseconds since 1970.
    pub(super) at: i64,
    /// Hash of the entry before; empty for the first.
    pub(super) previous: &'a str,
}

/// The hash of an entry: a MAC with the brand's key over every field, so that the chain cannot be
/// made anew by whoever can write files.
pub(super) fn hash(key: &BrandKey, kind: &str, entry: &Entry, place: Place<'_>) -> String {
    let (number, at) = (place.number.to_be_bytes(), place.at.to_be_bytes());
    let columns = entry.columns.join("\0");
    let rows = entry.row_count.map(i64::to_be_bytes);
    let count = entry.read_count.map(i64::to_be_bytes);
    let mut parts: Vec<&[u8]> = vec![
        &number,
        &at,
        kind.as_bytes(),
        entry.role.as_bytes(),
        columns.as_bytes(),
        entry.statement.as_deref().unwrap_or_default().as_bytes(),
        rows.as_ref().map_or(&[][..], |rows| rows.as_slice()),
        entry.purpose.as_deref().unwrap_or_default().as_bytes(),
        entry.reason.as_deref().unwrap_or_default().as_bytes(),
        place.previous.as_bytes(),
    ];
    parts.extend(count.as_ref().map(<[u8; 8]>::as_slice));
    hex(&key.hmac(PURPOSE, &parts))
}
