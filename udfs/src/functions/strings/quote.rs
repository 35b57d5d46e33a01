//! `quote_ident`, `quote_literal`, `quote_nullable` (manual, 9.4).

use crate::functions::function::{Function, function};
use crate::functions::value::Value;

/// Key words that are no plain identifiers (`pg_get_keywords()`, all categories but unreserved).
const KEYWORDS: &str = "
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
boolean both case cast char character check coalesce collate collation column concurrently
constraint create cross current_catalog current_date current_role current_schema current_time
current_timestamp current_user dec decimal default deferrable desc distinct do else end except
exists extract false fetch float for foreign freeze from full grant greatest group grouping
having ilike in initially inner inout int integer intersect interval into is isnull join lateral
leading least left like limit localtime localtimestamp national natural nchar none normalize not
notnull null nullif numeric offset on only or order out outer overlaps overlay placing position
precision primary real references returning right row select session_user setof similar smallint
some substring symmetric table tablesample then time timestamp to trailing treat trim true union
unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
";

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "quote_ident(text) -> text",
            "The text as an SQL identifier, quoted where necessary.",
            |row| Ok(identifier(row.text(0)).into()),
        ),
        function(
            "quote_literal(text) -> text; quote_literal(anyelement) -> text",
            "The text as an SQL literal.",
            |row| Ok(row.shown(0)?.map(|text| literal(&text)).into()),
        ),
        function(
            "quote_nullable(text) -> text; quote_nullable(anyelement) -> text",
            "The text as an SQL literal; NULL as the word NULL.",
            |row| {
                Ok(row.shown(0)?.map_or_else(|| Value::from("NULL"), |text| literal(&text).into()))
            },
        )
        .nulls(),
    ]
}

/// An identifier, in double quotes unless it is plain and no key word.
pub fn identifier(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain && !KEYWORDS.split_whitespace().any(|keyword| keyword == name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A literal; one with a backslash is in the `E''` form.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') {
        return format!(" E'{}'", quoted.replace('\\', "\\\\")).trim_start().to_owned();
    }
    format!("'{quoted}'")
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn quoting() {
        check(&[
            ("quote_ident('Col')", "\"Col\""),
            ("quote_ident('col')", "col"),
            ("quote_ident('select')", "\"select\""),
            ("quote_ident('a\"b')", "\"a\"\"b\""),
            ("quote_literal('it''s')", "'it''s'"),
            ("quote_literal(42)", "'42'"),
            ("quote_nullable(null)", "NULL"),
            ("quote_literal(null)", "NULL"),
            ("quote_literal('a\\b')", "E'a\\\\b'"),
        ]);
    }
}
