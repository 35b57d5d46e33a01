//! `CREATE RECURSIVE VIEW v (a, b) AS query` is `CREATE VIEW v (a, b) AS WITH RECURSIVE v (a, b) AS
//! (query) SELECT a, b FROM v` (manual: sql-createview).

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::mended::is_word;

/// The tokens of the one for those of the other; `None` for any other statement.
pub(super) fn recursive(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let solid: Vec<&TokenWithSpan> = tokens
        .iter()
        .filter(|one| !matches!(one.token, Token::Whitespace(_) | Token::EOF))
        .collect();
    let look = |at: usize| solid.get(at).map(|one| &one.token);
    let at = (1..4).find(|at| is_word(look(*at), "recursive"))?;
    if !is_word(look(0), "create") || !is_word(look(at + 1), "view") {
        return None;
    }
    let open = (at + 2..solid.len()).find(|place| look(*place) == Some(&Token::LParen))?;
    let close = (open..solid.len()).find(|place| look(*place) == Some(&Token::RParen))?;
    let body = (close..solid.len()).find(|place| is_word(look(*place), "as"))? + 1;
    let name = solid.get(open - 1)?;
    let columns = solid.get(open + 1..close)?;
    let span = name.span;
    let keyword = |word: &str| TokenWithSpan { token: Token::make_keyword(word), span };
    let sign = |token: Token| TokenWithSpan { token, span };
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(solid.len() * 2);
    let kept = solid.iter().enumerate().filter(|(place, _)| *place != at && *place < body);
    out.extend(kept.map(|(_, one)| (*one).clone()));
    out.extend([keyword("WITH"), keyword("RECURSIVE"), (*name).clone()]);
    out.extend(solid.get(open..=close)?.iter().map(|one| (*one).clone()));
    out.extend([keyword("AS"), sign(Token::LParen)]);
    out.extend(solid.get(body..)?.iter().map(|one| (*one).clone()));
    out.extend([sign(Token::RParen), keyword("SELECT")]);
    out.extend(columns.iter().map(|one| (*one).clone()));
    out.extend([keyword("FROM"), (*name).clone()]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;

    #[test]
    fn recursive_views() {
        let text = "CREATE OR REPLACE RECURSIVE VIEW s.v (n) AS \
                    VALUES (1) UNION ALL SELECT n + 1 FROM v WHERE n < 5";
        assert!(parse(text).is_ok());
        assert!(parse("CREATE RECURSIVE VIEW v AS SELECT 1").is_err());
    }
}
