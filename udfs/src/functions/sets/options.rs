//! `pg_options_to_table` (manual, 9.26.6): storage options as rows.

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "pg_options_to_table(text[], OUT option_name text, OUT option_value text) -> SETOF record",
            "Names and values of storage options.",
            |row| Ok(Value::List(options(row))),
        )
        .stable(),
    ]
}

/// `name=value`; a name alone has no value.
fn options(row: &Row<'_>) -> Vec<Value> {
    let rows = row.texts(0).into_iter().flatten().map(|option| {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, value.into()),
            None => (option.as_str(), Value::Null),
        };
        Value::Row(vec![name.into(), value])
    });
    rows.collect()
}
