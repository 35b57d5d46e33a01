//! Whether customers come back, and what they will be worth ("buy till you die" models).
//!
//! A fit is an aggregate over customers: what it returns is a model as `jsonb`, which the other
//! functions take. All times are in one unit, that of the caller's choice. The kernels are those of
//! `clientele_recommend::btyd`.
//!
//! ```sql
//! WITH c AS (SELECT country, customer_id, count(DISTINCT day) - 1.0 AS frequency,
//!                   max(day) - min(day) AS recency, date '2026-06-30' - min(day) AS age
//!              FROM purchases GROUP BY 1, 2),
//!      m AS (SELECT country, score.bg_nbd(frequency, recency, age) AS model FROM c GROUP BY 1)
//! SELECT customer_id, score.p_alive(model, frequency, recency, age)
//!   FROM c JOIN m USING (country);
//! ```

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use super::function::Function;

mod fits;
mod models;
mod predictions;

/// The scalar functions.
pub fn functions() -> Vec<Function> {
    predictions::functions()
}

/// The fits.
pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    fits::all()
}

/// Signatures and descriptions of the fits.
pub(super) const FITS: &[(&str, &str)] = fits::DECLARED;
