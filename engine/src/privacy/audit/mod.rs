//! `gdpr.audit`: who read personal columns as they are, because they were opened to him or because he
//! is a superuser, and every decision about them.
//!
//! What a statement reads of opened columns is noted when its privileges are asked for; the entry is
//! on disk before the client is told that the statement is done. Decisions follow their commit. What a
//! superuser reads again within seconds is put together: it costs no commit for each statement.
//! Entries are numbered without a gap, and each has a keyed hash over itself and the one before: one
//! that is changed, left out or put in is found by `gdpr.verify_audit()`.
//!
//! - `entry`: an entry and its hash; `log`: the chain on disk; `noted`: what a session has to report
//! - `repeated`: what superusers read again and again; `watched`: rows that are counted on their way; `functions`: exposure and verification

mod entry;
mod functions;
mod log;
mod noted;
mod repeated;
mod watched;

pub(crate) use entry::Entry;
pub(crate) use functions::FUNCTIONS;
pub(crate) use log::Auditor;
pub(crate) use noted::{Noted, full_name, note_decision, open_reads};
pub(crate) use repeated::Key;
pub(crate) use watched::{Reading, Target, watch};
