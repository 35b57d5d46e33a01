//! What exists and where its bytes are.
//!
//! A *cluster* (one data directory) holds roles and databases; a *database* holds schemas,
//! relations and domains ([`definition`]), looked up through one immutable [`Catalog`]. The rows
//! are kept by [`storage`]: a write-ahead log, an Arrow tier, immutable Parquet files. One
//! [`storage::Snapshot`] is the catalog and the rows of one instant; a statement sees one snapshot.

pub mod backup;
pub mod catalog;
pub mod cluster;
pub mod computed_key;
mod constraint;
pub mod customers;
pub mod definition;
pub mod domains;
pub mod error;
pub mod features;
pub mod foreign;
mod function;
pub mod pg_catalog;
pub mod privacy;
pub mod privileges;
pub mod progress;
pub mod storage;

pub use catalog::Catalog;
pub use error::{Error, Result};
