//! PostgreSQL's syntax that sqlparser does not know and that no form of a tree can express, put
//! into tokens that it knows.
//!
//! | PostgreSQL | tokens |
//! |---|---|
//! | `BETWEEN SYMMETRIC a AND b` | `BETWEEN !! a AND b`: a prefix operator that PostgreSQL 15 lacks |
//! | `ROWS FROM (f(…), g(…))` | `"rows from"(f(…), g(…))` |
//! | `COLLATE pg_catalog."default"` | nothing: there is one order of text |
//! | `CREATE MATERIALIZED VIEW v USING m WITH (a = b) AS` | `… v WITH (access_method = m, a = b) AS` |
//! | `CREATE VIEW v AS … WITH CHECK OPTION` | `… v WITH (check_option = cascaded) AS …` |
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
//! | `ON CONFLICT (lower(a)) WHERE b` | `ON CONFLICT ON CONSTRAINT "…"`: the name is a query of both |
//! | `CREATE TABLE t AS … WITH NO DATA` | without its end, which the statement's text still has |
//! | `CREATE TABLE t (a, b) AS …` | `CREATE TABLE t (a "?", b "?") AS …`: names without types |
//! | `TABLE t ORDER BY a` | `SELECT * FROM t ORDER BY a` |
//! | `ORDER BY x USING >` | `ORDER BY x DESC` |
//! | `'a'` and `'b'` on lines of their own | `'ab'` |
//! | `CREATE UNLOGGED TABLE`, `DROP INDEX CONCURRENTLY` | without the word: every table is logged, nobody waits |

use clientele_catalog::definition::ACCESS_METHOD;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::{mended_lists, mended_views};

/// Name of the function that stands for `ROWS FROM`.
pub const ROWS_FROM: &str = "rows from";

/// The type of columns that get theirs from a query.
const OF_QUERY: &str = "?";

/// The collations, of which each sorts text by its bytes.
const COLLATIONS: &[&str] = &["default", "c", "posix", "ucs_basic"];

/// Mends the tokens of one statement.
pub(super) fn mended(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let recursive = mended_views::recursive(tokens);
    let tokens = recursive.as_deref().unwrap_or(tokens);
    let solid: Vec<usize> = (0..tokens.len())
        .filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_)))
        .collect();
    let mut mended = tokens.to_owned();
    mended_lists::mend(&mut mended, &solid);
    join_literals(&mut mended, &solid);
    let look = |at: usize| solid.get(at).map(|place| &tokens[*place].token);
    mend_places(&mut mended, tokens, &solid);
    if let Some(option) = check_option(&look, solid.len()) {
        put_check_option(&mut mended, &solid, option);
    }
    let signed = mended.iter().any(|one| signed_operator(&one.token).is_some());
    if makes_materialized_view(&look) {
        remove_with_data(&mut mended, &solid, &look);
    }
    if let Some(using) = access_method(&look) {
        put_access_method(&mut mended, &solid, using);
    }
    for table in (0..solid.len()).rev().filter(|at| is_whole_table(&look, *at)) {
        let span = mended[solid[table]].span;
        let rows = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
        let rows = rows.map(|token| TokenWithSpan { token, span });
        mended.splice(solid[table]..=solid[table], rows);
    }
    for name in names_without_types(&look).into_iter().rev() {
        let span = mended[solid[name]].span;
        let of_query = TokenWithSpan { token: quoted(OF_QUERY), span };
        mended.insert(solid[name] + 1, of_query);
    }
    if signed { without_signed_operators(mended) } else { mended }
}

/// Mends what stands at one place each.
fn mend_places(mended: &mut [TokenWithSpan], tokens: &[TokenWithSpan], solid: &[usize]) {
    let look = |at: usize| solid.get(at).map(|place| &tokens[*place].token);
    for at in 0..solid.len() {
        if let Some(Token::DollarQuotedString(text)) = look(at) {
            mended[solid[at]].token = Token::SingleQuotedString(text.value.clone());
        } else if is_word(look(at), "between") && is_word(look(at + 1), "symmetric") {
            mended[solid[at + 1]].token = Token::DoubleExclamationMark;
        } else if is_word(look(at), "between") && is_word(look(at + 1), "asymmetric") {
            remove(mended, &solid[at + 1..at + 2]);
        } else if let Some(end) = infers_arbiter(&look, at) {
            put_arbiter(mended, tokens, &solid[at..end]);
        } else if begins_rows_from(&look, at) {
            mended[solid[at]].token = quoted(ROWS_FROM);
            remove(mended, &solid[at + 1..at + 2]);
        } else if begins_trim(&look, at) {
            // There is white space between the two words.
            mended[solid[at] + 1].token = Token::SingleQuotedString(" ".to_owned());
        } else if let Some(operator) = system_operator(&look, at) {
            mended[solid[at]].token = operator.clone();
            remove(mended, &solid[at + 1..at + 6]);
        } else if is_word(look(at), "exclude")
            && is_word(look(at + 1), "no")
            && is_word(look(at + 2), "others")
        {
            remove(mended, &solid[at..at + 3]);
        } else if names_literal(&look, at) && solid[at] + 2 == solid[at + 1] {
            // There is white space between type and literal.
            mended[solid[at] + 1].token = Token::DoubleColon;
            mended.swap(solid[at], solid[at + 1]);
        } else if let (true, Some(order)) = (is_word(look(at), "using"), order_of(look(at + 1))) {
            mended[solid[at]].token = order;
            remove(mended, &solid[at + 1..at + 2]);
        } else if begins_only(&look, at) {
            remove(mended, &solid[at..at + 1]);
        } else if begins_special_call(&look, at) {
            remove(mended, &solid[at..at + 2]);
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
            remove(mended, &solid[at..at + 3]);
        } else if stored_otherwise(&look, at) {
            remove(mended, &solid[at..=at]);
        } else if ends_with_data(&look, at) {
            remove(mended, &solid[at..]);
        } else if is_word(look(at), "collate") {
            let length = collation(&look, at + 1);
            if length > 0 {
                remove(mended, &solid[at..=at + length]);
            }
        }
    }
}

/// Begins the name that stands for a key of ON CONFLICT which is no list of columns.
pub const INFERRED: &str = "\u{1}inferred ";

/// Where what follows `ON CONFLICT` ends, if that is more than a list of columns.
fn infers_arbiter<'t>(look: &impl Fn(usize) -> Option<&'t Token>, at: usize) -> Option<usize> {
    let begins = is_word(look(at), "on") && is_word(look(at + 1), "conflict");
    if !begins || look(at + 2) != Some(&Token::LParen) {
        return None;
    }
    let (mut depth, mut end, mut plain) = (0, at + 2, true);
    while depth > 0 || !is_word(look(end), "do") {
        match look(end)? {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::Comma => {}
            Token::Word(_) if depth == 1 => {}
            _ => plain = false,
        }
        plain &= depth < 2 && !is_word(look(end), "where");
        end += 1;
    }
    (!plain).then_some(end)
}

/// Puts the name of a constraint in place of a key and its condition.
fn put_arbiter(mended: &mut [TokenWithSpan], tokens: &[TokenWithSpan], solid: &[usize]) {
    let [_, _, open, second, third, rest @ ..] = solid else { return };
    let last = rest.last().map_or(*third, |last| *last);
    let mut depth = 0;
    let mut text = format!("{INFERRED}SELECT");
    for place in *open..=last {
        let token = &tokens[place].token;
        depth += i32::from(*token == Token::LParen);
        let bracket = depth == 1 && matches!(token, Token::LParen | Token::RParen);
        // Behind the key, brackets are the condition's.
        let of_key = bracket && !text.contains(CLOSED);
        match (of_key, token) {
            (true, Token::RParen) => text.push_str(CLOSED),
            (true, _) => text.push(' '),
            (false, token) => text.push_str(&token.to_string()),
        }
        depth -= i32::from(*token == Token::RParen);
    }
    mended[*open].token = quoted_keyword("on", Keyword::ON);
    mended[*second].token = quoted_keyword("constraint", Keyword::CONSTRAINT);
    mended[*third].token = quoted(&text);
    remove(mended, rest);
}

/// The end of a key.
const CLOSED: &str = " \t";

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

/// Words on how something is stored or locked, of which there is one way.
fn stored_otherwise<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    at == 1 && is_word(look(0), "create") && is_word(look(1), "unlogged")
        || at == 2
            && is_word(look(0), "drop")
            && is_word(look(1), "index")
            && is_word(look(2), "concurrently")
}

/// `USING <` sorts as `ASC` does (manual: sql-select, ORDER BY).
fn order_of(operator: Option<&Token>) -> Option<Token> {
    match operator {
        Some(Token::Lt) => Some(Token::make_keyword("ASC")),
        Some(Token::Gt) => Some(Token::make_keyword("DESC")),
        _ => None,
    }
}

/// Literals on lines of their own are one (manual, 4.1.2.1).
fn join_literals(tokens: &mut [TokenWithSpan], solid: &[usize]) {
    let mut first = None;
    for (at, place) in solid.iter().enumerate() {
        let Token::SingleQuotedString(text) = tokens[*place].token.clone() else {
            let begins = matches!(tokens[*place].token, Token::EscapedStringLiteral(_));
            first = begins.then_some(*place);
            continue;
        };
        let newline = Token::Whitespace(sqlparser::tokenizer::Whitespace::Newline);
        let between = at.checked_sub(1).map_or(&[][..], |before| &tokens[solid[before]..*place]);
        let goes_on = between.iter().any(|one| one.token == newline);
        match first.filter(|_| goes_on) {
            Some(first) => {
                if let Token::SingleQuotedString(whole) | Token::EscapedStringLiteral(whole) =
                    &mut tokens[first].token
                {
                    whole.push_str(&text);
                }
                remove(tokens, &[*place]);
            }
            None => first = Some(*place),
        }
    }
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
        && !is_word(look(at - 1), "as")
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

/// `TABLE t` is `SELECT * FROM t` (manual: sql-select, TABLE Command).
fn is_whole_table<'a>(look: &impl Fn(usize) -> Option<&'a Token>, at: usize) -> bool {
    let before = ["union", "except", "intersect", "all", "distinct", "as", "explain"];
    // A column may be called `AS table`.
    let behind_name = ["from", "where", "group", "having", "window", "order", "limit", "offset"]
        .into_iter()
        .chain(["fetch", "for", "into", "union", "except", "intersect", "with"]);
    is_word(look(at), "table")
        && matches!(look(at + 1), Some(Token::Word(_)))
        && !behind_name.into_iter().any(|word| is_word(look(at + 1), word))
        && (at == 0
            || matches!(look(at - 1), Some(Token::LParen | Token::RParen))
            || before.iter().any(|word| is_word(look(at - 1), word)))
}

/// The places of the names in `CREATE TABLE t (a, b) AS`.
fn names_without_types<'a>(look: &impl Fn(usize) -> Option<&'a Token>) -> Vec<usize> {
    let table = (1..4).find(|at| is_word(look(*at), "table"));
    let Some(table) = table.filter(|_| is_word(look(0), "create")) else { return Vec::new() };
    let mut at = table + 1;
    if is_word(look(at), "if") && is_word(look(at + 1), "not") {
        at += 3;
    }
    while look(at + 1) == Some(&Token::Period) {
        at += 2;
    }
    at += 1;
    let mut names = Vec::new();
    while matches!(look(at), Some(Token::LParen | Token::Comma))
        && matches!(look(at + 1), Some(Token::Word(_)))
        && matches!(look(at + 2), Some(Token::RParen | Token::Comma))
    {
        names.push(at + 1);
        at += 2;
    }
    if look(at) == Some(&Token::RParen) { names } else { Vec::new() }
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

/// The check option at the end of a CREATE VIEW: where it begins, and whose rows it is about.
fn check_option<'t>(
    look: &impl Fn(usize) -> Option<&'t Token>,
    count: usize,
) -> Option<(usize, &'static str)> {
    let is = |at: usize, word: &str| is_word(look(at), word);
    if !is(0, "create") || !(1..5).any(|at| is(at, "view")) {
        return None;
    }
    let end = (0..count).rev().find(|at| !matches!(look(*at), Some(Token::EOF)))?;
    let check = end.checked_sub(1).filter(|at| is(*at, "check") && is(end, "option"))?;
    let before = check.checked_sub(1)?;
    match (is(before, "local"), is(before, "cascaded")) {
        (false, false) => is(before, "with").then_some((before, "cascaded")),
        (local, _) => {
            let with = before.checked_sub(1).filter(|at| is(*at, "with"))?;
            Some((with, if local { "local" } else { "cascaded" }))
        }
    }
}

/// Makes the check option one of the options of the view.
fn put_check_option(
    tokens: &mut Vec<TokenWithSpan>,
    solid: &[usize],
    (begin, value): (usize, &'static str),
) {
    let is = |at: usize, word: &str| is_word(solid.get(at).map(|at| &tokens[*at].token), word);
    let Some(query) = (2..begin).find(|at| is(*at, "as")) else { return };
    let options = (2..query).find(|at| is(*at, "with"));
    let span = tokens[solid[query]].span;
    let option = [Token::make_word("check_option", None), Token::Eq, Token::make_word(value, None)];
    let (place, put): (usize, Vec<Token>) = match options {
        Some(with) => (solid[with + 1] + 1, option.into_iter().chain([Token::Comma]).collect()),
        None => {
            let open = [Token::make_keyword("WITH"), Token::LParen];
            let close = [Token::RParen];
            (solid[query], open.into_iter().chain(option).chain(close).collect())
        }
    };
    remove(tokens, &solid[begin..]);
    tokens.splice(place..place, put.into_iter().map(|token| TokenWithSpan { token, span }));
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
