//! `array_position`, `array_positions`, subscripts, `@>`, `<@`, `&&`, `= ANY` (manual, 9.19).

use std::collections::HashSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder};
use datafusion::arrow::row::Rows;
use std::sync::Arc;

use super::elements::{Comparable, Lists, NULLS, Picks, item, lists, single};
use crate::functions::argument::{Call, Row};
use crate::functions::function::{Function, column_function};
use crate::functions::value::{Builder, Value};
use crate::{Result, ValueError};

/// Whether a search of an array comes to nothing certain: no name that SQL can call.
pub const NULL_AMONG: &str = "null among";

pub(super) fn functions() -> Vec<Function> {
    vec![
        column_function("array_position(anyarray, anyelement) -> int4; array_position(anyarray, anyelement, int4) -> int4", "Place of the first element that is equal to a value.", |call| {
            positions(call, false)
        }).nulls(),
        column_function("array_positions(anyarray, anyelement) -> int4[]", "Places of all elements that are equal to a value.", |call| {
            positions(call, true)
        }).nulls(),
        column_function("array_subscript(anyarray, int4) -> anyelement", "The element at a place, counted from 1; NULL beyond the ends.", subscript),
        column_function("null among(anyarray) -> bool", "NULL if an element is, else false.", unknown),
        column_function("arraycontains(anyarray, anyarray) -> bool", "Whether each element of the second is in the first.", |call| {
            compare(call, |a, b| within(b, a))
        }).operator("@>"),
        column_function("arraycontained(anyarray, anyarray) -> bool", "Whether each element of the first is in the second.", |call| {
            compare(call, within)
        }).operator("<@"),
        column_function("arrayoverlap(anyarray, anyarray) -> bool", "Whether the arrays have an element in common.", |call| {
            compare(call, |a, b| a.iter().any(|element| element.is_some() && b.contains(element)))
        }).operator("&&"),
    ]
}

fn positions(call: &Call<'_>, all: bool) -> Result<ArrayRef> {
    let item = item(call)?;
    let (lists, wanted) = (lists(call, 0, &item)?, single(call, 1, &item)?);
    let comparable = Comparable::new(item.data_type())?;
    let (elements, wanteds) = (comparable.rows(lists.values())?, comparable.rows(&wanted.values)?);
    let mut builder = Builder::new(call.result.data_type(), call.rows);
    for index in 0..call.rows {
        let row = Row::new(call, index);
        if lists.is_null(index) {
            builder.push(Value::Null)?;
            continue;
        }
        if row.len() > 2 && row.is_null(2) {
            return Err(ValueError::new("22004", "initial position must not be null"));
        }
        let start = if row.len() > 2 { usize::try_from(row.int(2) - 1).unwrap_or(0) } else { 0 };
        let wanted = wanteds.row(wanted.place(index));
        let range = lists.range(index);
        let mut found = range
            .enumerate()
            .skip(start)
            .filter(|(_, place)| elements.row(*place) == wanted)
            .map(|(position, _)| i32::try_from(position + 1).ok());
        builder.push(if all {
            Value::List(found.map(Value::from).collect())
        } else {
            found.next().flatten().into()
        })?;
    }
    builder.finish()
}

fn subscript(call: &Call<'_>) -> Result<ArrayRef> {
    let item = item(call)?;
    let lists = lists(call, 0, &item)?;
    let mut picks = Picks::new(item, &[lists.values()], call.rows);
    for index in 0..call.rows {
        let row = Row::new(call, index);
        let place = if row.is_null(0) || row.is_null(1) {
            None
        } else {
            usize::try_from(row.int(1) - 1).ok().and_then(|place| lists.range(index).nth(place))
        };
        match place {
            Some(place) => picks.pick(1, place),
            None => picks.pick(NULLS, 0),
        }
        picks.end_row(true)?;
    }
    let list = picks.finish()?;
    Ok(Arc::clone(list.as_list::<i32>().values()))
}

/// NULL for an array with a NULL in it, else false: what `x = ANY (array)` is where no element is x.
fn unknown(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = lists(call, 0, &item(call)?)?;
    let has_null = |row| lists.range(row).any(|place| lists.values().is_null(place));
    let known = (0..call.rows).map(|row| (!lists.is_null(row) && !has_null(row)).then_some(false));
    Ok(Arc::new(known.collect::<BooleanArray>()))
}

type Elements = HashSet<Option<Vec<u8>>>;

/// NULL elements are in no other array, not even in one with a NULL.
fn within(a: &Elements, b: &Elements) -> bool {
    a.iter().all(|element| element.is_some() && b.contains(element))
}

fn compare(call: &Call<'_>, test: impl Fn(&Elements, &Elements) -> bool) -> Result<ArrayRef> {
    let item = item(call)?;
    let (a, b) = (lists(call, 0, &item)?, lists(call, 1, &item)?);
    let comparable = Comparable::new(item.data_type())?;
    let (left, right) = (comparable.rows(a.values())?, comparable.rows(b.values())?);
    let mut builder = BooleanBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        if a.is_null(row) || b.is_null(row) {
            builder.append_null();
            continue;
        }
        let elements = |lists: &Lists, rows: &Rows| -> Elements {
            let element =
                |place| lists.values().is_valid(place).then(|| rows.row(place).as_ref().to_vec());
            lists.range(row).map(element).collect()
        };
        builder.append_value(test(&elements(&a, &left), &elements(&b, &right)));
    }
    Ok(Arc::new(builder.finish()))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn finding() {
        check(&[
            ("array_position(array['a','b'],'b')", "2"),
            ("array_position(array[1,2,1], 1, 2)", "3"),
            ("array_position(array[1], 5)", "NULL"),
            ("array_positions(array[1,2,1], 1)", "{1,3}"),
            ("array_position(array[1,null], null)", "2"),
            ("arraycontains(array[1,2], array[1])", "t"),
            ("arraycontained(array[1], array[1,2])", "t"),
            ("arrayoverlap(array[1,2], array[2,3])", "t"),
            ("arrayoverlap(array[1], array[3])", "f"),
            ("arraycontains(array[1,null], array[null]::int[])", "f"),
            ("arraycontains(array[1,2], '{2}')", "t"),
        ]);
    }
}
