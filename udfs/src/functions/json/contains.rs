//! `@>`, `<@`, `?`, `?|`, `?&` (manual, 9.16.1, 8.14.3).

use super::node::Node;
use super::scan::unquoted;
use crate::functions::decimal::Decimal;
use crate::functions::function::{Function, function};

pub(super) fn functions() -> Vec<Function> {
    [
        function(
            "jsonb_contains(jsonb, jsonb) -> bool",
            "Whether the first contains the second.",
            |row| Ok(contains(&Node::parse(row.text(0)), &Node::parse(row.text(1)), true).into()),
        )
        .operator("@>"),
        function(
            "jsonb_contained(jsonb, jsonb) -> bool",
            "Whether the second contains the first.",
            |row| Ok(contains(&Node::parse(row.text(1)), &Node::parse(row.text(0)), true).into()),
        )
        .operator("<@"),
        function(
            "jsonb_exists(jsonb, text) -> bool",
            "Whether a text is a key, or a string of the array.",
            |row| Ok(exists(row.text(0), row.text(1)).into()),
        )
        .operator("?"),
        function(
            "jsonb_exists_any(jsonb, text[]) -> bool",
            "Whether any text is a key, or a string of the array.",
            |row| Ok(row.texts(1).iter().flatten().any(|key| exists(row.text(0), key)).into()),
        )
        .operator("?|"),
        function(
            "jsonb_exists_all(jsonb, text[]) -> bool",
            "Whether all texts are keys, or strings of the array.",
            |row| Ok(row.texts(1).iter().flatten().all(|key| exists(row.text(0), key)).into()),
        )
        .operator("?&"),
    ]
    .into()
}

fn exists(text: &str, key: &str) -> bool {
    let is = |node: &Node| matches!(node, Node::Scalar(text) if text.starts_with('"') && unquoted(text) == key);
    match Node::parse(text) {
        Node::Object(members) => members.iter().any(|(name, _)| name == key),
        Node::Array(values) => values.iter().any(is),
        scalar => is(&scalar),
    }
}

/// Arrays contain as sets; at the top an array also contains a bare scalar.
fn contains(whole: &Node, part: &Node, top: bool) -> bool {
    match (whole, part) {
        (Node::Object(whole), Node::Object(part)) => part.iter().all(|(key, value)| {
            whole.iter().any(|(known, own)| known == key && contains(own, value, false))
        }),
        (Node::Array(whole), Node::Array(part)) => {
            part.iter().all(|value| whole.iter().any(|own| contains(own, value, false)))
        }
        (Node::Array(whole), Node::Scalar(_)) if top => {
            whole.iter().any(|own| contains(own, part, false))
        }
        (Node::Scalar(whole), Node::Scalar(part)) => equal(whole, part),
        _ => false,
    }
}

/// Numbers are equal by value: `1.0` and `1`.
pub(super) fn equal(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let number =
        |text: &str| text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    number(a) && number(b) && Decimal::parse(a).zip(Decimal::parse(b)).is_some_and(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn containment() {
        check(&[
            ("jsonb_contains('{\"a\":1,\"b\":2}', '{\"a\":1}')", "t"),
            ("jsonb_contained('{\"a\":1}', '{\"a\":1,\"c\":0}')", "t"),
            ("jsonb_contains('[1,[2,3]]', '[[3]]')", "t"),
            ("jsonb_contains('[1,2]', '2')", "t"),
            ("jsonb_contains('{\"a\":[1]}', '{\"a\":1}')", "f"),
            ("jsonb_exists('{\"a\":1}', 'a')", "t"),
            ("jsonb_exists('[\"a\"]', 'a')", "t"),
            ("jsonb_exists_any('{\"a\":1}', array['x','a'])", "t"),
            ("jsonb_exists_all('{\"a\":1,\"b\":2}', array['a','b'])", "t"),
        ]);
    }
}
