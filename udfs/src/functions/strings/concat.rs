//! `concat`, `concat_ws` and `||` (manual, 9.4): values of any type, as they print.

use std::borrow::Cow;

use crate::Result;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::types::PgType;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "concat(VARIADIC \"any\") -> text",
            "The texts of all arguments, joined; NULL counts for nothing.",
            |row| Ok(join(row, 0, "")?.into()),
        )
        .nulls()
        .stable(),
        function(
            "concat_ws(text, VARIADIC \"any\") -> text",
            "The texts of all arguments but the first, joined by it; NULL is left out.",
            |row| match row.text_opt(0) {
                Some(separator) => Ok(join(row, 1, separator)?.into()),
                None => Ok(Value::Null),
            },
        )
        .nulls()
        .stable(),
        function("textcat(text, text) -> text", "Joins two texts.", |row| {
            Ok([row.text(0), row.text(1)].concat().into())
        })
        .operator("||"),
        function(
            "anytextcat(anyelement, text) -> text",
            "Joins a value, as text, and a text.",
            cat,
        )
        .operator("||")
        .stable(),
        function("textanycat(text, anyelement) -> text", "Joins a text and a value, as text.", cat)
            .operator("||")
            .stable(),
        function("byteacat(bytea, bytea) -> bytea", "Joins two byte strings.", |row| {
            Ok([row.bytes(0), row.bytes(1)].concat().into())
        })
        .operator("||"),
    ]
}

fn cat(row: &Row<'_>) -> Result<Value> {
    let parts = [cast(row, 0)?, cast(row, 1)?];
    Ok(parts.concat().into())
}

/// The text that a cast gives: booleans are `true` and `false`, where they print as `t` and `f`.
fn cast<'a>(row: &Row<'a>, argument: usize) -> Result<Cow<'a, str>> {
    if row.pg_type(argument) == PgType::BOOL {
        return Ok(if row.bool(argument) { "true" } else { "false" }.into());
    }
    Ok(row.shown(argument)?.unwrap_or_default())
}

fn join(row: &Row<'_>, first: usize, separator: &str) -> Result<String> {
    let mut text = String::new();
    let mut any = false;
    for argument in first..row.len() {
        let Some(part) = row.shown(argument)? else { continue };
        if any {
            text.push_str(separator);
        }
        text.push_str(&part);
        any = true;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn joined() {
        check(&[
            ("concat('a',null,1)", "a1"),
            ("concat_ws('-','a',null,'b')", "a-b"),
            ("concat_ws(null,'a')", "NULL"),
            ("concat(true, date '2024-01-01', 1.5)", "t2024-01-011.5"),
            ("textanycat('x', 5)", "x5"),
            ("anytextcat(true, 'x')", "truex"),
            ("textcat('a', null)", "NULL"),
            ("concat(null)", ""),
        ]);
    }
}
