//! PostgreSQL's syntax that sqlparser does not know and that no form of a tree can express, put
//! into tokens that it knows.
//!
//! | PostgreSQL | tokens |
//! |---|---|
//! | `BETWEEN SYMMETRIC a AND b` | `BETWEEN !! a AND b`: a prefix operator that PostgreSQL 15 lacks |
//! | `ROWS FROM (f(…), g(…))` | `"rows from"(f(…), g(…))` |
//! | `COLLATE pg_catalog."default"` | nothing: there is one order of text |
//! | `CREATE MATERIALIZED VIEW v USING m WITH (a = b) AS` | `… v WITH (access_method = m, a = b) AS` |
//! | `CREATE MATERIALIZED VIEW … WITH [NO] DATA` | nothing: the text of the statement is asked |
//! | `x->-1` | `x -> -1` |
//! | `$tag$text$tag$` | `'text'`, which every statement takes |
//! | `trim(BOTH FROM x)` | `trim(BOTH ' ' FROM x)` |
//! | `OPERATOR(pg_catalog.=)` | `=` |
//! | `integer ARRAY` | `integer[]` |
//! | `inet '::1'`, `int4range '[1,5)'` | `'::1'::inet`: types of whose literals sqlparser does not know |
//! | `FROM ONLY t` | `FROM t`: no table has children |
//! | `… EXCLUDE NO OTHERS` in a window's frame | nothing: no row is left out anyway |
//! | `pg_catalog.substring(…)` | `substring(…)`, which has a syntax of its own |
//! | `INSERT INTO t … OVERRIDING SYSTEM VALUE` | `INSERT INTO TABLE t …`, which PostgreSQL lacks |
//! | `CREATE TABLE t AS … WITH NO DATA` | without its end, which the statement's text still has |

use clientele_catalog::definition::ACCESS_METHOD;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::mended_lists;

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
    mended_lists::mend(&mut mended, &solid);
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
        } else if let Some(operator) = system_operator(&look, at) {
            mended[solid[at]].token = operator.clone();
            remove(&mut mended, &solid[at + 1..at + 6]);
        } else if is_word(look(at), "exclude")
            && is_word(look(at + 1), "no")
            && is_word(look(at + 2), "others")
        {
            remove(&mut mended, &solid[at..at + 3]);
        } else if names_literal(&look, at) && solid[at] + 2 == solid[at + 1] {
            // There is white space between type and literal.
            mended[solid[at] + 1].token = Token::DoubleColon;
            mended.swap(solid[at], solid[at + 1]);
        } else if begins_only(&look, at) {
            remove(&mut mended, &solid[at..at + 1]);
        } else if begins_special_call(&look, at) {
            remove(&mut mended, &solid[at..at + 2]);
        } else if ends_array_type(&look, at) {
            // There is white space between type and word.
            mended[solid[at] - 1].token = Token::LBracket;
            mended[solid[at]].token = Token::RBracket;
        } else if at == 2 && is_word(look(1), "into") && is_word(look(2), "table") {
            // PostgreSQL reads no TABLE there, and the word is needed below.
            mended[solid[at]].token = quoted_keyword("table", Keyword::NoKeyword);
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
    let signed = mended.iter().any(|one| signed_operator(&one.token).is_some());
    if makes_materialized_view(&look) {
        remove_with_data(&mut mended, &solid, &look);
    }
    if let Some(using) = access_method(&look) {
        put_access_method(&mut mended, &solid, using);
    }
    if signed { without_signed_operators(mended) } else { mended }
}

/// `x->-1` is `x -> -1`: an operator ends in a sign only if it has one of a few other characters
/// (manual: sql-syntax-lexical, operators).
fn signed_operator(token: &Token) -> Option<(Token, Token)> {
    let Token::CustomBinaryOperator(operator) = token else { return None };
    let (operator, sign) = match operator.strip_suffix('-') {
        Some(operator) => (operator, Token::Minus),
        None => (operator.strip_suffix('+')?, Token::Plus),
    };
    let operator = match operator {
        "->" => Token::Arrow,
        "->>" => Token::LongArrow,
        "=" => Token::Eq,
        "<" => Token::Lt,
        ">" => Token::Gt,
        "<=" => Token::LtEq,
        ">=" => Token::GtEq,
        "<>" => Token::Neq,
        "*" => Token::Mul,
        "/" => Token::Div,
        _ => return None,
    };
    Some((operator, sign))
}

fn without_signed_operators(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let split = tokens.into_iter().flat_map(|one| match signed_operator(&one.token) {
        None => vec![one],
        Some((operator, sign)) => {
            let with = |token| TokenWithSpan { token, span: one.span };
            vec![with(operator), with(sign)]
        }
    });
    split.collect()
}

pub(super) fn is_word(token: Option<&Token>, expected: &str) -> bool {
    matches!(token, Some(Token::Word(word))
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}

pub(super) fn remove(tokens: &mut [TokenWithSpan], places: &[usize]) {
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

/// The operator in `OPERATOR(pg_catalog.=)`.
fn system_operator<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> Option<&'a Token> {
    let begins = is_word(look(at), "operator")
        && look(at + 1) == Some(&Token::LParen)
        && is_word(look(at + 2), "pg_catalog")
        && look(at + 3) == Some(&Token::Period)
        && look(at + 5) == Some(&Token::RParen);
    look(at + 4).filter(|operator| begins && !matches!(operator, Token::Word(_)))
}

/// `pg_catalog.` before the name of a function that has a syntax of its own.
fn begins_special_call<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    is_word(look(at), "pg_catalog")
        && look(at + 1) == Some(&Token::Period)
        && ["substring", "ceil", "floor"].iter().any(|name| is_word(look(at + 2), name))
        && look(at + 3) == Some(&Token::LParen)
}

/// `int4range '[1,5)'`.
fn names_literal<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    const TYPES: &[&str] =
        &["daterange", "inet", "int4range", "int8range", "numrange", "tsrange", "tstzrange"];
    TYPES.iter().any(|name| is_word(look(at), name))
        && matches!(look(at + 1), Some(Token::SingleQuotedString(_)))
        && (at == 0 || look(at - 1) != Some(&Token::Period))
}

/// `FROM ONLY t`: no table has children (manual: ddl-inherit).
fn begins_only<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    let before = ["from", "join", "update", "table", "truncate", "into", "using"];
    is_word(look(at), "only")
        && at > 0
        && before.iter().any(|word| is_word(look(at - 1), word))
        && matches!(look(at + 1), Some(Token::Word(_)))
        && !["as", "where", "order", "group", "limit"].iter().any(|one| is_word(look(at + 1), one))
}

/// `ARRAY` behind a type: as an expression it goes on with elements or a query.
fn ends_array_type<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    is_word(look(at), "array")
        && at > 0
        && matches!(look(at - 1), Some(Token::Word(_) | Token::RParen))
        && !matches!(look(at + 1), Some(Token::LBracket | Token::LParen | Token::Period))
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

fn makes_materialized_view<'a>(look: &impl Fn(usize) -> Option<&'a Token>) -> bool {
    let words = ["create", "materialized", "view"];
    words.iter().enumerate().all(|(at, word)| is_word(look(at), word))
}

/// Takes `WITH [NO] DATA` from the end: the statement's text says it, too.
fn remove_with_data<'a>(
    tokens: &mut [TokenWithSpan],
    solid: &[usize],
    look: &impl Fn(usize) -> Option<&'a Token>,
) {
    let end = (0..solid.len()).rfind(|at| look(*at) != Some(&Token::EOF)).map_or(0, |at| at + 1);
    for words in [&["with", "no", "data"][..], &["with", "data"]] {
        let Some(first) = end.checked_sub(words.len()) else { continue };
        if words.iter().zip(first..).all(|(word, at)| is_word(look(at), word)) {
            return remove(tokens, &solid[first..end]);
        }
    }
}

/// Where a materialized view says its access method: the place of `USING`.
fn access_method<'a>(look: &impl Fn(usize) -> Option<&'a Token>) -> Option<usize> {
    let is = |at: usize, word: &str| is_word(look(at), word);
    if !makes_materialized_view(look) {
        return None;
    }
    let end = (3..).find(|at| look(*at).is_none() || is(*at, "as") || is(*at, "with"))?;
    (3..end).find(|at| is(*at, "using") && matches!(look(*at + 1), Some(Token::Word(_))))
}

/// Makes the access method the first of the options.
fn put_access_method(tokens: &mut Vec<TokenWithSpan>, solid: &[usize], using: usize) {
    let span = tokens[solid[using]].span;
    let is = |at: usize, token: &Token| {
        solid.get(at).is_some_and(|place| tokens[*place].token == *token)
    };
    let has_options =
        solid.get(using + 2).is_some_and(|place| is_word(Some(&tokens[*place].token), "with"))
            && is(using + 3, &Token::LParen);
    let mut put = vec![
        Token::make_keyword("WITH"),
        Token::LParen,
        Token::make_word(ACCESS_METHOD, None),
        Token::Eq,
        tokens[solid[using + 1]].token.clone(),
    ];
    let last = match has_options {
        true => {
            // `()` has no options to go on with.
            put.extend((!is(using + 4, &Token::RParen)).then_some(Token::Comma));
            solid[using + 3]
        }
        false => {
            put.push(Token::RParen);
            solid[using + 1]
        }
    };
    let put = put.into_iter().map(|token| TokenWithSpan { token, span });
    tokens.splice(solid[using]..=last, put);
}
