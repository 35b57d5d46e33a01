//! `array_length`, `array_upper`, `array_lower`, `array_ndims`, `array_dims`, `cardinality`
//! (manual, 9.19). Arrays of ours begin at 1; `int2vector` and `oidvector` at 0, as in PostgreSQL.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;

use crate::Result;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::types::PgType;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("array_length(anyarray, int4) -> int4", "Length of a dimension.", |row| {
            Ok(dimension(row).into())
        }),
        function("array_upper(anyarray, int4) -> int4", "Last place of a dimension.", |row| {
            Ok(dimension(row).map(|size| first_place(row) + size - 1).into())
        }),
        function("array_lower(anyarray, int4) -> int4", "First place of a dimension.", |row| {
            Ok(dimension(row).map(|_| first_place(row)).into())
        }),
        function("array_ndims(anyarray) -> int4", "Number of dimensions.", |row| {
            let count = sizes(row).len();
            Ok(i64::try_from(count).ok().filter(|count| *count > 0).into())
        }),
        function("array_dims(anyarray) -> text", "The dimensions as text.", |row| {
            let sizes = sizes(row);
            let text: String = sizes.iter().map(|size| format!("[1:{size}]")).collect();
            Ok(Some(text).filter(|text| !text.is_empty()).into())
        }),
        function(
            "cardinality(anyarray) -> int4",
            "Number of elements in all dimensions.",
            cardinality,
        ),
        function(
            "generate_subscripts(anyarray, int4) -> SETOF int4; generate_subscripts(anyarray, int4, bool) -> SETOF int4",
            "The places of a dimension.",
            |row| {
                let size = dimension(row).unwrap_or(0);
                let places = (0..size).map(|place| Value::from(first_place(row) + place));
                let backwards = !row.is_null(2) && row.bool(2);
                Ok(Value::List(if backwards { places.rev().collect() } else { places.collect() }))
            },
        ),
    ]
}

fn first_place(row: &Row<'_>) -> i64 {
    i64::from(!matches!(row.pg_type(0), PgType::INT2VECTOR | PgType::OIDVECTOR))
}

/// Sizes of the dimensions; an empty array has none.
fn sizes(row: &Row<'_>) -> Vec<i64> {
    let mut sizes = vec![];
    let mut list = row.list(0);
    while let Some(elements) = list.filter(|elements| !elements.is_empty()) {
        sizes.push(i64::try_from(elements.len()).unwrap_or(i64::MAX));
        list = first(&elements);
    }
    sizes
}

fn first(elements: &ArrayRef) -> Option<ArrayRef> {
    match elements.data_type() {
        DataType::List(_) => Some(elements.as_list::<i32>().value(0)),
        _ => None,
    }
}

fn dimension(row: &Row<'_>) -> Option<i64> {
    let index = usize::try_from(row.int(1) - 1).ok()?;
    sizes(row).get(index).copied()
}

fn cardinality(row: &Row<'_>) -> Result<Value> {
    let sizes = sizes(row);
    Ok(if sizes.is_empty() { 0 } else { sizes.iter().product::<i64>() }.into())
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn shapes() {
        check(&[
            ("array_length(array[1,2],1)", "2"),
            ("array_length(array[1,2],2)", "NULL"),
            ("cardinality(array[1,2])", "2"),
            ("array_upper(array[1,2],1)", "2"),
            ("array_ndims(array[array[1],array[2]])", "2"),
            ("array_dims(array[array[1,2],array[3,4]])", "[1:2][1:2]"),
            ("cardinality(array[array[1,2],array[3,4]])", "4"),
            ("array_lower(array[1], 1)", "1"),
        ]);
    }
}
