//! `array_append`, `array_prepend`, `array_cat`, `array_remove`, `array_replace`, `trim_array`,
//! `array_fill`, slices (manual, 9.19, 8.15).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};

use super::elements::{Comparable, NULLS, Picks, item, lists, single};
use crate::functions::argument::{Call, Row, cast};
use crate::functions::function::{Function, column_function};
use crate::functions::value::internal;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        column_function(
            "array_append(anyarray, anyelement) -> anyarray",
            "Adds an element at the end.",
            |call| extend(call, (0, 1), false),
        )
        .nulls()
        .operator("||"),
        column_function(
            "array_prepend(anyelement, anyarray) -> anyarray",
            "Adds an element at the beginning.",
            |call| extend(call, (1, 0), true),
        )
        .nulls()
        .operator("||"),
        column_function("array_cat(anyarray, anyarray) -> anyarray", "Joins two arrays.", cat)
            .nulls()
            .operator("||"),
        column_function(
            "array_remove(anyarray, anyelement) -> anyarray",
            "Without all elements that are equal to a value.",
            |call| replace(call, false),
        )
        .nulls(),
        column_function(
            "array_replace(anyarray, anyelement, anyelement) -> anyarray",
            "With another value for all elements that are equal to one.",
            |call| replace(call, true),
        )
        .nulls(),
        column_function(
            "trim_array(anyarray, int4) -> anyarray",
            "Without the last n elements.",
            trim,
        ),
        column_function(
            "array_slice(anyarray, int4, int4) -> anyarray",
            "Elements from a place to a place, as array[from:to].",
            slice,
        )
        .nulls(),
        column_function(
            "array_fill(anyelement, int4[]) -> anyarray",
            "An array of so many times the value.",
            fill,
        )
        .nulls(),
    ]
}

fn extend(call: &Call<'_>, (list, element): (usize, usize), front: bool) -> Result<ArrayRef> {
    let item = result_item(call)?;
    let (lists, element) = (lists(call, list, &item)?, single(call, element, &item)?);
    let mut picks = Picks::new(item, &[lists.values(), &element.values], call.rows);
    for row in 0..call.rows {
        if front {
            picks.pick(2, element.place(row));
        }
        // A NULL array counts as an empty one here.
        if !lists.is_null(row) {
            lists.range(row).for_each(|place| picks.pick(1, place));
        }
        if !front {
            picks.pick(2, element.place(row));
        }
        picks.end_row(true)?;
    }
    picks.finish()
}

fn result_item(call: &Call<'_>) -> Result<FieldRef> {
    match call.result.data_type() {
        DataType::List(item) => Ok(Arc::clone(item)),
        other => Err(internal(format!("{other} is no array"))),
    }
}

fn cat(call: &Call<'_>) -> Result<ArrayRef> {
    let item = result_item(call)?;
    // array[[1,2]] || array[3,4]: the second is one element of the first.
    if let Some((outer, inner)) = nested(call) {
        return extend(call, (outer, inner), inner == 0);
    }
    let (a, b) = (lists(call, 0, &item)?, lists(call, 1, &item)?);
    let mut picks = Picks::new(item, &[a.values(), b.values()], call.rows);
    for row in 0..call.rows {
        for (source, list) in [(1, &a), (2, &b)] {
            if !list.is_null(row) {
                list.range(row).for_each(|place| picks.pick(source, place));
            }
        }
        picks.end_row(!a.is_null(row) || !b.is_null(row))?;
    }
    picks.finish()
}

fn nested(call: &Call<'_>) -> Option<(usize, usize)> {
    let depth = |index: usize| {
        let mut depth = 0;
        let mut data_type = call.arguments.get(index)?.array.data_type();
        while let DataType::List(item) = data_type {
            depth += 1;
            data_type = item.data_type();
        }
        Some(depth)
    };
    match (depth(0)?, depth(1)?) {
        (a, b) if b > 0 && a == b + 1 => Some((0, 1)),
        (a, b) if a > 0 && b == a + 1 => Some((1, 0)),
        _ => None,
    }
}

fn replace(call: &Call<'_>, has_new: bool) -> Result<ArrayRef> {
    let item = item(call)?;
    let lists = lists(call, 0, &item)?;
    let old = single(call, 1, &item)?;
    let new = single(call, if has_new { 2 } else { 1 }, &item)?;
    let comparable = Comparable::new(item.data_type())?;
    let (elements, olds) = (comparable.rows(lists.values())?, comparable.rows(&old.values)?);
    let mut picks = Picks::new(item, &[lists.values(), &new.values], call.rows);
    for row in 0..call.rows {
        if lists.is_null(row) {
            picks.end_row(false)?;
            continue;
        }
        let old = olds.row(old.place(row));
        for place in lists.range(row) {
            match (elements.row(place) == old, has_new) {
                (false, _) => picks.pick(1, place),
                (true, true) => picks.pick(2, new.place(row)),
                (true, false) => {}
            }
        }
        picks.end_row(true)?;
    }
    picks.finish()
}

fn trim(call: &Call<'_>) -> Result<ArrayRef> {
    let item = item(call)?;
    let lists = lists(call, 0, &item)?;
    let mut picks = Picks::new(item, &[lists.values()], call.rows);
    for index in 0..call.rows {
        let row = Row::new(call, index);
        if row.is_null(0) || row.is_null(1) {
            picks.end_row(false)?;
            continue;
        }
        let range = lists.range(index);
        let count = usize::try_from(row.int(1))
            .ok()
            .filter(|count| *count <= range.len())
            .ok_or_else(|| {
                ValueError::new(
                    "2202E",
                    format!("number of elements to trim must be between 0 and {}", range.len()),
                )
            })?;
        range.clone().take(range.len() - count).for_each(|place| picks.pick(1, place));
        picks.end_row(true)?;
    }
    picks.finish()
}

fn slice(call: &Call<'_>) -> Result<ArrayRef> {
    let item = item(call)?;
    let lists = lists(call, 0, &item)?;
    let mut picks = Picks::new(item, &[lists.values()], call.rows);
    for index in 0..call.rows {
        let row = Row::new(call, index);
        if row.is_null(0) {
            picks.end_row(false)?;
            continue;
        }
        // An omitted bound comes as NULL and means the end of that side.
        let range = lists.range(index);
        let from = if row.is_null(1) { 1 } else { row.int(1).max(1) };
        let to = if row.is_null(2) { i64::MAX } else { row.int(2) };
        let first = usize::try_from(from - 1).unwrap_or(usize::MAX);
        let count = usize::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(0);
        range.skip(first).take(count).for_each(|place| picks.pick(1, place));
        picks.end_row(true)?;
    }
    picks.finish()
}

fn fill(call: &Call<'_>) -> Result<ArrayRef> {
    const COUNT_MAX: i64 = 10_000_000;
    let item = result_item(call)?;
    let value = single(call, 0, &item)?;
    let mut picks = Picks::new(item, &[&value.values], call.rows);
    for index in 0..call.rows {
        let row = Row::new(call, index);
        let sizes = row.list(1).filter(|_| !row.is_null(1)).ok_or_else(|| {
            ValueError::new("22004", "dimension array or low bound array cannot be null")
        })?;
        let sizes = cast(&sizes, &DataType::Int64)?;
        let sizes = sizes.as_primitive::<Int64Type>();
        if sizes.len() > 1 {
            return Err(ValueError::new("0A000", "array_fill makes arrays of one dimension"));
        }
        let count = if sizes.is_empty() { 0 } else { sizes.value(0) };
        if !(0..=COUNT_MAX).contains(&count) {
            return Err(ValueError::new("54000", "array size exceeds the maximum allowed"));
        }
        for _ in 0..count {
            if value.values.is_null(value.place(index)) {
                picks.pick(NULLS, 0);
            } else {
                picks.pick(1, value.place(index));
            }
        }
        picks.end_row(true)?;
    }
    picks.finish()
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn changes() {
        check(&[
            ("array_append(array[1],2)", "{1,2}"),
            ("array_prepend(0,array[1])", "{0,1}"),
            ("array_cat(array[1],array[2])", "{1,2}"),
            ("array_remove(array[1,2,1],1)", "{2}"),
            ("array_remove(array[1,null,1],null)", "{1,1}"),
            ("array_replace(array[1,2,1],1,9)", "{9,2,9}"),
            ("trim_array(array[1,2,3],1)", "{1,2}"),
            ("array_fill(0, array[2])", "{0,0}"),
            ("array_cat(null, array[1])", "{1}"),
            ("array_append(null, 1)", "{1}"),
            ("array_cat(array[1,2], '{3,4}')", "{1,2,3,4}"),
            ("array_append(array['a'], 'b c')", "{a,\"b c\"}"),
        ]);
        check_errors(&[(
            "trim_array(array[1], 2)",
            "2202E",
            "number of elements to trim must be between 0 and 1",
        )]);
    }
}
