//! Privacy by default: what a role sees of a value.
//!
//! Which treatment a column has says [`clientele_catalog::privacy`]; here it is put into plans, in
//! one place, directly above the scan ([`scan`]): everything else of a query, its conditions and its
//! errors too, meets treated values only, through views and whoever owns them.
//!
//! ```text
//! TableScan(crm.contacts) ─▶ Projection(contact_id, treat(email) AS email, …) ─▶ the query
//! ```
//!
//! - `treat`: the function that gives a value its treatment; `pseudonym`: keyed pseudonyms,
//!   `known`: those that a statement has made; `late`: they are made of what groups and joins leave,
//!   which go by `normal` forms
//! - `lineage`: what a materialized result shows follows the columns that it was made of
//! - `hide`: values in errors, and expressions that would tell them
//! - `stored`: values that an UPDATE leaves alone stay as they are, whoever updates
//! - `audit`: reads of opened columns, and decisions, in a chain of hashes
//! - `classify`, `label`: what an officer says about a column; `filter`: rows that may not be used
//! - `decision`: who decides, and why; `grants`: what GRANT and REVOKE open and close

pub(crate) mod audit;
pub(crate) mod classify;
mod columns;
pub(crate) mod decision;
pub(crate) mod filter;
pub(crate) mod grants;
pub(crate) mod hide;
mod known;
mod label;
mod late;
pub(crate) mod lineage;
mod normal;
mod procedures;
mod pseudonym;
pub(crate) mod scan;
pub(crate) mod stored;
mod treat;

pub(crate) use columns::FUNCTIONS;
pub(crate) use late::LatePseudonyms;
pub(crate) use procedures::PROCEDURES;
