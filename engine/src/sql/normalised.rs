//! A statement without its literals: what may be kept of it and shown to others.
//!
//! ```text
//! SELECT * FROM t WHERE email = 'jane@example.com' LIMIT 5  →  SELECT * FROM t WHERE email = $1 LIMIT $2
//! ```

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

/// The text with `$n` in the place of literals, and without comments. Of what cannot be read there
/// is only the first word, if it is one.
pub(crate) fn normalised(text: &str) -> String {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize() else {
        let word = text.split_whitespace().next().unwrap_or_default();
        let plain = word.chars().all(|one| one.is_ascii_alphabetic());
        return if plain { format!("{word} …") } else { "…".to_owned() };
    };
    let mut shown = String::with_capacity(text.len());
    let mut count = 0;
    for token in tokens {
        match &token {
            Token::Whitespace(Whitespace::Newline | Whitespace::Space | Whitespace::Tab) => {
                shown.push_str(&token.to_string());
            }
            Token::Whitespace(_) => shown.push(' '),
            Token::Word(_) => shown.push_str(&token.to_string()),
            token if is_literal(token) => {
                count += 1;
                shown.push_str(&format!("${count}"));
            }
            _ => shown.push_str(&token.to_string()),
        }
    }
    shown
}

fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::SingleQuotedRawStringLiteral(_)
            | Token::DoubleQuotedRawStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn literals_and_comments_go() {
        for (text, shown) in [
            ("SELECT 'jane' , \"Q\" FROM t LIMIT 5", "SELECT $1 , \"Q\" FROM t LIMIT $2"),
            ("SELECT E'a\\'b', $$jane$$ -- jane\n, x", "SELECT $1, $2  , x"),
            ("SELECT /* jane */ U&'\\0061', 1.5e3", "SELECT   $1, $2"),
            ("SELECT 'jane", "SELECT …"),
            ("'jane", "…"),
        ] {
            assert_eq!(normalised(text), shown, "{text}");
        }
    }
}
