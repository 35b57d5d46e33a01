//! `string_to_array`, `array_to_string`, `parse_ident` (manual, 9.4, 9.19).

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::DataType;

use super::text::texts;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::types::PgType;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    const SPLIT: &str = "The parts between separators; parts equal to the third argument are NULL.";
    vec![
        function("string_to_array(text, text) -> text[]; string_to_array(text, text, text) -> text[]", SPLIT, split).nulls(),
        function("string_to_table(text, text) -> SETOF text; string_to_table(text, text, text) -> SETOF text", SPLIT, split).nulls(),
        function("array_to_string(anyarray, text) -> text; array_to_string(anyarray, text, text) -> text", "The elements joined; NULL is left out, or is the third argument.", join).nulls().stable(),
        function("parse_ident(text) -> text[]; parse_ident(text, bool) -> text[]", "The parts of a qualified identifier.", |row| {
            let strict = row.is_null(1) || row.bool(1);
            Ok(Value::texts(identifier(row.text(0), strict)?))
        }),
    ]
}

/// Without separator every character is a part; an empty one separates nothing.
fn split(row: &Row<'_>) -> Result<Value> {
    let Some(text) = row.text_opt(0) else { return Ok(Value::Null) };
    let null = row.text_opt(2);
    let value = |part: &str| if Some(part) == null { Value::Null } else { part.into() };
    if text.is_empty() {
        return Ok(Value::List(vec![]));
    }
    Ok(Value::List(match row.text_opt(1) {
        None => text.chars().map(|letter| value(&letter.to_string())).collect(),
        Some("") => vec![value(text)],
        Some(separator) => text.split(separator).map(value).collect(),
    }))
}

fn join(row: &Row<'_>) -> Result<Value> {
    let (Some(mut list), Some(separator)) =
        (row.list(0).filter(|_| !row.is_null(0)), row.text_opt(1))
    else {
        return Ok(Value::Null);
    };
    // An array of arrays is one array of several dimensions.
    while let DataType::List(_) = list.data_type() {
        let inner = list.as_list::<i32>();
        let offsets = inner.offsets();
        let (first, last) =
            (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
        list = inner.values().slice(first as usize, (last - first) as usize);
    }
    let element = row.pg_type(0).element().unwrap_or(PgType::TEXT);
    let null = row.text_opt(2);
    let parts = texts(&list, element, row.zone_name())?;
    let parts: Vec<_> = parts.iter().filter_map(|part| part.as_deref().or(null)).collect();
    Ok(parts.join(separator).into())
}

fn identifier(text: &str, strict: bool) -> Result<Vec<String>> {
    let invalid = |detail: &str| {
        let error =
            ValueError::invalid_parameter(format!("string is not a valid identifier: \"{text}\""));
        if detail.is_empty() { error } else { error.with_detail(detail) }
    };
    let mut parts = vec![];
    let mut rest = text.trim_start();
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (part, after) =
                quoted_part(quoted).ok_or_else(|| invalid("String has unclosed double quotes."))?;
            if part.is_empty() {
                return Err(invalid("Quoted identifier must not be empty."));
            }
            parts.push(part);
            rest = after;
        } else {
            let starts = |letter: char| letter == '_' || letter.is_alphabetic();
            let within = |letter: char| starts(letter) || letter.is_ascii_digit() || letter == '$';
            let end = rest.find(|letter| !within(letter)).unwrap_or(rest.len());
            if !rest.starts_with(starts) {
                return Err(invalid(match (rest.chars().next(), parts.is_empty()) {
                    (Some('.'), _) => "No valid identifier before \".\".",
                    (_, false) => "No valid identifier after \".\".",
                    _ => "",
                }));
            }
            parts.push(rest[..end].to_lowercase());
            rest = &rest[end..];
        }
        rest = rest.trim_start();
        match rest.strip_prefix('.') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() || !strict => return Ok(parts),
            None => return Err(invalid("")),
        }
    }
}

/// What stands before the closing quote, a doubled quote being one; and what follows.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        part.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                part.push('"');
                rest = after;
            }
            None => return Some((part, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn split_and_join() {
        check(&[
            ("string_to_array('a,b,,c', ',')", "{a,b,\"\",c}"),
            ("string_to_array('xx~~yy~~zz', '~~', 'yy')", "{xx,NULL,zz}"),
            ("string_to_array('abc', null)", "{a,b,c}"),
            ("string_to_array('', ',')", "{}"),
            ("array_to_string(array[1,null,3], ',', '*')", "1,*,3"),
            ("array_to_string(array[1,null,3], ',')", "1,3"),
            ("array_to_string(array[array[1,2],array[3,4]], ',')", "1,2,3,4"),
            ("array_to_string(array[true,false], ' ')", "t f"),
            ("parse_ident('\"SomeSchema\".someTable')", "{SomeSchema,sometable}"),
        ]);
        check_errors(&[("parse_ident('1a')", "22023", "string is not a valid identifier: \"1a\"")]);
    }
}
