//! `aclexplode`: the rows of an access control list (manual, functions-info). Its items have roles by
//! their OIDs, which the engine has put in place of names.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Int64Builder, ListArray, StringViewBuilder,
    StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::logical_expr::ReturnFieldArgs;

use crate::Result;
use crate::functions::argument::Call;
use crate::functions::function::{Function, column_function};
use crate::functions::value::internal;
use crate::types::PgType;

/// Letters of `aclitem` with the names of the privileges, in PostgreSQL's order.
const PRIVILEGES: &[(char, &str)] = &[
    ('a', "INSERT"),
    ('r', "SELECT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('T', "TEMPORARY"),
    ('c', "CONNECT"),
];

pub(super) fn functions() -> Vec<Function> {
    vec![
        column_function(
            "aclexplode(aclitem[], OUT grantor oid, OUT grantee oid, OUT privilege_type text, OUT is_grantable bool) -> SETOF record",
            "The privileges of an access control list, one a row.",
            explode,
        )
        .result(result),
    ]
}

fn fields() -> Fields {
    let columns = [
        ("grantor", PgType::OID),
        ("grantee", PgType::OID),
        ("privilege_type", PgType::TEXT),
        ("is_grantable", PgType::BOOL),
    ];
    columns.into_iter().map(|(name, pg_type)| pg_type.field(name, true)).collect()
}

fn result(_: &ReturnFieldArgs<'_>) -> Option<FieldRef> {
    let row = Field::new_list_field(DataType::Struct(fields()), true);
    Some(Arc::new(Field::new_list("aclexplode", row, true)))
}

#[derive(Default)]
struct Rows {
    grantor: Int64Builder,
    grantee: Int64Builder,
    privilege: StringViewBuilder,
    grantable: BooleanBuilder,
    count: usize,
}

impl Rows {
    /// Adds the privileges of `5=r*w/10`.
    fn add(&mut self, item: &str) {
        let Some((grantee, rest)) = item.split_once('=') else { return };
        let Some((letters, grantor)) = rest.split_once('/') else { return };
        for (letter, name) in PRIVILEGES {
            let Some(at) = letters.find(*letter) else { continue };
            self.grantor.append_value(grantor.parse().unwrap_or_default());
            self.grantee.append_value(grantee.parse().unwrap_or_default());
            self.privilege.append_value(name);
            self.grantable.append_value(letters[at..].chars().nth(1) == Some('*'));
            self.count += 1;
        }
    }
}

fn explode(call: &Call<'_>) -> Result<ArrayRef> {
    let argument = call.arguments.first().ok_or_else(|| internal("an argument expected"))?;
    let lists = argument.array.as_list_opt::<i32>().ok_or_else(|| internal("an array expected"))?;
    let mut rows = Rows::default();
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let (row, before) = (if argument.constant { 0 } else { row }, rows.count);
        if lists.is_valid(row) {
            let items = arrow::compute::cast(&lists.value(row), &DataType::Utf8View);
            let items = items.map_err(internal)?;
            items.as_string_view().iter().flatten().for_each(|item| rows.add(item));
        }
        lengths.push(rows.count - before);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.grantor.finish()),
        Arc::new(rows.grantee.finish()),
        Arc::new(rows.privilege.finish()),
        Arc::new(rows.grantable.finish()),
    ];
    let structs = StructArray::try_new(fields(), columns, None).map_err(internal)?;
    let item = Arc::new(Field::new_list_field(DataType::Struct(fields()), true));
    let lists =
        ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(structs), None);
    Ok(Arc::new(lists.map_err(internal)?))
}
