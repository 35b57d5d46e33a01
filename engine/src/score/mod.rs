//! Customers in numbers: RFM, who comes back, lifetime value, from any query over purchases.
//!
//! ```sql
//! SELECT * FROM score.rfm((SELECT customer_id, ordered_at, total FROM shop.orders), as_of => '2026-06-30');
//! SELECT * FROM score.customers((SELECT customer_id, ordered_at, total FROM shop.orders), unit => '1 week', periods => 52)
//!  ORDER BY clv DESC LIMIT 10;
//! SELECT * FROM score.explain((SELECT customer_id, ordered_at, total FROM shop.orders), 42, unit => '1 week');
//! SELECT * FROM score.models((SELECT customer_id, ordered_at, total FROM shop.orders), unit => '1 week');
//! ```
//!
//! Whoever wants a model for each country, or another summary, takes the aggregates
//! (`score.bg_nbd` …) and functions (`score.p_alive` …) of `clientele_udfs`, which are the same fits.
//!
//! - `purchases`: rows to customers, `buyer`: as the models see one; `functions`: the table functions, each with a file of its name

mod buyer;
mod customers;
mod explain;
mod functions;
mod models;
mod purchases;
mod rfm;

pub(crate) use functions::FUNCTIONS;
