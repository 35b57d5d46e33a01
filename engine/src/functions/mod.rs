//! The SQL functions that need to know who asks, and where everything callable is found.
//!
//! Stateless functions live in `clientele_udfs`; here are those over the session
//! ([`session`]), over the catalog ([`registered`]), table functions ([`tables`]) and
//! procedures ([`procedures`]).

mod array_query;
pub(crate) mod calls;
pub(crate) mod declared;
mod expression_field;
mod facts;
mod inlined;
mod json_elements;
mod markers;
mod of_domain;
mod offered;
mod operators;
pub(crate) mod per_row;
pub mod procedures;
pub(crate) mod publishing;
pub(crate) mod random;
mod record;
mod registered;
mod retyped;
pub(crate) mod row_kernel;
mod sequence_row;
mod sequences;
mod session;
mod sleep;
mod tables;
pub mod values_cell;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

pub use array_query::ARRAY_QUERY;
pub use expression_field::expression_field;
pub use facts::catalog_context;
pub(crate) use inlined::{QueryFunction, are_constant, arguments_of, place_queries};
pub use json_elements::JSON_ELEMENTS;
pub use markers::{
    ENUM_FIRST, ENUM_LAST, ENUM_RANGE, EQUALS_ANY, LOWER, NEGATED, RANGE_ORDER, SUBSTRING, UPPER,
};
pub use of_domain::of_domain;
pub use offered::{OWN, is_offered, registered_name};
pub use operators::{Elements, Operators, operand_type, operator};
pub use record::{RECORD, RECORD_OR_NULL, ROW_OF};
pub use registered::{
    is_registered, numbered_array, read_registered, register_cast, show_registered,
};
pub use retyped::{NAMED_APART, retyped, stated};
pub use row_kernel::{Kernel, Signature, rebind};
pub use sequence_row::SequenceRow;
pub use sequences::{Blocks, forget_sequence, next_value, restart_sequence, save_new_sequences};
pub use tables::{SCALAR_RESULT_KEY, TableFunction, table_function};

use crate::planning::context::QueryContext;
use crate::privacy::stored;

/// A function over session or catalog, bound to the statement that calls it.
pub fn of_session(name: &str, context: &Arc<QueryContext>) -> Option<Arc<ScalarUDF>> {
    if name == ARRAY_QUERY {
        return Some(array_query::function());
    }
    if name == values_cell::NAME {
        return Some(values_cell::function());
    }
    if name == stored::NAME {
        return Some(stored::function());
    }
    if name == "random" {
        return Some(random::function(context));
    }
    if name == "pg_sleep" {
        return Some(sleep::function());
    }
    let kernel = all_kernels().find(|kernel| kernel.name == name)?;
    Some(row_kernel::bind(kernel, context))
}

/// Whether a function looks at the session or the catalog.
pub(crate) fn is_of_session(name: &str) -> bool {
    all_kernels().any(|kernel| kernel.name == name)
}

fn all_kernels() -> impl Iterator<Item = &'static Kernel> {
    let session = session::KERNELS.iter().chain(registered::KERNELS).chain(sequences::KERNELS);
    session
        .chain(crate::identity::KERNELS)
        .chain(crate::gdpr::KERNELS)
        .chain(crate::rules::KERNELS)
        .chain(crate::consent::KERNELS)
        .chain(crate::quality::KERNELS)
}

/// Scalar functions that every session has: DataFusion's, then ours over them.
pub fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    clientele_udfs::functions::all()
        .into_iter()
        .chain(markers::all())
        .chain(record::functions())
        .chain([json_elements::function(), retyped::named_apart()])
        .collect()
}

/// Window functions of ours.
pub fn window_functions() -> Vec<Arc<WindowUDF>> {
    clientele_udfs::functions::windows::all()
}

/// Aggregates of ours.
pub fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    clientele_udfs::functions::aggregates()
}
