//! PostgreSQL's regular expressions (manual, 9.7.3) on the `regex` crate.
//!
//! The dialects agree but for: `.` matches a line end, `$` only the end of the text, `\y \m \M \Z`
//! are word and text boundaries, and a `[` within brackets is an ordinary character. What `regex`
//! has not (look-around, back references) is refused with 2201B.

use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use crate::functions::cache::Cache;
use crate::{Result, ValueError};

/// A compiled pattern.
pub struct Pattern {
    /// The expression.
    pub regex: Regex,
    /// Flag `g`.
    pub global: bool,
}

thread_local! {
    static PATTERNS: Cache<Pattern> = Cache::new();
}

/// Compiles a pattern with the flags of the `regexp_…` functions.
///
/// # Errors
/// `invalid regular expression: …` (2201B), `invalid regular expression option: "x"` (22023).
pub fn compile(pattern: &str, flags: &str) -> Result<Rc<Pattern>> {
    let key = format!("{flags}\0{pattern}");
    PATTERNS.with(|cache| cache.get(&key, |_| build(pattern, flags)))
}

fn build(pattern: &str, flags: &str) -> Result<Pattern> {
    let (mut global, mut literal) = (false, false);
    let (mut dot_line_end, mut multi_line, mut any_case, mut expanded) =
        (true, false, false, false);
    let (flags_inside, pattern) = embedded(pattern);
    for flag in flags.chars().chain(flags_inside.chars()) {
        match flag {
            'g' => global = true,
            'i' => any_case = true,
            'c' => any_case = false,
            'm' | 'n' => (dot_line_end, multi_line) = (false, true),
            'p' => (dot_line_end, multi_line) = (false, false),
            's' => (dot_line_end, multi_line) = (true, false),
            'w' => (dot_line_end, multi_line) = (true, true),
            'x' => expanded = true,
            'q' => literal = true,
            't' | 'e' | 'b' => {}
            other => {
                let message = format!("invalid regular expression option: \"{other}\"");
                return Err(ValueError::invalid_parameter(message));
            }
        }
    }
    let translated = if literal { regex::escape(pattern) } else { translate(pattern) };
    let regex = RegexBuilder::new(&translated)
        .dot_matches_new_line(dot_line_end)
        .multi_line(multi_line)
        .case_insensitive(any_case)
        .ignore_whitespace(expanded)
        .build()
        .map_err(|error| invalid(&error))?;
    Ok(Pattern { regex, global })
}

/// Options in front of a pattern: `(?i)`, `***=`.
fn embedded(pattern: &str) -> (&str, &str) {
    if let Some(literal) = pattern.strip_prefix("***=") {
        return ("q", literal);
    }
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let options = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    match options {
        Some((flags, rest))
            if !flags.is_empty() && flags.bytes().all(|flag| flag.is_ascii_lowercase()) =>
        {
            (flags, rest)
        }
        _ => ("", pattern),
    }
}

fn invalid(error: &regex::Error) -> ValueError {
    let text = error.to_string();
    let reason = if text.contains("unclosed group") || text.contains("unopened group") {
        "parentheses () not balanced".to_owned()
    } else if text.contains("unclosed character class") {
        "brackets [] not balanced".to_owned()
    } else if text.contains("repetition operator missing expression") {
        "quantifier operand invalid".to_owned()
    } else if text.contains("repetition") {
        "invalid repetition count(s)".to_owned()
    } else if text.contains("unrecognized escape") {
        "invalid escape \\ sequence".to_owned()
    } else {
        text.lines().last().unwrap_or("not supported").trim_start_matches("error: ").to_owned()
    };
    ValueError::new("2201B", format!("invalid regular expression: {reason}"))
}

/// A pattern in PostgreSQL's dialect as `regex` reads it.
fn translate(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('y') => text.push_str("\\b"),
                Some('Y') => text.push_str("\\B"),
                Some('m') => text.push_str("\\b{start}"),
                Some('M') => text.push_str("\\b{end}"),
                Some('Z') => text.push_str("\\z"),
                Some(escaped) if escaped.is_ascii_alphanumeric() => text.extend(['\\', escaped]),
                Some(escaped) => text.push_str(&regex::escape(&escaped.to_string())),
                None => text.push('\\'),
            },
            '[' => bracket(&mut letters, &mut text),
            // A brace that begins no repetition stands for itself.
            '{' if !letters.peek().is_some_and(char::is_ascii_digit) => text.push_str("\\{"),
            other => text.push(other),
        }
    }
    text
}

fn bracket(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, text: &mut String) {
    text.push('[');
    if letters.next_if_eq(&'^').is_some() {
        text.push('^');
    }
    if letters.next_if_eq(&']').is_some() {
        text.push_str("\\]");
    }
    while let Some(letter) = letters.next() {
        match letter {
            ']' => {
                text.push(']');
                return;
            }
            '[' if letters.peek() == Some(&':') => {
                text.push('[');
                for inner in letters.by_ref() {
                    text.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            '[' => text.push_str("\\["),
            '&' | '~' => text.extend(['\\', letter]),
            '\\' => {
                text.push('\\');
                text.extend(letters.next());
            }
            other => text.push(other),
        }
    }
}
