//! `||`, `-`, `#-`, `jsonb_set`, `jsonb_insert`, `jsonb_strip_nulls`, `jsonb_pretty`
//! (manual, 9.16.1, 9.16.2).

use super::node::{Node, put};
use super::scan::unquoted;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    const SET: &str = "Replaces the value at a path, or adds it.";
    [
        function("jsonb_concat(jsonb, jsonb) -> jsonb", "Joins two arrays or merges two objects.", |row| {
            Ok(concat(Node::parse(row.text(0)), Node::parse(row.text(1))).print().into())
        }).operator("||"),
        function("jsonb_delete(jsonb, text) -> jsonb", "Without a key, or without a string of an array.", |row| {
            delete_keys(row, &[row.text(1).to_owned()])
        }).operator("-"),
        function("jsonb_delete(jsonb, text[]) -> jsonb", "Without keys.", |row| {
            let keys: Vec<_> = row.texts(1).into_iter().flatten().collect();
            delete_keys(row, &keys)
        }).operator("-"),
        function("jsonb_delete(jsonb, int4) -> jsonb", "Without an element of an array.", delete_element).operator("-"),
        function("jsonb_delete_path(jsonb, text[]) -> jsonb", "Without the value at a path.", |row| {
            let mut node = scalarless(row.text(0), "delete path in scalar")?;
            change(&mut node, &row.texts(1), 0, &mut |_, _| Change::Remove)?;
            Ok(node.print().into())
        }).operator("#-"),
        function("jsonb_set(jsonb, text[], jsonb) -> jsonb; jsonb_set(jsonb, text[], jsonb, bool) -> jsonb", SET, set),
        function("jsonb_set_lax(jsonb, text[], jsonb) -> jsonb; jsonb_set_lax(jsonb, text[], jsonb, bool, text) -> jsonb", "As jsonb_set, but says what NULL does.", set_lax).nulls(),
        function("jsonb_insert(jsonb, text[], jsonb) -> jsonb; jsonb_insert(jsonb, text[], jsonb, bool) -> jsonb", "Inserts a value before, or after, a place.", insert),
        function("jsonb_strip_nulls(jsonb) -> jsonb", "Without members that are null.", |row| {
            Ok(strip(Node::parse(row.text(0))).print().into())
        }),
        function("json_strip_nulls(json) -> json", "Without members that are null.", |row| {
            Ok(super::build::compact(&strip(Node::parse(row.text(0)))).into())
        }),
        function("jsonb_pretty(jsonb) -> text", "Indented for people.", |row| {
            let mut out = String::new();
            Node::parse(row.text(0)).pretty(0, &mut out);
            Ok(out.into())
        }),
    ]
    .into()
}

fn scalarless(text: &str, what: &str) -> Result<Node> {
    match Node::parse(text) {
        Node::Scalar(_) => Err(ValueError::invalid_parameter(format!("cannot {what}"))),
        node => Ok(node),
    }
}

fn concat(left: Node, right: Node) -> Node {
    match (left, right) {
        (Node::Object(mut left), Node::Object(right)) => {
            right.into_iter().for_each(|(key, value)| put(&mut left, key, value));
            Node::Object(left)
        }
        (left, right) => {
            let list = |node| match node {
                Node::Array(values) => values,
                other => vec![other],
            };
            Node::Array([list(left), list(right)].concat())
        }
    }
}

fn delete_keys(row: &Row<'_>, keys: &[String]) -> Result<Value> {
    let node = match scalarless(row.text(0), "delete from scalar")? {
        Node::Object(members) => {
            Node::Object(members.into_iter().filter(|(key, _)| !keys.contains(key)).collect())
        }
        Node::Array(values) => Node::Array(
            values
                .into_iter()
                .filter(|value| match value {
                    Node::Scalar(text) if text.starts_with('"') => {
                        !keys.iter().any(|key| *key == unquoted(text))
                    }
                    _ => true,
                })
                .collect(),
        ),
        scalar => scalar,
    };
    Ok(node.print().into())
}

fn delete_element(row: &Row<'_>) -> Result<Value> {
    match scalarless(row.text(0), "delete from scalar")? {
        Node::Object(_) => {
            Err(ValueError::invalid_parameter("cannot delete from object using integer index"))
        }
        Node::Array(mut values) => {
            if let Some(place) = place(row.int(1), values.len()) {
                values.remove(place);
            }
            Ok(Node::Array(values).print().into())
        }
        scalar => Ok(scalar.print().into()),
    }
}

/// A place that counts from 0, or from the end.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let place = if index < 0 { length + index } else { index };
    (0..length).contains(&place).then(|| usize::try_from(place).ok()).flatten()
}

/// What happens to a place.
enum Change {
    Keep,
    Remove,
    Replace(Node),
    Before(Node),
    After(Node),
}

/// Walks to the end of a path. `decide` gets the value there, if any, and whether the container
/// is an object.
fn change(
    node: &mut Node,
    path: &[Option<String>],
    depth: usize,
    decide: &mut dyn FnMut(Option<&Node>, bool) -> Change,
) -> Result<()> {
    let Some((step, rest)) = path.split_first() else { return Ok(()) };
    let Some(step) = step else {
        return Err(ValueError::new(
            "22004",
            format!("path element at position {} is null", depth + 1),
        ));
    };
    match node {
        Node::Scalar(_) => Ok(()),
        Node::Object(members) => {
            let found = members.iter().position(|(key, _)| key == step);
            if let (Some(found), false) = (found, rest.is_empty()) {
                return change(&mut members[found].1, rest, depth + 1, decide);
            }
            if !rest.is_empty() {
                return Ok(());
            }
            match (decide(found.map(|found| &members[found].1), true), found) {
                (Change::Remove, Some(found)) => {
                    members.remove(found);
                }
                (Change::Replace(value), Some(found)) => members[found].1 = value,
                (Change::Replace(value) | Change::Before(value) | Change::After(value), None) => {
                    members.push((step.clone(), value));
                }
                (Change::Before(_) | Change::After(_), Some(_)) => {
                    return Err(ValueError::invalid_parameter("cannot replace existing key")
                        .with_hint("Try using the function jsonb_set to replace key value."));
                }
                _ => {}
            }
            Ok(())
        }
        Node::Array(values) => change_array(values, (step, rest), depth, decide),
    }
}

fn change_array(
    values: &mut Vec<Node>,
    (step, rest): (&str, &[Option<String>]),
    depth: usize,
    decide: &mut dyn FnMut(Option<&Node>, bool) -> Change,
) -> Result<()> {
    let index: i64 = step.parse().map_err(|_| {
        ValueError::new(
            "22P02",
            format!("path element at position {} is not an integer: \"{step}\"", depth + 1),
        )
    })?;
    let found = place(index, values.len());
    if let (Some(found), false) = (found, rest.is_empty()) {
        return change(&mut values[found], rest, depth + 1, decide);
    }
    if !rest.is_empty() {
        return Ok(());
    }
    match (decide(found.map(|found| &values[found]), false), found) {
        (Change::Remove, Some(found)) => {
            values.remove(found);
        }
        (Change::Replace(value), Some(found)) => values[found] = value,
        (Change::Before(value), Some(found)) => values.insert(found, value),
        (Change::After(value), Some(found)) => values.insert(found + 1, value),
        (Change::Replace(value) | Change::Before(value) | Change::After(value), None) => {
            let end = if index < 0 { 0 } else { values.len() };
            values.insert(end, value);
        }
        _ => {}
    }
    Ok(())
}

fn set(row: &Row<'_>) -> Result<Value> {
    let create = row.is_null(3) || row.bool(3);
    let mut node = scalarless(row.text(0), "set path in scalar")?;
    let new = Node::parse(row.text(2));
    change(&mut node, &row.texts(1), 0, &mut |found, _| {
        if found.is_some() || create { Change::Replace(new.clone()) } else { Change::Keep }
    })?;
    Ok(node.print().into())
}

fn set_lax(row: &Row<'_>) -> Result<Value> {
    if row.is_null(0) || row.is_null(1) {
        return Ok(Value::Null);
    }
    if !row.is_null(2) {
        return set(row);
    }
    let mut node = scalarless(row.text(0), "set path in scalar")?;
    match row.text_opt(4).unwrap_or("use_json_null") {
        "return_target" => {}
        "raise_exception" => {
            return Err(ValueError::new("22004", "JSON value must not be null").with_detail(
                "Exception was raised because null_value_treatment is \"raise_exception\".",
            ));
        }
        "delete_key" => change(&mut node, &row.texts(1), 0, &mut |_, _| Change::Remove)?,
        "use_json_null" => {
            let null = Node::Scalar("null".to_owned());
            change(&mut node, &row.texts(1), 0, &mut |_, _| Change::Replace(null.clone()))?;
        }
        _ => {
            return Err(ValueError::invalid_parameter(
                "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"",
            ));
        }
    }
    Ok(node.print().into())
}

fn insert(row: &Row<'_>) -> Result<Value> {
    let after = !row.is_null(3) && row.bool(3);
    let mut node = scalarless(row.text(0), "set path in scalar")?;
    let new = Node::parse(row.text(2));
    change(&mut node, &row.texts(1), 0, &mut |_, _| {
        if after { Change::After(new.clone()) } else { Change::Before(new.clone()) }
    })?;
    Ok(node.print().into())
}

fn strip(node: Node) -> Node {
    match node {
        Node::Object(members) => Node::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, strip(value)))
                .collect(),
        ),
        Node::Array(values) => Node::Array(values.into_iter().map(strip).collect()),
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn changing() {
        check(&[
            ("jsonb_set('{\"a\":1}','{b}','2')", "{\"a\": 1, \"b\": 2}"),
            ("jsonb_set('{\"a\":[1,2]}','{a,0}','9')", "{\"a\": [9, 2]}"),
            ("jsonb_set('{\"a\":1}','{b}','2', false)", "{\"a\": 1}"),
            ("jsonb_insert('{\"a\":[0,1]}', '{a,1}', '\"x\"')", "{\"a\": [0, \"x\", 1]}"),
            ("jsonb_insert('{\"a\":[0,1]}', '{a,1}', '\"x\"', true)", "{\"a\": [0, 1, \"x\"]}"),
            ("jsonb_concat('{\"a\":1}', '{\"b\":2}')", "{\"a\": 1, \"b\": 2}"),
            ("jsonb_concat('[1]', '2')", "[1, 2]"),
            ("jsonb_delete('{\"a\":1,\"b\":2}'::text, 'a')", "{\"b\": 2}"),
            ("jsonb_delete('[1,2,3]', -1)", "[1, 2]"),
            ("jsonb_delete_path('{\"a\":{\"b\":1,\"c\":2}}', '{a,b}')", "{\"a\": {\"c\": 2}}"),
            ("jsonb_strip_nulls('{\"a\":null,\"b\":1}')", "{\"b\": 1}"),
            ("jsonb_pretty('{\"a\":1}')", "{\n    \"a\": 1\n}"),
            (
                "jsonb_pretty('{\"a\":[1,{}]}')",
                "{\n    \"a\": [\n        1,\n        {\n        }\n    ]\n}",
            ),
        ]);
        check_errors(&[
            ("jsonb_set('1','{b}','2')", "22023", "cannot set path in scalar"),
            ("jsonb_insert('{\"a\":1}', '{a}', '2')", "22023", "cannot replace existing key"),
        ]);
    }
}
