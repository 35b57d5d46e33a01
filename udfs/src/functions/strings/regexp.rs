//! The `regexp_…` functions and `~` (manual, 9.7.3).

use std::rc::Rc;

use super::regex::{Pattern, compile};
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    [matching(), replacing(), counting()].concat()
}

fn matching() -> Vec<Function> {
    vec![
        function("textregexeq(text, text) -> bool", "Whether a text matches a pattern.", |row| {
            Ok(compile(row.text(1), "")?.regex.is_match(row.text(0)).into())
        })
        .operator("~"),
        function(
            "textregexne(text, text) -> bool",
            "Whether a text does not match a pattern.",
            |row| Ok((!compile(row.text(1), "")?.regex.is_match(row.text(0))).into()),
        )
        .operator("!~"),
        function(
            "texticregexeq(text, text) -> bool",
            "Whether a text matches a pattern in any case.",
            |row| Ok(compile(row.text(1), "i")?.regex.is_match(row.text(0)).into()),
        )
        .operator("~*"),
        function(
            "texticregexne(text, text) -> bool",
            "Whether a text does not match a pattern in any case.",
            |row| Ok((!compile(row.text(1), "i")?.regex.is_match(row.text(0))).into()),
        )
        .operator("!~*"),
        function(
            "regexp_like(text, text) -> bool; regexp_like(text, text, text) -> bool",
            "Whether a text matches a pattern.",
            |row| Ok(single(row, 1, 2, "regexp_like")?.regex.is_match(row.text(0)).into()),
        ),
        function(
            "regexp_match(text, text) -> text[]; regexp_match(text, text, text) -> text[]",
            "What the groups of the first match caught.",
            |row| {
                let pattern = single(row, 1, 2, "regexp_match")?;
                Ok(pattern.regex.captures(row.text(0)).map_or(Value::Null, |found| groups(&found)))
            },
        ),
        function(
            "regexp_matches(text, text) -> SETOF text[]; regexp_matches(text, text, text) -> SETOF text[]",
            "What the groups of the match, or with flag g of each match, caught.",
            |row| {
                let pattern = compile(row.text(1), row.text_opt(2).unwrap_or(""))?;
                let count = if pattern.global { usize::MAX } else { 1 };
                Ok(Value::List(
                    pattern
                        .regex
                        .captures_iter(row.text(0))
                        .take(count)
                        .map(|found| groups(&found))
                        .collect(),
                ))
            },
        ),
        function(
            "regexp_split_to_array(text, text) -> text[]; regexp_split_to_array(text, text, text) -> text[]",
            "The parts between the matches of a pattern.",
            split,
        ),
        function(
            "regexp_split_to_table(text, text) -> SETOF text; regexp_split_to_table(text, text, text) -> SETOF text",
            "The parts between the matches of a pattern.",
            split,
        ),
    ]
}

fn replacing() -> Vec<Function> {
    vec![
        function(
            "regexp_replace(text, text, text) -> text; regexp_replace(text, text, text, text) -> text",
            "Replaces the first match, or with flag g every match.",
            |row| {
                let flags = row.text_opt(3).unwrap_or("");
                if let Some(digit) = flags.chars().next().filter(char::is_ascii_digit) {
                    return Err(ValueError::invalid_parameter(format!("invalid regular expression option: \"{digit}\""))
                    .with_hint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
                }
                let pattern = compile(row.text(1), flags)?;
                let nth = if pattern.global { None } else { Some(1) };
                Ok(replace(row.text(0), &pattern, row.text(2), 0, nth).into())
            },
        ),
        function(
            "regexp_replace(text, text, text, int4) -> text; regexp_replace(text, text, text, int4, int4) -> text; regexp_replace(text, text, text, int4, int4, text) -> text",
            "Replaces the n-th match from a start, or with n = 0 every match.",
            |row| {
                let pattern = compile(row.text(1), row.text_opt(5).unwrap_or(""))?;
                let start = start_of(row, 3)?;
                let nth = match (row.is_null(4), row.int(4)) {
                    (true, _) => {
                        if pattern.global {
                            None
                        } else {
                            Some(1)
                        }
                    }
                    (_, 0) => None,
                    (_, nth) => Some(positive("n", nth)?),
                };
                Ok(replace(row.text(0), &pattern, row.text(2), start, nth).into())
            },
        ),
    ]
}

fn counting() -> Vec<Function> {
    vec![
        function(
            "regexp_count(text, text) -> int4; regexp_count(text, text, int4) -> int4; regexp_count(text, text, int4, text) -> int4",
            "The number of matches.",
            |row| {
                let pattern = single(row, 1, 3, "regexp_count")?;
                let start = start_of(row, 2)?;
                let tail = row.text(0).get(start..).unwrap_or("");
                Ok(i64::try_from(pattern.regex.find_iter(tail).count()).ok().into())
            },
        ),
        function(
            "regexp_substr(text, text) -> text; regexp_substr(text, text, int4) -> text; regexp_substr(text, text, int4, int4) -> text; \
             regexp_substr(text, text, int4, int4, text) -> text; regexp_substr(text, text, int4, int4, text, int4) -> text",
            "The n-th match from a start, or what a group of it caught.",
            |row| {
                let pattern = single(row, 1, 4, "regexp_substr")?;
                let found = nth_match(row, &pattern, 5)?;
                Ok(found.and_then(|(from, to)| row.text(0).get(from..to)).into())
            },
        ),
        function(
            "regexp_instr(text, text) -> int4; regexp_instr(text, text, int4) -> int4; regexp_instr(text, text, int4, int4) -> int4; \
             regexp_instr(text, text, int4, int4, int4) -> int4; regexp_instr(text, text, int4, int4, int4, text) -> int4; \
             regexp_instr(text, text, int4, int4, int4, text, int4) -> int4",
            "Where the n-th match begins or (endoption 1) where it has ended; 0 without a match.",
            |row| {
                let pattern = single(row, 1, 5, "regexp_instr")?;
                let Some((from, to)) = nth_match(row, &pattern, 6)? else { return Ok(0.into()) };
                let at = if row.int(4) == 1 { to } else { from };
                let characters = row.text(0).get(..at).map_or(0, |head| head.chars().count());
                Ok(i64::try_from(characters + 1).ok().into())
            },
        ),
    ]
}

/// A pattern for a function that knows no flag `g`.
fn single(row: &Row<'_>, pattern: usize, flags: usize, name: &str) -> Result<Rc<Pattern>> {
    let pattern = compile(row.text(pattern), row.text_opt(flags).unwrap_or(""))?;
    if pattern.global {
        let error = ValueError::invalid_parameter(format!(
            "{name}() does not support the \"global\" option"
        ));
        return Err(match name {
            "regexp_match" => error.with_hint("Use the regexp_matches function instead."),
            _ => error,
        });
    }
    Ok(pattern)
}

fn groups(found: &regex::Captures<'_>) -> Value {
    let text = |group: Option<regex::Match<'_>>| Value::from(group.map(|group| group.as_str()));
    if found.len() == 1 {
        return Value::List(vec![text(found.get(0))]);
    }
    Value::List(found.iter().skip(1).map(text).collect())
}

fn positive(name: &str, value: i64) -> Result<usize> {
    usize::try_from(value).ok().filter(|value| *value > 0 || name == "subexpr").ok_or_else(|| {
        ValueError::invalid_parameter(format!("invalid value for parameter \"{name}\": {value}"))
    })
}

/// Byte offset of a start that counts characters from 1.
fn start_of(row: &Row<'_>, argument: usize) -> Result<usize> {
    if row.is_null(argument) {
        return Ok(0);
    }
    let start = positive("start", row.int(argument))?;
    let text = row.text(0);
    Ok(text.char_indices().nth(start - 1).map_or(text.len(), |(at, _)| at))
}

fn nth_match(row: &Row<'_>, pattern: &Pattern, subexpr: usize) -> Result<Option<(usize, usize)>> {
    let start = start_of(row, 2)?;
    let nth = if row.is_null(3) { 1 } else { positive("n", row.int(3))? };
    let group = if row.is_null(subexpr) { 0 } else { positive("subexpr", row.int(subexpr))? };
    let tail = row.text(0).get(start..).unwrap_or("");
    let found = pattern.regex.captures_iter(tail).nth(nth - 1);
    Ok(found
        .and_then(|found| found.get(group))
        .map(|found| (start + found.start(), start + found.end())))
}

/// Matches of no length count only between two characters that no match has touched.
fn split(row: &Row<'_>) -> Result<Value> {
    let name =
        if row.len() > 2 && row.text(2).contains('g') { "regexp_split_to_array" } else { "" };
    if !name.is_empty() {
        return Err(ValueError::invalid_parameter(format!(
            "{name}() does not support the \"global\" option"
        )));
    }
    let pattern = compile(row.text(1), row.text_opt(2).unwrap_or(""))?;
    let text = row.text(0);
    let (mut parts, mut last) = (vec![], 0);
    for found in pattern.regex.find_iter(text) {
        if found.is_empty() && (found.start() == last || found.end() == text.len()) {
            continue;
        }
        parts.push(&text[last..found.start()]);
        last = found.end();
    }
    parts.push(&text[last..]);
    Ok(Value::texts(parts))
}

/// Replaces the n-th match, or every one.
fn replace(
    text: &str,
    pattern: &Pattern,
    replacement: &str,
    start: usize,
    nth: Option<usize>,
) -> String {
    let (head, tail) = text.split_at(start);
    let mut result = head.to_owned();
    let mut last = 0;
    for (index, found) in pattern.regex.captures_iter(tail).enumerate() {
        if nth.is_some_and(|nth| nth != index + 1) {
            continue;
        }
        let Some(whole) = found.get(0) else { continue };
        result.push_str(&tail[last..whole.start()]);
        expand(replacement, &found, &mut result);
        last = whole.end();
        if nth.is_some() {
            break;
        }
    }
    result.push_str(&tail[last..]);
    result
}

/// `\1` to `\9` are groups, `\&` the match, `\\` a backslash.
fn expand(replacement: &str, found: &regex::Captures<'_>, result: &mut String) {
    let mut letters = replacement.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            result.push(letter);
            continue;
        }
        let group = |index: usize| found.get(index).map_or("", |group| group.as_str());
        match letters.next() {
            Some('&') => result.push_str(group(0)),
            Some(digit @ '1'..='9') => result.push_str(group(digit as usize - '0' as usize)),
            Some('\\') | None => result.push('\\'),
            Some(other) => result.extend(['\\', other]),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors, check_rows};

    #[test]
    fn regular_expressions() {
        check(&[
            ("regexp_replace('foobarbaz','b..','X')", "fooXbaz"),
            ("regexp_replace('foobarbaz','b..','X','g')", "fooXX"),
            ("regexp_match('foobar','(o+)(b)')", "{oo,b}"),
            ("regexp_match('foobar','x')", "NULL"),
            ("regexp_replace('John Smith','(\\w+) (\\w+)','\\2 \\1')", "Smith John"),
            ("regexp_replace('Thomas', '.[mN]a.', 'M')", "ThM"),
            ("regexp_replace('banana', 'a', 'X', 3, 2)", "bananX"),
            ("regexp_split_to_array('a, b,c', ',\\s*')", "{a,b,c}"),
            ("regexp_split_to_array('abc', '')", "{a,b,c}"),
            ("regexp_count('banana','a')", "3"),
            ("regexp_substr('abc123','\\d+')", "123"),
            ("regexp_instr('number of your street, town zip, FR', '[^,]+', 1, 2)", "23"),
            ("regexp_substr('ABCDEF', 'c(.)(..)', 1, 1, 'i', 2)", "EF"),
            ("regexp_like('Hello World', 'world$', 'i')", "t"),
            ("textregexeq('abc', '^a.c$')", "t"),
            ("texticregexeq('ABC', 'abc')", "t"),
            ("textregexeq('a word', '\\yword\\y')", "t"),
            ("textregexeq('x[y', '[[]')", "t"),
            ("textregexeq('Ab', '(?i)AB')", "t"),
        ]);
        check_rows(&[
            ("regexp_matches('a1b2','[a-z]\\d','g')", &["{a1}", "{b2}"]),
            ("regexp_split_to_table('a b c', ' ')", &["a", "b", "c"]),
        ]);
        check_errors(&[
            (
                "textregexeq('a', '(')",
                "2201B",
                "invalid regular expression: parentheses () not balanced",
            ),
            (
                "regexp_match('a', 'a', 'g')",
                "22023",
                "regexp_match() does not support the \"global\" option",
            ),
            ("regexp_like('a', 'a', 'z')", "22023", "invalid regular expression option: \"z\""),
        ]);
    }
}
