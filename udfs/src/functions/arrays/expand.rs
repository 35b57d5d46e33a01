//! `information_schema._pg_expandarray`: the elements of an array with their places; drivers ask
//! keys and indexes with it.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::Result;
use crate::functions::argument::Call;
use crate::functions::function::{Function, column_function};
use crate::functions::value::internal;
use crate::types::PgType;

pub(super) fn functions() -> Vec<Function> {
    vec![
        column_function(
            "_pg_expandarray(anyarray, OUT x anyelement, OUT n int4) -> SETOF record",
            "The elements of an array and their places.",
            expand,
        )
        .result(result),
    ]
}

fn result(args: &ReturnFieldArgs<'_>) -> Option<FieldRef> {
    let DataType::List(item) = args.arg_fields.first()?.data_type() else { return None };
    let place = Field::new("n", DataType::Int32, true).with_metadata(PgType::INT4.metadata());
    let fields =
        Fields::from(vec![item.as_ref().clone().with_name("x").with_nullable(true), place]);
    let row = Field::new_list_field(DataType::Struct(fields), true);
    Some(Arc::new(Field::new_list("_pg_expandarray", row, true)))
}

fn expand(call: &Call<'_>) -> Result<ArrayRef> {
    let argument = call.arguments.first().ok_or_else(|| internal("an argument expected"))?;
    let lists = argument.array.as_list_opt::<i32>().ok_or_else(|| internal("an array expected"))?;
    let DataType::List(item) = call.result.data_type() else { return Err(internal("a set")) };
    let DataType::Struct(fields) = item.data_type() else { return Err(internal("rows")) };
    let mut places = vec![0; lists.values().len()];
    for window in lists.value_offsets().windows(2) {
        let [start, end] = window else { continue };
        let slots = places.iter_mut().skip(*start as usize).take((end - start) as usize);
        slots.zip(1..).for_each(|(slot, place)| *slot = place);
    }
    let columns: Vec<ArrayRef> =
        vec![Arc::clone(lists.values()), Arc::new(Int32Array::from(places))];
    let rows = StructArray::try_new(fields.clone(), columns, None).map_err(internal)?;
    let offsets = lists.offsets().clone();
    let rows =
        ListArray::try_new(Arc::clone(item), offsets, Arc::new(rows), lists.nulls().cloned());
    let rows: ArrayRef = Arc::new(rows.map_err(internal)?);
    match argument.constant {
        true => {
            let places = arrow::array::UInt32Array::from(vec![0; call.rows]);
            arrow::compute::take(&rows, &places, None).map_err(internal)
        }
        false => Ok(rows),
    }
}
