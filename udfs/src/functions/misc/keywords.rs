//! `pg_get_keywords` (manual, 9.26): the words of PostgreSQL 15's grammar.

use crate::functions::function::{Function, function};
use crate::functions::value::Value;

/// Word, category, whether it can be a bare column label; from PostgreSQL 15's own answer.
const KEYWORDS: &str = include_str!("../../../sql/keywords.tsv");

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "pg_get_keywords(OUT word text, OUT catcode \"char\", OUT barelabel bool, OUT catdesc text, OUT baredesc text) -> SETOF record",
            "The keywords of SQL and what each can stand for.",
            |_| Ok(Value::List(KEYWORDS.lines().filter_map(keyword).collect())),
        )
        .stable(),
    ]
}

fn keyword(line: &str) -> Option<Value> {
    let mut fields = line.split('\t');
    let (word, category, bare) = (fields.next()?, fields.next()?, fields.next()? == "t");
    let description = match category {
        "U" => "unreserved",
        "C" => "unreserved (cannot be function or type name)",
        "T" => "reserved (can be function or type name)",
        _ => "reserved",
    };
    let label = if bare { "can be bare label" } else { "requires AS" };
    Some(Value::Row(vec![
        word.into(),
        category.into(),
        Value::Bool(bare),
        description.into(),
        label.into(),
    ]))
}
