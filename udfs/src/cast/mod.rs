//! PostgreSQL's casts, as scalar functions that the planner puts where DataFusion's own would
//! round, cut, print or fail differently.
//!
//! ```text
//! cast(field of x, to, explicit) ─▶ Some(function) ─▶ function(x): to.arrow(), type in metadata
//!                                └▶ None: Arrow's cast is the same, or there is nothing to do
//! ```
//!
//! `explicit` is `CAST(x AS t)` and `x::t`; without it the cast is an assignment, where
//! `varchar(n)` refuses what is too long instead of cutting it (manual §10.4). The zone is the
//! session's, `datafusion.execution.time_zone`.

mod bits;
mod elements;
mod float;
mod integer;
mod numeric;
mod rules;
mod temporal;
mod text;
mod udf;

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::Field;
use datafusion::logical_expr::ScalarUDF;

use crate::Result;
use crate::types::{Kept, PgType};

pub(crate) use rules::Kernel;
use udf::Cast;
pub use udf::is_cast;

/// The function that casts a field to a type; `None` where Arrow's cast is right, where there is
/// nothing to do, or where PostgreSQL has no such cast.
pub fn cast(from: &Field, to: PgType, explicit: bool) -> Option<Arc<ScalarUDF>> {
    rules::kernel(from, to, explicit).map(|kernel| Cast::function(kernel, to, explicit))
}

/// Whether PostgreSQL has the cast at all, explicitly or in an assignment; where not, the error is
/// `cannot cast type x to y` (42846), or the one of the assignment (42804).
pub fn exists(from: PgType, to: PgType, explicit: bool) -> bool {
    rules::exists(from, to, explicit)
}

/// Text → any type, through its input function; to `varchar(n)` and neighbours through their
/// length rule.
pub fn text_to(to: PgType, explicit: bool) -> Arc<ScalarUDF> {
    let kernel = if rules::is_text(to) { Kernel::TextToText } else { Kernel::FromText };
    Cast::function(kernel, to, explicit)
}

/// Any type → text, through its output function. What is too long for `to` is cut.
pub fn to_text(from: PgType, to: PgType) -> Arc<ScalarUDF> {
    Cast::function(Kernel::ToText(from), to, true)
}

/// Floating-point number (rounds half to even) or numeric (half away from zero) → integer.
pub fn numeric_to_integer(to: PgType) -> Arc<ScalarUDF> {
    Cast::function(Kernel::ToInteger, to, true)
}

/// Integer → integer, refusing what is out of range.
pub fn integer_to_integer(to: PgType) -> Arc<ScalarUDF> {
    Cast::function(Kernel::ToInteger, to, true)
}

/// Any number → `numeric`, rounded half away from zero to the scale of the modifier.
pub fn to_numeric(to: PgType) -> Arc<ScalarUDF> {
    Cast::function(Kernel::ToNumeric, to, true)
}

/// A column of numbers as one of another type of numbers.
///
/// # Errors
/// A number that the type has no room for (22003).
pub fn numbers(array: &ArrayRef, to: PgType) -> Result<ArrayRef> {
    match to.facts().kept_as {
        Kept::Decimal => numeric::to_numeric(array, to),
        Kept::Float32 | Kept::Float64 => float::to_float(array, to),
        _ => integer::to_integer(array, to),
    }
}

#[cfg(test)]
mod tests;
