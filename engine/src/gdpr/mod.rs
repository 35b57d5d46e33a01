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
//! - `holds`: what the law keeps; `in_place`: rows of foreign tables
//! - `purge`: the physical part, at the call or in the `background`; `copies`: rows written elsewhere;
//!   `receipt`, `receipts`: its proof; `replay`: tombstones outlive a restore
//! - `access`, `rights`: the other rights; `request`: each leaves a row in `gdpr.requests`
//! - `retention`, `anchor`: for how long people are kept; `due`: what is done then
//! - `register`, `report`: the record of processing
//! - `rows`: rows of the feature's tables
//!
//! Storage finds the nodes and rows, and keeps tombstones: [`clientele_catalog::storage::Victims`].

mod access;
mod anchor;
mod background;
mod copies;
mod due;
mod effect;
mod ended;
mod erase;
mod holds;
mod in_place;
mod lift;
mod officer;
mod places;
mod procedures;
mod purge;
pub mod receipt;
mod receipts;
mod register;
mod replay;
mod report;
mod request;
mod retention;
mod rights;
mod rows;
mod shares;
mod subject;

use crate::functions::declared::Function;
use crate::functions::row_kernel::Kernel;

pub(crate) use background::Purger;
pub(crate) use procedures::PROCEDURES;
pub use receipts::check_all;
pub(crate) use retention::acts;

/// Scalar functions.
pub(crate) static KERNELS: &[Kernel] = &[receipts::VERIFY, retention::DEFAULT_ANCHORS];

/// Table functions.
pub(crate) static FUNCTIONS: &[Function] = &[Function {
    name: "gdpr.categories",
    parameters: &[],
    variadic: false,
    columns: register::COLUMNS,
    comment: "which categories of personal data each table has, in which columns",
    kernel: register::rows,
}];
