//! SQL over one data directory: sessions, planning, execution.
//!
//! ```text
//! text ─▶ Session::parse ─▶ Statement ─▶ Session::prepare ─▶ Prepared ─▶ Session::execute ─▶ Outcome
//! ```
//!
//! Both protocols walk this one road; the simple one binds no parameters. See `ARCHITECTURE.md`.

pub mod api;
mod builtin;
mod consent;
pub mod copy;
mod customers;
pub mod engine;
pub mod error;
pub mod functions;
pub mod gdpr;
mod handle;
mod identity;
mod memory;
mod national_numbers;
mod password;
pub mod planning;
mod preview;
mod privacy;
mod quality;
mod recommend;
mod refresh;
mod road;
mod rules;
mod score;
mod segments;
pub mod session;
mod sharing;
pub mod sql;
mod standard;
mod statement;
mod windows;

pub use api::{Column, CopyFormat, Notice, Outcome, Rows, Startup, TransactionStatus};
pub use bytes;
pub use clientele_udfs::types::PgType;
pub use engine::{Engine, EngineOptions};
pub use error::{Error, Result};
pub use session::{Prepared, Session};
pub use sql::Statement;
