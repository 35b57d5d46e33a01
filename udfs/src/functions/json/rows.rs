//! Rows from JSON: `jsonb_array_elements`, `jsonb_each`, `jsonb_object_keys` (manual, 9.16.2).

use super::scan::{Kind, as_text, parts, unquoted};
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    const ELEMENTS: &str = "The elements of an array.";
    const EACH: &str = "Keys and values of an object.";
    [
        function("json_array_elements(json, OUT value json) -> SETOF json", ELEMENTS, |row| {
            elements(row, false, "json_array_elements")
        }),
        function("jsonb_array_elements(jsonb, OUT value jsonb) -> SETOF jsonb", ELEMENTS, |row| {
            elements(row, false, "jsonb")
        }),
        function("json_array_elements_text(json, OUT value text) -> SETOF text", ELEMENTS, |row| {
            elements(row, true, "json_array_elements_text")
        }),
        function(
            "jsonb_array_elements_text(jsonb, OUT value text) -> SETOF text",
            ELEMENTS,
            |row| elements(row, true, "jsonb"),
        ),
        function("json_each(json, OUT key text, OUT value json) -> SETOF record", EACH, |row| {
            each(row, false, "json_each")
        }),
        function("jsonb_each(jsonb, OUT key text, OUT value jsonb) -> SETOF record", EACH, |row| {
            each(row, false, "jsonb_each")
        }),
        function(
            "json_each_text(json, OUT key text, OUT value text) -> SETOF record",
            EACH,
            |row| each(row, true, "json_each_text"),
        ),
        function(
            "jsonb_each_text(jsonb, OUT key text, OUT value text) -> SETOF record",
            EACH,
            |row| each(row, true, "jsonb_each_text"),
        ),
        function("json_object_keys(json) -> SETOF text", "The keys of an object.", |row| {
            keys(row, "json_object_keys")
        }),
        function("jsonb_object_keys(jsonb) -> SETOF text", "The keys of an object.", |row| {
            keys(row, "jsonb_object_keys")
        }),
    ]
    .into()
}

fn elements(row: &Row<'_>, text: bool, name: &str) -> Result<Value> {
    let given = row.text(0);
    let message = match (Kind::of(given), name) {
        (Kind::Array, _) => {
            let value = |value: &str| if text { as_text(value).into() } else { value.into() };
            return Ok(Value::List(parts(given).map(|(_, part)| value(part)).collect()));
        }
        (Kind::Object, "jsonb") => "cannot extract elements from an object".to_owned(),
        (_, "jsonb") => "cannot extract elements from a scalar".to_owned(),
        (Kind::Object, name) => format!("cannot call {name} on a non-array"),
        (_, name) => format!("cannot call {name} on a scalar"),
    };
    Err(ValueError::invalid_parameter(message))
}

fn each(row: &Row<'_>, text: bool, name: &str) -> Result<Value> {
    let given = row.text(0);
    if Kind::of(given) != Kind::Object {
        return Err(ValueError::invalid_parameter(
            match (Kind::of(given), name.starts_with("jsonb")) {
                (Kind::Array, false) => "cannot deconstruct an array as an object".to_owned(),
                (_, false) => "cannot deconstruct a scalar".to_owned(),
                (_, true) => format!("cannot call {name} on a non-object"),
            },
        ));
    }
    let value = |value: &str| if text { as_text(value).into() } else { Value::from(value) };
    let members = parts(given)
        .map(|(key, part)| Value::Row(vec![unquoted(key).into_owned().into(), value(part)]));
    Ok(Value::List(members.collect()))
}

fn keys(row: &Row<'_>, name: &str) -> Result<Value> {
    match Kind::of(row.text(0)) {
        Kind::Object => {
            Ok(Value::texts(parts(row.text(0)).map(|(key, _)| unquoted(key).into_owned())))
        }
        Kind::Array => {
            Err(ValueError::invalid_parameter(format!("cannot call {name} on an array")))
        }
        _ => Err(ValueError::invalid_parameter(format!("cannot call {name} on a scalar"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check_errors, check_rows};

    #[test]
    fn rows() {
        check_rows(&[
            ("jsonb_array_elements('[1,{\"a\":2}]')", &["1", "{\"a\": 2}"]),
            ("jsonb_array_elements_text('[\"a\",null]')", &["a", "NULL"]),
            ("jsonb_object_keys('{\"z\":1,\"a\":2}')", &["a", "z"]),
            ("jsonb_each('{\"a\":1}')", &["(a,1)"]),
            ("json_each_text('{\"a\":1,\"b\":null}')", &["(a,1)", "(b,)"]),
        ]);
        check_errors(&[
            ("jsonb_array_elements('{}')", "22023", "cannot extract elements from an object"),
            ("jsonb_each('1')", "22023", "cannot call jsonb_each on a non-object"),
        ]);
    }
}
