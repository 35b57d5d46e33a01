//! `to_json`, `jsonb_build_object`, `row_to_json` and their kin (manual, 9.16.2): any value as JSON.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;

use super::node::Node;
use super::scan::quoted;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::signature::is_json;
use crate::functions::strings::text::texts;
use crate::functions::value::Value;
use crate::input::json::normalise;
use crate::types::PgType;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    [
        function("to_json(anyelement) -> json", "The value as JSON.", |row| Ok(of(row, 0)?.into()))
            .stable(),
        function("to_jsonb(anyelement) -> jsonb", "The value as JSON.", |row| {
            Ok(normalise(&of(row, 0)?)?.into())
        })
        .stable(),
        function(
            "row_to_json(record) -> json; row_to_json(record, bool) -> json",
            "The row as a JSON object.",
            |row| Ok(of(row, 0)?.into()),
        )
        .stable(),
        function(
            "array_to_json(anyarray) -> json; array_to_json(anyarray, bool) -> json",
            "The array as a JSON array.",
            |row| Ok(of(row, 0)?.into()),
        )
        .stable(),
        function(
            "json_build_array() -> json; json_build_array(VARIADIC \"any\") -> json",
            "A JSON array of the arguments.",
            |row| Ok(array(row)?.into()),
        )
        .nulls()
        .stable(),
        function(
            "jsonb_build_array() -> jsonb; jsonb_build_array(VARIADIC \"any\") -> jsonb",
            "A JSON array of the arguments.",
            |row| Ok(normalise(&array(row)?)?.into()),
        )
        .nulls()
        .stable(),
        function(
            "json_build_object() -> json; json_build_object(VARIADIC \"any\") -> json",
            "A JSON object of keys and values in turn.",
            |row| Ok(object(row)?.into()),
        )
        .nulls()
        .stable(),
        function(
            "jsonb_build_object() -> jsonb; jsonb_build_object(VARIADIC \"any\") -> jsonb",
            "A JSON object of keys and values in turn.",
            |row| Ok(normalise(&object(row)?)?.into()),
        )
        .nulls()
        .stable(),
        function(
            "json_object(text[]) -> json; json_object(text[], text[]) -> json",
            "A JSON object of texts.",
            |row| Ok(of_texts(row)?.into()),
        ),
        function(
            "jsonb_object(text[]) -> jsonb; jsonb_object(text[], text[]) -> jsonb",
            "A JSON object of texts.",
            |row| Ok(normalise(&of_texts(row)?)?.into()),
        ),
    ]
    .into()
}

fn of(row: &Row<'_>, argument: usize) -> Result<String> {
    if row.is_null(argument) {
        return Ok("null".to_owned());
    }
    let Some((argument, index)) = row.place(argument) else { return Ok("null".to_owned()) };
    value(&argument.array, argument.pg_type, index, row.zone_name())
}

fn array(row: &Row<'_>) -> Result<String> {
    let values = (0..row.len()).map(|argument| of(row, argument)).collect::<Result<Vec<_>>>()?;
    Ok(format!("[{}]", values.join(", ")))
}

fn object(row: &Row<'_>) -> Result<String> {
    if row.len() % 2 == 1 {
        return Err(ValueError::invalid_parameter(
            "argument list must have even number of elements",
        )
        .with_hint(
            "The arguments of json_build_object() must consist of alternating keys and values.",
        ));
    }
    let mut members = vec![];
    for argument in (0..row.len()).step_by(2) {
        let Some(key) = row.shown(argument)? else {
            return Err(ValueError::invalid_parameter(format!(
                "argument {}: key must not be null",
                argument + 1
            )));
        };
        members.push(format!("{} : {}", quoted(&key), of(row, argument + 1)?));
    }
    Ok(format!("{{{}}}", members.join(", ")))
}

fn of_texts(row: &Row<'_>) -> Result<String> {
    let first = row.texts(0);
    let pairs: Vec<_> = if row.len() > 1 {
        if row.texts(1).len() != first.len() {
            return Err(ValueError::new("2202E", "mismatched array dimensions"));
        }
        first.into_iter().zip(row.texts(1)).collect()
    } else {
        if first.len() % 2 == 1 {
            return Err(ValueError::new("2202E", "array must have even number of elements"));
        }
        first.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    };
    let mut members = vec![];
    for (key, value) in pairs {
        let key =
            key.ok_or_else(|| ValueError::new("22004", "null value not allowed for object key"))?;
        members.push(format!(
            "{} : {}",
            quoted(&key),
            value.map_or("null".to_owned(), |value| quoted(&value))
        ));
    }
    Ok(format!("{{{}}}", members.join(", ")))
}

/// One value of a column as JSON, in the spacing of `to_json`.
///
/// # Errors
/// A type that has no text.
pub fn value(array: &ArrayRef, pg_type: PgType, row: usize, zone_name: &str) -> Result<String> {
    if array.is_null(row) || array.data_type().is_null() {
        return Ok("null".to_owned());
    }
    match array.data_type() {
        DataType::List(field) => {
            let list = array.as_list::<i32>().value(row);
            // What the array is says more than its items, whose metadata get lost on the way.
            let element = match field.data_type() {
                DataType::List(_) => pg_type,
                _ => pg_type.element().unwrap_or_else(|| PgType::from_field(field)),
            };
            let values = (0..list.len()).map(|index| value(&list, element, index, zone_name));
            return Ok(format!("[{}]", values.collect::<Result<Vec<_>>>()?.join(",")));
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members = fields.iter().zip(columns).map(|(field, column)| {
                let value = value(column, PgType::from_field(field), row, zone_name)?;
                Ok(format!("{}:{value}", quoted(field.name())))
            });
            return Ok(format!("{{{}}}", members.collect::<Result<Vec<_>>>()?.join(",")));
        }
        DataType::Boolean => return Ok(array.as_boolean().value(row).to_string()),
        _ => {}
    }
    let text = texts(&array.slice(row, 1), pg_type, zone_name)?.pop().flatten().unwrap_or_default();
    Ok(match pg_type.facts().category {
        _ if is_json(pg_type) => text,
        'N' if text.ends_with(|last: char| last.is_ascii_digit()) && pg_type.oid < 2000 => text,
        'D' if matches!(pg_type.oid, 1114 | 1184) => quoted(&iso(&text)),
        _ => quoted(&text),
    })
}

/// `2024-01-01 10:00:00+01` → `2024-01-01T10:00:00+01:00`.
fn iso(text: &str) -> String {
    let text = text.replacen(' ', "T", 1);
    let offset = text.rfind(['+', '-']).filter(|at| text.find('T').is_some_and(|time| *at > time));
    match offset {
        Some(at) if text.len() - at == 3 => text + ":00",
        _ => text,
    }
}

/// A value without blanks, as `json_strip_nulls` prints it.
pub(super) fn compact(node: &Node) -> String {
    match node {
        Node::Scalar(text) => text.clone(),
        Node::Array(values) => {
            format!("[{}]", values.iter().map(compact).collect::<Vec<_>>().join(","))
        }
        Node::Object(members) => {
            let members =
                members.iter().map(|(key, value)| format!("{}:{}", quoted(key), compact(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        node.print().into()
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn building() {
        check(&[
            ("jsonb_build_object('a',1,'b',null)", "{\"a\": 1, \"b\": null}"),
            ("json_build_array(1,'x',null)", "[1, \"x\", null]"),
            ("json_build_object('a', true)", "{\"a\" : true}"),
            ("to_jsonb(array[1,2])", "[1, 2]"),
            ("to_json(array[1,2])", "[1,2]"),
            ("to_json(array[array[1,2],array[3,4]])", "[[1,2],[3,4]]"),
            ("to_json(timestamp '2024-01-01 10:00')", "\"2024-01-01T10:00:00\""),
            ("to_jsonb(timestamptz '2024-01-01 10:00Z')", "\"2024-01-01T11:00:00+01:00\""),
            ("to_json('a\"b'::text)", "\"a\\\"b\""),
            ("to_jsonb(1.50::numeric(3,2))", "1.50"),
            ("to_jsonb(date '2024-01-01')", "\"2024-01-01\""),
            ("jsonb_object('{a,1,b,2}')", "{\"a\": \"1\", \"b\": \"2\"}"),
            ("jsonb_build_object()", "{}"),
        ]);
        check_errors(&[(
            "jsonb_build_object('a')",
            "22023",
            "argument list must have even number of elements",
        )]);
    }
}
