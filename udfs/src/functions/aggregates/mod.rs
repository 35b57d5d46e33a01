//! Aggregates (manual, 9.21).
use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use super::Doc;

/// All of them.
pub fn all() -> Vec<Arc<AggregateUDF>> { vec![] }

/// Their declarations.
pub fn docs() -> Vec<Doc> { vec![] }
