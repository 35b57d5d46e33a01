//! Pieces of texts: `left`, `right`, `substring`, `overlay`, `split_part`, `lpad` (manual, 9.4).

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

/// Longest text that `lpad` and `repeat` make, in characters (MaxAllocSize of PostgreSQL).
const LENGTH_MAX: usize = 0x3fff_ffff / 4;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "left(text, int4) -> text",
            "The first n characters, or all but the last -n.",
            |row| Ok(left(row.text(0), row.int(1)).into()),
        ),
        function(
            "right(text, int4) -> text",
            "The last n characters, or all but the first -n.",
            |row| Ok(right(row.text(0), row.int(1)).into()),
        ),
        function(
            "substring(text, int4) -> text; substring(text, int4, int4) -> text",
            "Characters from a place, counted from 1.",
            substring,
        ),
        function(
            "substring(bytea, int4) -> bytea; substring(bytea, int4, int4) -> bytea",
            "Bytes from a place, counted from 1.",
            subbytes,
        ),
        function(
            "substr(bytea, int4) -> bytea; substr(bytea, int4, int4) -> bytea",
            "Bytes from a place, counted from 1.",
            subbytes,
        ),
        function(
            "substr(text, int4) -> text; substr(text, int4, int4) -> text",
            "Characters from a place, counted from 1.",
            substring,
        ),
        function(
            "substring(text, text) -> text",
            "What the first group of a pattern caught, or its match.",
            matched,
        ),
        function(
            "overlay(text, text, int4) -> text; overlay(text, text, int4, int4) -> text",
            "Replaces characters from a place.",
            overlay,
        ),
        function(
            "split_part(text, text, int4) -> text",
            "The n-th part between separators; from the end when negative.",
            split_part,
        ),
        function(
            "lpad(text, int4) -> text; lpad(text, int4, text) -> text",
            "Fills up, or cuts, to a length, on the left.",
            |row| {
                let (text, padding) = padded(row)?;
                Ok([padding, text].concat().into())
            },
        ),
        function(
            "rpad(text, int4) -> text; rpad(text, int4, text) -> text",
            "Fills up, or cuts, to a length, on the right.",
            |row| {
                let (text, padding) = padded(row)?;
                Ok([text, padding].concat().into())
            },
        ),
        function("repeat(text, int4) -> text", "The text, n times.", |row| {
            let (text, count) = (row.text(0), usize::try_from(row.int(1)).unwrap_or_default());
            if text.len().saturating_mul(count) > LENGTH_MAX * 4 {
                return Err(too_long());
            }
            Ok(text.repeat(count).into())
        }),
    ]
}

fn matched(row: &Row<'_>) -> Result<Value> {
    let pattern = super::regex::compile(row.text(1), "")?;
    let found = pattern.regex.captures(row.text(0));
    let group =
        found.as_ref().and_then(|found| if found.len() > 1 { found.get(1) } else { found.get(0) });
    Ok(group.map(|group| group.as_str()).into())
}

fn too_long() -> ValueError {
    ValueError::new("54000", "requested length too large")
}

fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// The first characters, without allocation.
fn head(text: &str, characters: i64) -> &str {
    let Ok(characters) = usize::try_from(characters) else { return "" };
    text.char_indices().nth(characters).map_or(text, |(at, _)| &text[..at])
}

/// What follows the first characters.
fn tail(text: &str, characters: i64) -> &str {
    let Ok(characters) = usize::try_from(characters) else { return text };
    text.char_indices().nth(characters).map_or("", |(at, _)| &text[at..])
}

fn left(text: &str, characters: i64) -> &str {
    if characters >= 0 { head(text, characters) } else { head(text, count(text) + characters) }
}

fn right(text: &str, characters: i64) -> &str {
    if characters >= 0 {
        tail(text, (count(text) - characters).max(0))
    } else {
        tail(text, -characters)
    }
}

fn substring(row: &Row<'_>) -> Result<Value> {
    let (text, start) = (row.text(0), row.int(1));
    if row.is_null(2) {
        return Ok(tail(text, (start - 1).max(0)).into());
    }
    if row.int(2) < 0 {
        return Err(ValueError::new("22011", "negative substring length not allowed"));
    }
    // Places before 1 count, though no character is there.
    let end = start + row.int(2);
    let from = start.max(1);
    Ok(head(tail(text, from - 1), (end - from).max(0)).into())
}

fn subbytes(row: &Row<'_>) -> Result<Value> {
    let (bytes, start) = (row.bytes(0), row.int(1));
    let length = if row.is_null(2) { i64::from(i32::MAX) } else { row.int(2) };
    if length < 0 {
        return Err(ValueError::new("22011", "negative substring length not allowed"));
    }
    let place = |at: i64| usize::try_from(at - 1).unwrap_or_default().min(bytes.len());
    let (from, to) = (place(start), place(start + length));
    Ok(bytes.get(from..to).unwrap_or_default().to_vec().into())
}

fn overlay(row: &Row<'_>) -> Result<Value> {
    let (text, new, start) = (row.text(0), row.text(1), row.int(2));
    if start <= 0 {
        return Err(ValueError::new("22011", "negative substring length not allowed"));
    }
    let length = if row.is_null(3) { count(new) } else { row.int(3) };
    let rest = tail(text, (start - 1 + length).max(0));
    Ok([head(text, start - 1), new, rest].concat().into())
}

fn split_part(row: &Row<'_>) -> Result<Value> {
    let (text, separator, nth) = (row.text(0), row.text(1), row.int(2));
    if nth == 0 {
        return Err(ValueError::invalid_parameter("field position must not be zero"));
    }
    if separator.is_empty() {
        return Ok(if matches!(nth, 1 | -1) { text } else { "" }.into());
    }
    let place = usize::try_from(nth.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let part =
        if nth > 0 { text.split(separator).nth(place) } else { text.rsplit(separator).nth(place) };
    Ok(part.unwrap_or("").into())
}

/// The text, cut where it is too long, and what is to fill it up.
fn padded(row: &Row<'_>) -> Result<(String, String)> {
    let (text, length) = (row.text(0), row.int(1).max(0));
    let filler = row.text_opt(2).unwrap_or(" ");
    let missing = length - count(text);
    if usize::try_from(length).is_ok_and(|length| length > LENGTH_MAX) {
        return Err(too_long());
    }
    if missing <= 0 || filler.is_empty() {
        return Ok((head(text, length).to_owned(), String::new()));
    }
    let padding =
        filler.chars().cycle().take(usize::try_from(missing).unwrap_or_default()).collect();
    Ok((text.to_owned(), padding))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn pieces() {
        check(&[
            ("left('hello',2)", "he"),
            ("right('hello',2)", "lo"),
            ("left('hello',-2)", "hel"),
            ("right('hello',-2)", "llo"),
            ("right('hello', 9)", "hello"),
            ("left('é😀x', 2)", "é😀"),
            ("substring('hello', 2)", "ello"),
            ("substr('hello',2,3)", "ell"),
            ("substring('hello', -1, 4)", "he"),
            ("\"substring\"('foobar', 'o(.)b')", "o"),
            ("\"substring\"('foobar', 'o.b')", "oob"),
            ("overlay('abcdef', 'XX', 2, 3)", "aXXef"),
            ("overlay('abcdef', 'XX', 2)", "aXXdef"),
            ("split_part('a,b,c', ',', 2)", "b"),
            ("split_part('a,b,c', ',', -1)", "c"),
            ("split_part('a,b', ',', 5)", ""),
            ("lpad('5',3,'0')", "005"),
            ("rpad('5',3,'*')", "5**"),
            ("lpad('hello', 2)", "he"),
            ("rpad('x', 4, 'ab')", "xaba"),
            ("repeat('x',3)", "xxx"),
            ("repeat('x',-1)", ""),
        ]);
        check_errors(&[
            ("\"substr\"('hello', 1, -1)", "22011", "negative substring length not allowed"),
            ("split_part('a', ',', 0)", "22023", "field position must not be zero"),
        ]);
    }
}
