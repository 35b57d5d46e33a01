//! Table functions whose arguments may be queries.
//!
//! ```sql
//! SELECT * FROM recommend.products('shop.next_best', candidates => (SELECT product_id FROM shop.products WHERE stock > 0));
//! SELECT * FROM score.rfm((SELECT customer_id, ordered_at, total FROM shop.orders));
//! ```
//!
//! A call is a node of the plan whose inputs are the queries, so that everything that holds for
//! queries holds for them: rights, treatment of personal data, the optimizer. A feature declares its
//! functions in a table ([`Function`]) and adds it to [`find`].
//!
//! - `function`: declarations, and how a call is planned; `call`: the node, and a call that runs
//! - `exec`: the operator; `keys`: values of any type as numbers

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};

pub(crate) mod call;
pub(crate) mod exec;
pub(crate) mod function;
pub(crate) mod keys;

pub(crate) use call::{Call, CallPlanner, column, moved_call};
pub(crate) use exec::{Batches, Make, Part, RowsExec};
pub(crate) use function::{Argument, Column, Function, Given, Parameter, may, needed};
pub(crate) use keys::Keys;

/// Columns as a result's schema has them: the same type may stand in Arrow in two ways.
///
/// # Errors
/// None in practice.
pub(crate) fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let columns = columns.into_iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
        true => Ok(column),
        false => cast(&column, field.data_type()),
    });
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(Error::internal)
}

/// Every function.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    crate::recommend::FUNCTIONS.iter().chain(crate::score::FUNCTIONS)
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|one| one.name == name)
}
