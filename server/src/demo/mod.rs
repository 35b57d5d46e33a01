//! `clientele demo`: a brand called `demo` whose customers, orders and events nobody has lived.
//!
//! ```text
//! seed, scale ─▶ world (who, what, when) ─▶ tables (rows as COPY text) ─┐
//! sql/*.sql (schemas, tables, comments) ────────────────────────────────┴▶ database demo_loading
//! data/online_retail.parquet (real data) ─▶ online_retail ────────────────▶   renamed: demo
//! ```
//!
//! Everything goes the road of a client: SQL and COPY through a session, one transaction for each
//! table. The database carries another name until it is whole: what an interrupted start leaves is
//! dropped by the next one, and a database called `demo` is never touched.
//!
//! | part | what it is |
//! |---|---|
//! | [`load`] | makes the database |
//! | [`tables`] | one file for each table: its rows |
//! | [`world`] | the people, and what they do |
//! | [`online_retail`] | the real data set beside them |
//! | `sql/`, `queries/`, `names/` | tables and comments; queries worth trying; lists of words |

pub mod load;
pub mod online_retail;
pub mod tables;
#[cfg(test)]
mod tests;
pub mod world;

/// Queries worth trying, as `psql` takes them.
pub const QUERIES: &[&str] = &[
    include_str!("queries/revenue.sql"),
    include_str!("queries/funnel.sql"),
    include_str!("queries/best_products.sql"),
];
