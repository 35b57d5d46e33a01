//! `SIMILAR TO` (manual, 9.7.2): `a SIMILAR TO b` is `a ~ similar_to_escape(b)`.

use crate::functions::function::{Function, function};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    let like = function(
        "like_escape(text, text) -> text",
        "The LIKE pattern with backslash in place of another escape character.",
        |row| Ok(like_escape(row.text(0), row.text(1))?.into()),
    );
    vec![
        like,
        function(
            "similar_to_escape(text) -> text; similar_to_escape(text, text) -> text",
            "The regular expression that a SIMILAR TO pattern means.",
            |row| Ok(escape(row.text(0), row.text_opt(1).unwrap_or("\\"))?.into()),
        ),
    ]
}

fn like_escape(pattern: &str, escape: &str) -> Result<String> {
    let mut escapes = escape.chars();
    let escape = escapes.next();
    if escapes.next().is_some() {
        return Err(ValueError::new("22025", "invalid escape string")
            .with_hint("Escape string must be empty or one character."));
    }
    let mut result = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if Some(letter) == escape {
            let Some(next) = letters.next() else {
                let text = "LIKE pattern must not end with escape character";
                return Err(ValueError::new("22025", text));
            };
            result.extend(['\\', next]);
        } else if letter == '\\' {
            result.push_str("\\\\");
        } else {
            result.push(letter);
        }
    }
    Ok(result)
}

fn escape(pattern: &str, escape: &str) -> Result<String> {
    let mut escapes = escape.chars();
    let escape = escapes.next();
    if escapes.next().is_some() {
        return Err(ValueError::new("22025", "invalid escape string")
            .with_hint("Escape string must be empty or one character."));
    }
    let mut regex = String::from("^(?:");
    let (mut escaped, mut bracket) = (false, false);
    for letter in pattern.chars() {
        if escaped {
            regex.extend(['\\', letter]);
            escaped = false;
        } else if Some(letter) == escape {
            escaped = true;
        } else if bracket {
            bracket = letter != ']';
            if letter == '\\' {
                regex.push('\\');
            }
            regex.push(letter);
        } else {
            match letter {
                '[' => {
                    bracket = true;
                    regex.push('[');
                }
                '%' => regex.push_str(".*"),
                '_' => regex.push('.'),
                '(' => regex.push_str("(?:"),
                '\\' | '.' | '^' | '$' => regex.extend(['\\', letter]),
                other => regex.push(other),
            }
        }
    }
    regex.push_str(")$");
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn similar() {
        check(&[
            ("similar_to_escape('(a|b)%')", "^(?:(?:a|b).*)$"),
            ("similar_to_escape('a#%_', '#')", "^(?:a\\%.)$"),
            ("textregexeq('abc', similar_to_escape('(a|b)%'))", "t"),
            ("textregexeq('abc', similar_to_escape('a'))", "f"),
        ]);
    }
}
