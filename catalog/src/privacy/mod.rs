//! What a role may see of a column: closed until somebody with the right opens it.
//!
//! A column's *treatment* follows from its domain, or is what a member of `privacy_officer` said
//! ([`ColumnPrivacy`]); in tables with identifiers text that has no domain counts as personal, too.
//! The engine puts the treatment directly above the scan, for every role but superusers.
//!
//! ```text
//! treatment(catalog, table, column)            what the column shows to those it is not open to
//! shown_as(catalog, rights, table, column)     what it shows to this role
//! ```

mod column_privacy;
mod keep;
mod treatment;

pub use column_privacy::{ColumnPrivacy, Decision, Opening};
pub use keep::keep_closed;
pub use treatment::{Treatment, is_closed_type, is_touchpoint, shown_as, treatment};
