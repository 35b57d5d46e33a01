//! PostgreSQL's syntax that sqlparser does not know and that no form of a tree can express, put
//! into tokens that it knows.
//!
//! | PostgreSQL | tokens |
//! |---|---|
//! | `BETWEEN SYMMETRIC a AND b` | `BETWEEN !! a AND b`: a prefix operator that PostgreSQL 15 lacks |
//! | `ROWS FROM (f(…), g(…))` | `"rows from"(f(…), g(…))` |
//! | `COLLATE pg_catalog."default"` | nothing: there is one order of text |
//! | `$tag$text$tag$` | `'text'`, which every statement takes |
//! | `trim(BOTH FROM x)` | `trim(BOTH ' ' FROM x)` |
//! | `INSERT INTO t … OVERRIDING SYSTEM VALUE` | `INSERT INTO TABLE t …`, which PostgreSQL lacks |
//! | `CREATE TABLE t AS … WITH NO DATA` | without its end, which the statement's text still has |

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// Name of the function that stands for `ROWS FROM`.
pub const ROWS_FROM: &str = "rows from";

/// The collations, of which each sorts text by its bytes.
const COLLATIONS: &[&str] = &["default", "c", "posix", "ucs_basic"];

/// Mends the tokens of one statement.
pub(super) fn mended(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let solid: Vec<usize> = (0..tokens.len())
        .filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_)))
        .collect();
    let mut mended = tokens.to_owned();
    let look = |at: usize| solid.get(at).map(|place| &tokens[*place].token);
    for at in 0..solid.len() {
        if let Some(Token::DollarQuotedString(text)) = look(at) {
            mended[solid[at]].token = Token::SingleQuotedString(text.value.clone());
        } else if is_word(look(at), "between") && is_word(look(at + 1), "symmetric") {
            mended[solid[at + 1]].token = Token::DoubleExclamationMark;
        } else if is_word(look(at), "between") && is_word(look(at + 1), "asymmetric") {
            remove(&mut mended, &solid[at + 1..at + 2]);
        } else if begins_rows_from(&look, at) {
            mended[solid[at]].token = quoted(ROWS_FROM);
            remove(&mut mended, &solid[at + 1..at + 2]);
        } else if begins_trim(&look, at) {
            // There is white space between the two words.
            mended[solid[at] + 1].token = Token::SingleQuotedString(" ".to_owned());
        } else if is_word(look(at), "overriding") && is_word(look(at + 2), "value") {
            if is_word(look(at + 1), "system") && is_word(look(1), "into") {
                mended[solid[1] + 1].token = quoted_keyword("table", Keyword::TABLE);
            }
            remove(&mut mended, &solid[at..at + 3]);
        } else if ends_with_data(&look, at) {
            remove(&mut mended, &solid[at..]);
        } else if is_word(look(at), "collate") {
            let length = collation(&look, at + 1);
            if length > 0 {
                remove(&mut mended, &solid[at..=at + length]);
            }
        }
    }
    mended
}

fn is_word(token: Option<&Token>, expected: &str) -> bool {
    matches!(token, Some(Token::Word(word))
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}

fn remove(tokens: &mut [TokenWithSpan], places: &[usize]) {
    for place in places {
        tokens[*place].token = Token::Whitespace(sqlparser::tokenizer::Whitespace::Space);
    }
}

fn quoted(name: &str) -> Token {
    Token::Word(Word {
        value: name.to_owned(),
        quote_style: Some('"'),
        keyword: Keyword::NoKeyword,
    })
}

/// `BOTH FROM`, `LEADING FROM`, `TRAILING FROM` behind `trim(`.
fn begins_trim<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    let side = ["both", "leading", "trailing"].iter().any(|side| is_word(look(at), side));
    side && at >= 2
        && is_word(look(at + 1), "from")
        && look(at - 1) == Some(&Token::LParen)
        && is_word(look(at - 2), "trim")
}

/// The end of `CREATE TABLE … AS … WITH [NO] DATA`.
fn ends_with_data<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    let no = usize::from(is_word(look(at + 1), "no"));
    is_word(look(0), "create")
        && (1..4).any(|place| is_word(look(place), "table"))
        && is_word(look(at), "with")
        && is_word(look(at + 1 + no), "data")
        && matches!(look(at + 2 + no), None | Some(Token::EOF))
}

fn quoted_keyword(name: &str, keyword: Keyword) -> Token {
    Token::Word(Word { value: name.to_owned(), quote_style: None, keyword })
}

/// `ROWS FROM (f(`; a query `SELECT rows FROM (SELECT …` goes on otherwise.
fn begins_rows_from<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    if !is_word(look(at), "rows")
        || !is_word(look(at + 1), "from")
        || look(at + 2) != Some(&Token::LParen)
    {
        return false;
    }
    let mut name = at + 3;
    while matches!(look(name), Some(Token::Word(_))) && look(name + 1) == Some(&Token::Period) {
        name += 2;
    }
    let query = ["select", "values", "with", "table"];
    matches!(look(name), Some(Token::Word(_)))
        && !query.iter().any(|word| is_word(look(name), word))
        && look(name + 1) == Some(&Token::LParen)
}

/// How many tokens name a collation that there is.
fn collation<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> usize {
    let known = |token: Option<&Token>| {
        matches!(token, Some(Token::Word(word))
            if COLLATIONS.contains(&word.value.to_lowercase().as_str()))
    };
    match look(at + 1) == Some(&Token::Period) {
        true if is_word(look(at), "pg_catalog") && known(look(at + 2)) => 3,
        false if known(look(at)) => 1,
        _ => 0,
    }
}
