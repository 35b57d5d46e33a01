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

pub(crate) mod call;
pub(crate) mod exec;
pub(crate) mod function;
pub(crate) mod keys;

pub(crate) use call::{Call, CallPlanner, column, moved_call};
pub(crate) use exec::{Batches, Make, Part, RowsExec};
pub(crate) use function::{Argument, Column, Function, Given, Parameter, may, needed};
pub(crate) use keys::Keys;

/// Every function.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    crate::recommend::FUNCTIONS.iter().chain(crate::score::FUNCTIONS)
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|one| one.name == name)
}
