//! Column kernels that compute once per distinct value: normalising costs microseconds, and columns
//! repeat their values.

use std::sync::Arc;

use clientele_identity::text::distinct::{self, Distinct};
use datafusion::arrow::array::{ArrayRef, BooleanArray, StringViewBuilder};

use crate::Result;
use crate::functions::argument::{Call, Row};

/// The value of a row, and the argument behind it; `""` where none was given.
type Key<'a> = (&'a str, &'a str);

fn compute<'a, T>(call: &'a Call<'a>, kernel: impl FnMut(Key<'a>) -> T) -> Distinct<T> {
    let keys = (0..call.rows).map(|index| {
        let row = Row::new(call, index);
        let null = row.is_null(0) || row.len() > 1 && row.is_null(1);
        (!null).then(|| (row.text(0), if row.len() > 1 { row.text(1) } else { "" }))
    });
    distinct::compute(keys, kernel)
}

/// A `text` column.
///
/// # Errors
/// What the kernel says.
pub(super) fn texts<'a>(
    call: &'a Call<'a>,
    kernel: impl FnMut(Key<'a>) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let distinct = compute(call, kernel);
    let results = distinct.results.into_iter().collect::<Result<Vec<_>>>()?;
    let mut column = StringViewBuilder::with_capacity(call.rows);
    for place in distinct.places {
        column.append_option(place.and_then(|place| results[place].as_deref()));
    }
    Ok(Arc::new(column.finish()))
}

/// A `boolean` column.
///
/// # Errors
/// What the kernel says.
pub(super) fn booleans<'a>(
    call: &'a Call<'a>,
    kernel: impl FnMut(Key<'a>) -> Result<bool>,
) -> Result<ArrayRef> {
    let distinct = compute(call, kernel);
    let results = distinct.results.into_iter().collect::<Result<Vec<_>>>()?;
    let column = distinct.places.into_iter().map(|place| place.map(|place| results[place]));
    Ok(Arc::new(column.collect::<BooleanArray>()))
}
