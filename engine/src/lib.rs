//! SQL over one data directory: sessions, planning, execution.
//!
//! ```text
//! text ─▶ Session::parse ─▶ Statement ─▶ Session::prepare ─▶ Prepared ─▶ Session::execute ─▶ Outcome
//! ```
//!
//! Both protocols walk this one road; the simple one binds no parameters. See `ARCHITECTURE.md`.

pub mod api;
pub mod error;

pub use api::{Column, CopyFormat, Notice, Outcome, Rows, Startup, TransactionStatus};
pub use clientele_udfs::types::PgType;
pub use error::{Error, Result};
