//! The wire: PostgreSQL's protocol and HTTP over one engine, settings, TLS, the `clientele` binary.
//!
//! ```text
//! listener ─▶ connection: startup ─▶ authenticate ─▶ ready ─▶ closed
//!                                                      │
//!                     simple / extended / copy ─▶ engine::Session ─▶ encode ─▶ socket
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`settings`] | the one table of settings: flag, environment variable, key of the file |
//! | [`command`] | the subcommands, one file each |
//! | [`listener`] | accepts connections, limits, drains |
//! | [`connection`] | one client: its states and the messages of each |
//! | [`demo`] | data to try |
//! | [`auth`] | SCRAM-SHA-256, and what slows down guessing |
//! | [`tls`] | certificate and key |
//! | [`encode`] | rows to DataRow, values straight into the output buffer |
//! | [`error`] | an engine's error as ErrorResponse |
//! | [`metrics`], [`http`] | what is counted, and where it can be read |
//!
//! The wire runs on a few I/O threads; the engine brings its own threads for plans, so a heavy
//! statement never keeps another client waiting for an answer.

pub mod auth;
pub mod command;
pub mod connection;
pub mod demo;
pub mod encode;
pub mod error;
pub mod hba;
pub mod http;
pub mod listener;
pub mod logging;
pub mod metrics;
pub mod settings;
pub mod tls;
