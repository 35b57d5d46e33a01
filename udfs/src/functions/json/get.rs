//! `->`, `->>`, `#>`, `#>>`, `jsonb_extract_path`, `jsonb_typeof`, `jsonb_array_length`
//! (manual, 9.16.1, 9.16.2).

use super::scan::{Kind, as_text, at_path, element, member, parts};
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    [single(), paths()].concat()
}

fn single() -> Vec<Function> {
    vec![
        function("json_object_field(json, text) -> json", "A member of an object.", |row| {
            field(row, false)
        })
        .operator("->"),
        function("jsonb_object_field(jsonb, text) -> jsonb", "A member of an object.", |row| {
            field(row, false)
        })
        .operator("->"),
        function(
            "json_array_element(json, int4) -> json",
            "An element of an array, counted from 0, or from the end.",
            |row| at(row, false),
        )
        .operator("->"),
        function(
            "jsonb_array_element(jsonb, int4) -> jsonb",
            "An element of an array, counted from 0, or from the end.",
            |row| at(row, false),
        )
        .operator("->"),
        function(
            "json_object_field_text(json, text) -> text",
            "A member of an object, as text.",
            |row| field(row, true),
        )
        .operator("->>"),
        function(
            "jsonb_object_field_text(jsonb, text) -> text",
            "A member of an object, as text.",
            |row| field(row, true),
        )
        .operator("->>"),
        function(
            "json_array_element_text(json, int4) -> text",
            "An element of an array, as text.",
            |row| at(row, true),
        )
        .operator("->>"),
        function(
            "jsonb_array_element_text(jsonb, int4) -> text",
            "An element of an array, as text.",
            |row| at(row, true),
        )
        .operator("->>"),
    ]
}

fn paths() -> Vec<Function> {
    vec![
        function(
            "json_extract_path(json, VARIADIC text[]) -> json",
            "The value at a path.",
            |row| path(row, false),
        )
        .operator("#>"),
        function(
            "jsonb_extract_path(jsonb, VARIADIC text[]) -> jsonb",
            "The value at a path.",
            |row| path(row, false),
        )
        .operator("#>"),
        function(
            "json_extract_path_text(json, VARIADIC text[]) -> text",
            "The value at a path, as text.",
            |row| path(row, true),
        )
        .operator("#>>"),
        function(
            "jsonb_extract_path_text(jsonb, VARIADIC text[]) -> text",
            "The value at a path, as text.",
            |row| path(row, true),
        )
        .operator("#>>"),
        function(
            "json_typeof(json) -> text",
            "Kind of the value: object, array, string, number, boolean, null.",
            kind,
        ),
        function(
            "jsonb_typeof(jsonb) -> text",
            "Kind of the value: object, array, string, number, boolean, null.",
            kind,
        ),
        function("json_array_length(json) -> int4", "Number of elements of an array.", length),
        function("jsonb_array_length(jsonb) -> int4", "Number of elements of an array.", length),
    ]
}

fn value(found: Option<&str>, text: bool) -> Result<Value> {
    Ok(if text { found.and_then(as_text).into() } else { found.map(str::trim).into() })
}

fn field(row: &Row<'_>, text: bool) -> Result<Value> {
    value(member(row.text(0), row.text(1)), text)
}

fn at(row: &Row<'_>, text: bool) -> Result<Value> {
    value(element(row.text(0), row.int(1)), text)
}

/// The path is an array, or all further arguments.
fn path(row: &Row<'_>, text: bool) -> Result<Value> {
    let steps = match row.list(1) {
        Some(_) => row.texts(1),
        None => (1..row.len()).map(|argument| row.text_opt(argument).map(str::to_owned)).collect(),
    };
    value(at_path(row.text(0), &steps), text)
}

fn kind(row: &Row<'_>) -> Result<Value> {
    Ok(Kind::of(row.text(0)).name().into())
}

fn length(row: &Row<'_>) -> Result<Value> {
    match Kind::of(row.text(0)) {
        Kind::Array => Ok(i64::try_from(parts(row.text(0)).count()).ok().into()),
        Kind::Object => {
            Err(ValueError::invalid_parameter("cannot get array length of a non-array"))
        }
        _ => Err(ValueError::invalid_parameter("cannot get array length of a scalar")),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn getting() {
        check(&[
            ("jsonb_object_field('{\"a\":{\"b\":[1,2]}}', 'a')", "{\"b\": [1, 2]}"),
            ("jsonb_array_element('[1,2,3]', -1)", "3"),
            ("json_array_element('[1, {\"a\" :2},3]', 1)", "{\"a\" :2}"),
            ("jsonb_object_field_text('{\"a\":\"x\\ny\"}', 'a')", "x\ny"),
            ("jsonb_object_field_text('{\"a\":null}', 'a')", "NULL"),
            ("jsonb_object_field('{\"a\":null}', 'a')", "null"),
            ("jsonb_object_field('[1]', 'a')", "NULL"),
            ("jsonb_extract_path('{\"a\":{\"b\":1}}', 'a', 'b')", "1"),
            ("jsonb_extract_path_text('{\"a\":{\"b\":\"c\"}}','a','b')", "c"),
            ("jsonb_extract_path('{\"a\":[{\"b\":1}]}', 'a', '0', 'b')", "1"),
            ("jsonb_typeof('[1]')", "array"),
            ("jsonb_array_length('[1,[2,3]]')", "2"),
            ("jsonb_array_length('[]')", "0"),
        ]);
        check_errors(&[
            ("jsonb_array_length('{}')", "22023", "cannot get array length of a non-array"),
            ("jsonb_typeof('{')", "22P02", "invalid input syntax for type json"),
        ]);
    }
}
