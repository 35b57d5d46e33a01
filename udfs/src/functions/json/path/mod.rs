//! jsonpath functions (manual, 9.16.2, 9.16.3): `jsonb_path_query` and its kin, `@?`, `@@`.

use std::rc::Rc;

use super::node::Node;
use crate::Result;
use crate::functions::argument::Row;
use crate::functions::cache::Cache;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;

pub mod evaluate;
pub mod syntax;

thread_local! {
    static PATHS: Cache<syntax::Path> = Cache::new();
}

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "jsonb_path_query(jsonb, jsonpath) -> SETOF jsonb; jsonb_path_query(jsonb, jsonpath, jsonb) -> SETOF jsonb; jsonb_path_query(jsonb, jsonpath, jsonb, bool) -> SETOF jsonb",
            "The values that a path finds.",
            |row| Ok(Value::List(found(row)?.into_iter().map(Value::from).collect())),
        ),
        function(
            "jsonb_path_query_array(jsonb, jsonpath) -> jsonb; jsonb_path_query_array(jsonb, jsonpath, jsonb) -> jsonb; jsonb_path_query_array(jsonb, jsonpath, jsonb, bool) -> jsonb",
            "The values that a path finds, as an array.",
            |row| Ok(Node::Array(found(row)?).into()),
        ),
        function(
            "jsonb_path_query_first(jsonb, jsonpath) -> jsonb; jsonb_path_query_first(jsonb, jsonpath, jsonb) -> jsonb; jsonb_path_query_first(jsonb, jsonpath, jsonb, bool) -> jsonb",
            "The first value that a path finds.",
            |row| Ok(found(row)?.into_iter().next().into()),
        ),
        function(
            "jsonb_path_exists(jsonb, jsonpath) -> bool; jsonb_path_exists(jsonb, jsonpath, jsonb) -> bool; jsonb_path_exists(jsonb, jsonpath, jsonb, bool) -> bool",
            "Whether a path finds anything.",
            |row| Ok((!found(row)?.is_empty()).into()),
        ),
        function(
            "jsonb_path_match(jsonb, jsonpath) -> bool; jsonb_path_match(jsonb, jsonpath, jsonb) -> bool; jsonb_path_match(jsonb, jsonpath, jsonb, bool) -> bool",
            "The outcome of a path that is a predicate.",
            |row| {
                let path = path(row)?;
                let outcome = evaluate::matches(&path, &Node::parse(row.text(0)), &variables(row));
                Ok(if silent(row) { outcome.ok().flatten().into() } else { outcome?.into() })
            },
        ),
        function(
            "jsonb_path_exists_opr(jsonb, jsonpath) -> bool",
            "Whether a path finds anything; NULL on an error.",
            |row| {
                let path = path(row)?;
                let found = evaluate::values(&path, &Node::parse(row.text(0)), &variables(row));
                Ok(found.ok().map(|found| !found.is_empty()).into())
            },
        )
        .operator("@?"),
        function(
            "jsonb_path_match_opr(jsonb, jsonpath) -> bool",
            "The outcome of a path that is a predicate; NULL on an error.",
            |row| {
                let path = path(row)?;
                let outcome = evaluate::matches(&path, &Node::parse(row.text(0)), &variables(row));
                Ok(outcome.ok().flatten().into())
            },
        )
        .operator("@@"),
    ]
}

fn path(row: &Row<'_>) -> Result<Rc<syntax::Path>> {
    PATHS.with(|cache| cache.get(row.text(1), syntax::parse))
}

fn silent(row: &Row<'_>) -> bool {
    !row.is_null(3) && row.bool(3)
}

fn variables(row: &Row<'_>) -> Node {
    Node::parse(row.text_opt(2).unwrap_or("{}"))
}

fn found(row: &Row<'_>) -> Result<Vec<Node>> {
    let path = path(row)?;
    let found = evaluate::values(&path, &Node::parse(row.text(0)), &variables(row));
    if silent(row) { Ok(found.unwrap_or_default()) } else { found }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors, check_rows};

    #[test]
    fn paths() {
        check(&[
            ("jsonb_path_query_array('{\"a\":[1,2,3]}', '$.a[*] ? (@ > 1)')", "[2, 3]"),
            ("jsonb_path_exists('{\"a\":1}','$.a')", "t"),
            ("jsonb_path_query_first('{\"a\":[1,2,3]}', '$.a[last]')", "3"),
            ("jsonb_path_query_array('{\"a\":[1,2,3]}', '$.a[0 to 1]')", "[1, 2]"),
            ("jsonb_path_query_array('[{\"b\":1},{\"b\":2}]', '$.b')", "[1, 2]"),
            ("jsonb_path_query_first('{\"a\":[1,2]}', '$.a.size()')", "2"),
            ("jsonb_path_match('{\"a\":1}', '$.a == 1 && exists($.a)')", "t"),
            ("jsonb_path_query_array('{\"a\":{\"b\":1}}', '$.**.b')", "[1]"),
            ("jsonb_path_query_array('[1,2,3]', '$[*] ? (@ >= $min)', '{\"min\":2}')", "[2, 3]"),
            ("jsonb_path_query_first('{\"a\":2}', '$.a * 3 + 1')", "7"),
            (
                "jsonb_path_query_array('[\"abc\",\"xyz\"]', '$[*] ? (@ like_regex \"^A\" flag \"i\")')",
                "[\"abc\"]",
            ),
            (
                "jsonb_path_query_array('[\"abc\",\"xyz\"]', '$[*] ? (@ starts with \"x\")')",
                "[\"xyz\"]",
            ),
            ("jsonb_path_exists('{\"a\":1}', '$.b')", "f"),
            ("jsonb_path_query_first('[1.7]', '$[0].floor()')", "1"),
            ("jsonb_path_query_first('{\"a b\":1}', '$.\"a b\"')", "1"),
        ]);
        check_rows(&[("jsonb_path_query('{\"a\":[1,2]}', '$.a[*]')", &["1", "2"])]);
        check_errors(&[(
            "jsonb_path_query_first('{\"a\":1}', 'strict $.b')",
            "2203A",
            "JSON object does not contain key \"b\"",
        )]);
    }
}
