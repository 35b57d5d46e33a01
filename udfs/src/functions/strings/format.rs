//! `format` (manual, 9.4.1).

use super::quote::{identifier, literal};
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "format(text, VARIADIC \"any\") -> text",
            "Fills in a template: %s text, %I identifier, %L literal, %% percent.",
            |row| match row.text_opt(0) {
                Some(template) => Ok(format(template, row)?.into()),
                None => Ok(Value::Null),
            },
        )
        .nulls()
        .stable(),
    ]
}

/// `%[position$][-][width]type`.
#[derive(Default)]
struct Specifier {
    position: Option<usize>,
    left: bool,
    width: usize,
}

fn format(template: &str, row: &Row<'_>) -> Result<String> {
    let mut text = String::new();
    let mut rest = template;
    let mut next = 1;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let (specifier, after) = specifier(after, row, &mut next)?;
        let Some(kind) = after.chars().next() else { return Err(unterminated()) };
        if !matches!(kind, 's' | 'I' | 'L') {
            return Err(ValueError::invalid_parameter(format!(
                "unrecognized format() type specifier \"{kind}\""
            ))
            .with_hint("For a single \"%\" use \"%%\"."));
        }
        let argument = specifier.position.unwrap_or(next);
        next = argument + 1;
        let part = value(row, argument, kind)?;
        let padding = " ".repeat(specifier.width.saturating_sub(part.chars().count()));
        let parts = if specifier.left { [part, padding] } else { [padding, part] };
        text.push_str(&parts.concat());
        rest = &after[1..];
    }
    text.push_str(rest);
    Ok(text)
}

fn unterminated() -> ValueError {
    ValueError::invalid_parameter("unterminated format() type specifier")
        .with_hint("For a single \"%\" use \"%%\".")
}

fn value(row: &Row<'_>, argument: usize, kind: char) -> Result<String> {
    if argument >= row.len() {
        return Err(ValueError::invalid_parameter("too few arguments for format()"));
    }
    match (kind, row.shown(argument)?) {
        ('I', None) => {
            Err(ValueError::new("22004", "null values cannot be formatted as an SQL identifier"))
        }
        ('L', None) => Ok("NULL".to_owned()),
        (_, None) => Ok(String::new()),
        ('I', Some(text)) => Ok(identifier(&text)),
        ('L', Some(text)) => Ok(literal(&text)),
        (_, Some(text)) => Ok(text.into_owned()),
    }
}

fn specifier<'a>(
    mut rest: &'a str,
    row: &Row<'_>,
    next: &mut usize,
) -> Result<(Specifier, &'a str)> {
    let mut specifier = Specifier::default();
    if let Some((position, after)) = position(rest)? {
        specifier.position = Some(position);
        rest = after;
    }
    while let Some(after) = rest.strip_prefix('-') {
        specifier.left = true;
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('*') {
        let (argument, after) = match position(after)? {
            Some((position, after)) => (position, after),
            None => {
                *next += 1;
                (*next - 1, after)
            }
        };
        let width = row.shown(argument)?.map_or(Ok(0), |width| width.parse::<i32>());
        let width = width.map_err(|_| ValueError::invalid_parameter("number is out of range"))?;
        specifier.left |= width < 0;
        specifier.width = width.unsigned_abs() as usize;
        rest = after;
    } else {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        specifier.width = rest[..digits].parse().unwrap_or_default();
        rest = &rest[digits..];
    }
    Ok((specifier, rest))
}

fn position(text: &str) -> Result<Option<(usize, &str)>> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let Some(after) = text.get(digits..).and_then(|rest| rest.strip_prefix('$')) else {
        return Ok(None);
    };
    match text[..digits].parse() {
        Ok(0) => Err(ValueError::invalid_parameter(
            "format specifies argument 0, but arguments are numbered from 1",
        )),
        Ok(position) => Ok(Some((position, after))),
        Err(_) => Err(unterminated()),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn formats() {
        check(&[
            ("format('%s is %I and %L', 'x', 'Col', 'it''s')", "x is \"Col\" and 'it''s'"),
            ("format('|%10s|%-5s|', 'foo', 'ab')", "|       foo|ab   |"),
            ("format('%2$s %1$s', 'a', 'b')", "b a"),
            ("format('100%%')", "100%"),
            ("format('|%*s|', 5, 'x')", "|    x|"),
            ("format('%L', null)", "NULL"),
            ("format('%s-%s', 1, date '2024-01-01')", "1-2024-01-01"),
        ]);
        check_errors(&[
            ("format('%x', 1)", "22023", "unrecognized format() type specifier \"x\""),
            ("format('%s')", "22023", "too few arguments for format()"),
            ("format('%I', null)", "22004", "null values cannot be formatted as an SQL identifier"),
        ]);
    }
}
