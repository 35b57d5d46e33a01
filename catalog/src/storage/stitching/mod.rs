//! Stitching: from the identifiers in a row to the customer whose row it is.
//!
//! A row with identifiers keeps the number of its *node* in its column `customer_id`: the node of
//! its only identifier, or that of the *record*, the set of identifiers that stand on it. Nodes
//! are numbered when rows are written ([`Stitcher`]); what was not seen before is gathered in the
//! transaction ([`Gathered`]) and committed with it, as rows of `identity.nodes` and
//! `identity.records` ([`rows`]). The committer puts it into the graph, and the next snapshot
//! has the new customers ([`Customers`]). Scans show the customer in the place of the node
//! ([`customer_expr`]): a merge changes no row.
//!
//! ```text
//! rows ─▶ Stitcher ─▶ rows with nodes ─▶ log, files
//!             └─▶ Gathered ─▶ identity.nodes, identity.records ─▶ log, files
//!                     └─▶ Identity::apply ─▶ Customers of the next snapshot ─▶ scans
//! ```
//!
//! Until then a transaction's own rows are shown with the customers that its commit would give
//! them where somebody asks for it ([`recognised`]).
//!
//! Recovery reads the two tables and `identity.links` and applies them at once: the graph is a
//! function of them, in whatever order they came.

mod ask;
mod bridge;
mod coded;
mod customer_expr;
mod customers;
mod find;
mod found;
mod gathered;
mod identity;
mod links;
mod mentioned;
mod node_rows;
mod recognised;
mod records;
mod replay;
mod rows;
mod rules;
mod seeds;
mod stitcher;
mod stored;

pub use ask::{Event, Proposal};
pub(super) use coded::identifiers;
pub(super) use customer_expr::shown;
pub use customers::Customers;
pub use find::FirstSight;
pub use found::Placeholders;
pub(super) use gathered::{Gathered, Mark};
pub(super) use identity::Identity;
pub use links::Said;
pub use node_rows::NodeRows;
pub(super) use rows::{batch as system_batch, rows, times};
pub(super) use seeds::seeds;
pub(super) use stitcher::{IdentifierColumn, Stitcher, identifier_columns, identifiers_of};
pub(super) use stored::each_row;
