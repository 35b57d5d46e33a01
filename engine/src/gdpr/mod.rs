//! The rights of people (GDPR art. 15 to 22), and erasure with proof.
//!
//! ```sql
//! CALL gdpr.erase('email:jane@example.com', reason => 'art. 17 request 2026-114', dry_run => true);
//! CALL gdpr.erase('email:jane@example.com', reason => 'art. 17 request 2026-114');
//! SELECT * FROM gdpr.requests ORDER BY received_at DESC;
//! CALL gdpr.lift('email:jane@example.com', reason => 'became a customer again');
//! ```
//!
//! - `officer`: who may
//! - `subject`: whom a call names, and the keyed hash that records name them by
//! - `erase`: the logical part of an erasure; `places`: where else people are
//! - `holds`: what the law keeps
//! - `purge`: the physical part; `receipt`, `receipts`: its proof
//! - `rows`: rows of the feature's tables
//!
//! Storage finds the nodes and rows, and keeps tombstones: [`clientele_catalog::storage::Victims`].

mod erase;
mod holds;
mod lift;
mod officer;
mod places;
mod procedures;
mod purge;
pub mod receipt;
mod receipts;
mod request;
mod rows;
mod subject;

pub(crate) use procedures::PROCEDURES;
pub(crate) use receipts::KERNELS;
