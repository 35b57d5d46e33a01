//! Statements that sqlparser lacks or reads otherwise than PostgreSQL; found by their first words.

use std::sync::Arc;

use sqlparser::ast;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::place::{Source, folded, name_parts};
use super::{
    Body, DefaultPrivileges, SettingStatement, Step, TransactionModes, TransactionStatement, copy,
    definitions, foreign, inline_code, maintenance, merge, parse as text, roles, security_label,
};

use crate::session::cursors::Kind;
use crate::session::notify::Notification;

type Parsed<T> = Result<T, ParserError>;

/// Reads an own statement; `None` (nothing consumed) when it is sqlparser's to read.
pub(super) fn parse(parser: &mut Parser<'_>, source: &Arc<Source>) -> Parsed<Option<Body>> {
    let first = word(parser, 0);
    if foreign::may_begin(&first)
        && let Some(statement) = foreign::parse(parser)?
    {
        return Ok(Some(Body::Foreign(Box::new(statement))));
    }
    let second = word(parser, 1);
    let body = match (first.as_str(), second.as_str()) {
        ("set", _) => set(parser)?,
        ("reset", _) => reset(parser)?,
        ("show", _) => show(parser)?,
        ("discard", _) => discard(parser)?,
        (
            "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release",
            _,
        ) => Body::Transaction(transaction(parser, &first)?),
        ("copy", _) => copy::parse(parser)?,
        ("refresh", _) => refresh(parser)?,
        ("explain", _) => explain(parser, source)?,
        ("declare", _) => declare(parser, source)?,
        ("fetch" | "move", _) => fetch(parser, first == "move")?,
        ("close", _) => close(parser)?,
        ("prepare", _) => prepare(parser, source)?,
        ("execute", _) => execute(parser)?,
        ("deallocate", _) => deallocate(parser)?,
        ("do", _) => inline_code::parse(parser)?,
        ("table", _) => Body::Query(parser.parse_query()?),
        ("listen" | "unlisten" | "notify", _) => notification(parser, &first)?,
        ("vacuum", _) => Body::Maintenance(maintenance::parse(parser, "VACUUM")?),
        ("analyze" | "analyse", _) => Body::Maintenance(maintenance::parse(parser, "ANALYZE")?),
        ("checkpoint", _) => Body::Maintenance(maintenance::parse(parser, "CHECKPOINT")?),
        ("cluster", _) => Body::Maintenance(maintenance::parse(parser, "CLUSTER")?),
        ("reindex", _) => Body::Maintenance(maintenance::parse(parser, "REINDEX")?),
        ("lock", _) => Body::Maintenance(maintenance::parse(parser, "LOCK TABLE")?),
        ("create" | "alter" | "drop", "role" | "user" | "group") | ("grant" | "revoke", _) => {
            return Ok(roles::parse(parser)?.map(Body::Role));
        }
        ("security", "label") => Body::SecurityLabel(security_label::parse(parser)?),
        ("alter", "default") => Body::DefaultPrivileges(default_privileges(parser)?),
        ("create" | "alter" | "comment", _) | ("drop", "database") => {
            return definitions::parse(parser);
        }
        ("merge", _) => merge::parse(parser)?,
        _ => return Ok(None),
    };
    Ok(Some(body))
}

/// The n-th coming word, lower case; empty when it is none.
pub(super) fn word(parser: &Parser<'_>, ahead: usize) -> String {
    match parser.peek_nth_token(ahead).token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
        _ => String::new(),
    }
}

/// Takes the word when it comes next.
pub(super) fn take(parser: &mut Parser<'_>, expected: &str) -> bool {
    let comes = word(parser, 0) == expected;
    if comes {
        parser.next_token();
    }
    comes
}

/// Takes the word, or complains about what stands there.
pub(super) fn expect(parser: &mut Parser<'_>, expected: &str) -> Parsed<()> {
    match take(parser, expected) {
        true => Ok(()),
        false => unexpected(parser),
    }
}

/// `syntax error at or near` the next token.
pub(super) fn unexpected<T>(parser: &Parser<'_>) -> Parsed<T> {
    let token = parser.peek_token();
    Err(ParserError::ParserError(format!("found: {}{}", token.token, token.span.start)))
}

/// A name, folded as PostgreSQL folds it.
pub(super) fn name(parser: &mut Parser<'_>) -> Parsed<String> {
    parser.parse_identifier().map(|ident| folded(&ident))
}

pub(super) fn at_end(parser: &Parser<'_>) -> bool {
    matches!(parser.peek_token().token, Token::EOF | Token::SemiColon)
}

fn constraints(parser: &mut Parser<'_>) -> Parsed<TransactionStatement> {
    parser.next_token();
    let names = match take(parser, "all") {
        true => None,
        false => {
            let names = parser.parse_comma_separated(|parser| parser.parse_object_name(false))?;
            Some(names.iter().map(name_parts).collect())
        }
    };
    let deferred = take(parser, "deferred");
    if !deferred {
        expect(parser, "immediate")?;
    }
    Ok(TransactionStatement::Constraints { names, deferred })
}

fn set(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    let local = take(parser, "local");
    let session = !local && take(parser, "session");
    if session && take(parser, "characteristics") {
        expect(parser, "as")?;
        expect(parser, "transaction")?;
        let modes = modes(parser)?;
        return Ok(Body::Setting(SettingStatement::Transaction { modes, session: true }));
    }
    if session && take(parser, "authorization") {
        let (name, values) = ("session_authorization".to_owned(), setting_values(parser)?);
        return Ok(Body::Setting(SettingStatement::Set { name, values, local }));
    }
    if word(parser, 0) == "constraints" && !session && !local {
        return constraints(parser).map(Body::Transaction);
    }
    if word(parser, 0) == "transaction" && !session {
        parser.next_token();
        let modes = modes(parser)?;
        return Ok(Body::Setting(SettingStatement::Transaction { modes, session: false }));
    }
    if take(parser, "role") {
        let role = setting_value(parser)?;
        return Ok(Body::Setting(SettingStatement::Role((role != "none").then_some(role))));
    }
    if word(parser, 0) == "time" && word(parser, 1) == "zone" {
        parser.next_token();
        parser.next_token();
        let values = setting_values(parser)?;
        return Ok(Body::Setting(SettingStatement::Set { name: "timezone".into(), values, local }));
    }
    if take(parser, "names") {
        let values = setting_values(parser)?;
        let name = "client_encoding".to_owned();
        return Ok(Body::Setting(SettingStatement::Set { name, values, local }));
    }
    let name = setting_name(parser)?;
    if !parser.consume_token(&Token::Eq) {
        expect(parser, "to")?;
    }
    let values = setting_values(parser)?;
    Ok(Body::Setting(SettingStatement::Set { name, values, local }))
}

pub(super) fn setting_name(parser: &mut Parser<'_>) -> Parsed<String> {
    let mut text = name(parser)?;
    while parser.consume_token(&Token::Period) {
        text = format!("{text}.{}", name(parser)?);
    }
    Ok(text)
}

pub(super) fn setting_values(parser: &mut Parser<'_>) -> Parsed<Option<Vec<String>>> {
    if take(parser, "default") {
        return Ok(None);
    }
    let mut values = vec![setting_value(parser)?];
    while parser.consume_token(&Token::Comma) {
        values.push(setting_value(parser)?);
    }
    Ok(Some(values))
}

pub(super) fn setting_value(parser: &mut Parser<'_>) -> Parsed<String> {
    let negative = parser.consume_token(&Token::Minus);
    if parser.peek_token().token == Token::EOF {
        return unexpected(parser);
    }
    if take(parser, "interval") {
        return zone_interval(parser);
    }
    let token = parser.next_token();
    let text = match token.token {
        Token::Word(word) if word.quote_style.is_some() => word.value,
        Token::Word(word) => word.value.to_lowercase(),
        Token::Number(number, _) => number,
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => text,
        _ => {
            parser.prev_token();
            return unexpected(parser);
        }
    };
    Ok(if negative { format!("-{text}") } else { text })
}

/// `INTERVAL '+02:00' HOUR TO MINUTE`: hours east, as the plain number 2 means them.
fn zone_interval(parser: &mut Parser<'_>) -> Parsed<String> {
    let value = setting_value(parser)?;
    if take(parser, "hour") && take(parser, "to") {
        expect(parser, "minute")?;
    }
    let hours = value.strip_suffix(":00").map(|hours| hours.replace('+', ""));
    Ok(hours.filter(|hours| hours.parse::<i32>().is_ok()).unwrap_or(value))
}

fn reset(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    if take(parser, "all") {
        return Ok(Body::Setting(SettingStatement::Reset(None)));
    }
    if take(parser, "role") {
        return Ok(Body::Setting(SettingStatement::Role(None)));
    }
    if take(parser, "session") {
        expect(parser, "authorization")?;
        return Ok(Body::Setting(SettingStatement::Role(None)));
    }
    let name = shown_name(parser)?;
    Ok(Body::Setting(SettingStatement::Reset(Some(name))))
}

fn show(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    let name = shown_name(parser)?;
    Ok(Body::Setting(SettingStatement::Show(name)))
}

fn shown_name(parser: &mut Parser<'_>) -> Parsed<String> {
    match (word(parser, 0).as_str(), word(parser, 1).as_str()) {
        ("time", "zone") => {
            parser.next_token();
            parser.next_token();
            Ok("timezone".to_owned())
        }
        ("transaction", "isolation") => {
            parser.next_token();
            parser.next_token();
            expect(parser, "level")?;
            Ok("transaction_isolation".to_owned())
        }
        ("session", "authorization") => {
            parser.next_token();
            parser.next_token();
            Ok("session_authorization".to_owned())
        }
        _ => setting_name(parser),
    }
}

fn discard(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    let what = word(parser, 0);
    match what.as_str() {
        "all" | "plans" | "sequences" | "temp" | "temporary" => {
            parser.next_token();
            Ok(Body::Setting(SettingStatement::Discard(what)))
        }
        _ => unexpected(parser),
    }
}

fn modes(parser: &mut Parser<'_>) -> Parsed<TransactionModes> {
    let mut modes = TransactionModes::default();
    loop {
        if take(parser, "isolation") {
            expect(parser, "level")?;
            modes.isolation = Some(isolation(parser)?);
        } else if take(parser, "read") {
            modes.read_only = Some(take(parser, "only"));
            if modes.read_only == Some(false) {
                expect(parser, "write")?;
            }
        } else if take(parser, "not") {
            expect(parser, "deferrable")?;
            modes.deferrable = Some(false);
        } else if take(parser, "deferrable") {
            modes.deferrable = Some(true);
        } else if !parser.consume_token(&Token::Comma) {
            return Ok(modes);
        }
    }
}

fn isolation(parser: &mut Parser<'_>) -> Parsed<String> {
    if take(parser, "serializable") {
        return Ok("serializable".to_owned());
    }
    if take(parser, "repeatable") {
        expect(parser, "read")?;
        return Ok("repeatable read".to_owned());
    }
    expect(parser, "read")?;
    if take(parser, "uncommitted") {
        return Ok("read uncommitted".to_owned());
    }
    expect(parser, "committed")?;
    Ok("read committed".to_owned())
}

fn transaction(parser: &mut Parser<'_>, first: &str) -> Parsed<TransactionStatement> {
    parser.next_token();
    if first == "savepoint" {
        return name(parser).map(TransactionStatement::Savepoint);
    }
    if first == "release" {
        take(parser, "savepoint");
        return name(parser).map(TransactionStatement::Release);
    }
    if first == "start" {
        expect(parser, "transaction")?;
        let modes = modes(parser)?;
        return Ok(TransactionStatement::Begin { modes, tag: "START TRANSACTION" });
    }
    let _ = take(parser, "work") || take(parser, "transaction");
    match first {
        "begin" => Ok(TransactionStatement::Begin { modes: modes(parser)?, tag: "BEGIN" }),
        "rollback" if take(parser, "to") => {
            take(parser, "savepoint");
            name(parser).map(TransactionStatement::RollbackTo)
        }
        "rollback" | "abort" => Ok(TransactionStatement::Rollback { chain: chain(parser)? }),
        _ => Ok(TransactionStatement::Commit { chain: chain(parser)? }),
    }
}

fn chain(parser: &mut Parser<'_>) -> Parsed<bool> {
    if !take(parser, "and") {
        return Ok(false);
    }
    let chain = !take(parser, "no");
    expect(parser, "chain")?;
    Ok(chain)
}

fn refresh(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    expect(parser, "materialized")?;
    expect(parser, "view")?;
    take(parser, "concurrently");
    let name = parser.parse_object_name(false)?;
    let mut no_data = false;
    if take(parser, "with") {
        no_data = take(parser, "no");
        expect(parser, "data")?;
    }
    Ok(Body::Refresh { name, no_data })
}

fn explain(parser: &mut Parser<'_>, source: &Arc<Source>) -> Parsed<Body> {
    parser.next_token();
    let (mut analyze, mut verbose, mut json) = (false, false, false);
    let after = parser.peek_nth_token(1).token.to_string().to_lowercase();
    // A parenthesis may also begin what is explained.
    let of_query = matches!(after.as_str(), "select" | "with" | "values" | "table" | "(");
    if parser.peek_token().token == Token::LParen && !of_query {
        parser.next_token();
        loop {
            let option = name(parser)?;
            let value = match parser.peek_token().token {
                Token::Comma | Token::RParen => "true".to_owned(),
                _ => setting_value(parser)?,
            };
            let on = !matches!(value.as_str(), "false" | "off" | "0");
            match option.as_str() {
                "analyze" => analyze = on,
                "verbose" => verbose = on,
                "format" => json = value == "json",
                "costs" | "settings" | "buffers" | "wal" | "timing" | "summary"
                | "generic_plan" => {}
                other => {
                    let text = format!("!unrecognized EXPLAIN option \"{other}\"");
                    return Err(ParserError::ParserError(text));
                }
            }
            if !parser.consume_token(&Token::Comma) {
                break;
            }
        }
        parser.expect_token(&Token::RParen)?;
    } else {
        analyze = take(parser, "analyze");
        verbose = take(parser, "verbose");
    }
    text::explain(parser, source, (analyze, verbose, json))
}

fn declare(parser: &mut Parser<'_>, source: &Arc<Source>) -> Parsed<Body> {
    parser.next_token();
    let name = name(parser)?;
    let mut kind = Kind::default();
    loop {
        if take(parser, "no") {
            expect(parser, "scroll")?;
        } else if take(parser, "scroll") {
            kind.scrolls = true;
        } else if !["binary", "asensitive", "insensitive"].iter().any(|word| take(parser, word)) {
            break;
        }
    }
    expect(parser, "cursor")?;
    if take(parser, "with") {
        expect(parser, "hold")?;
        kind.hold = true;
    } else if take(parser, "without") {
        expect(parser, "hold")?;
    }
    expect(parser, "for")?;
    let query = Box::new(text::rest_as_statement(parser, source)?);
    Ok(Body::Declare { name, kind, query })
}

fn fetch(parser: &mut Parser<'_>, moves: bool) -> Parsed<Body> {
    parser.next_token();
    let step = step(parser)?;
    let _ = take(parser, "from") || take(parser, "in");
    Ok(Body::Fetch { name: name(parser)?, step, moves })
}

fn step(parser: &mut Parser<'_>) -> Parsed<Step> {
    let direction = word(parser, 0);
    // A cursor may be called like a direction: `FETCH first` alone.
    let last = matches!(parser.peek_nth_token(1).token, Token::EOF | Token::SemiColon);
    if last && parser.peek_token().token != Token::Minus {
        return Ok(Step::Forward(1));
    }
    let plain = match direction.as_str() {
        "next" => Some(Step::Forward(1)),
        "prior" => Some(Step::Forward(-1)),
        "first" => Some(Step::Absolute(1)),
        "last" => Some(Step::Absolute(-1)),
        "all" => Some(Step::ForwardAll),
        _ => None,
    };
    if let Some(step) = plain {
        parser.next_token();
        return Ok(step);
    }
    match direction.as_str() {
        "absolute" | "relative" => {
            parser.next_token();
            let Some(rows) = number(parser)? else { return unexpected(parser) };
            let absolute = direction == "absolute";
            Ok(if absolute { Step::Absolute(rows) } else { Step::Relative(rows) })
        }
        "forward" | "backward" => {
            parser.next_token();
            let forward = direction == "forward";
            if take(parser, "all") {
                return Ok(if forward { Step::ForwardAll } else { Step::BackwardAll });
            }
            let rows = number(parser)?.unwrap_or(1);
            Ok(Step::Forward(if forward { rows } else { -rows }))
        }
        _ => Ok(Step::Forward(number(parser)?.unwrap_or(1))),
    }
}

fn number(parser: &mut Parser<'_>) -> Parsed<Option<i64>> {
    let negative = parser.consume_token(&Token::Minus);
    match parser.peek_token().token {
        Token::Number(..) => {
            let number = i64::try_from(parser.parse_literal_uint()?).unwrap_or(i64::MAX);
            Ok(Some(if negative { -number } else { number }))
        }
        _ if negative => unexpected(parser),
        _ => Ok(None),
    }
}

fn close(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    if take(parser, "all") {
        return Ok(Body::Close(None));
    }
    name(parser).map(|name| Body::Close(Some(name)))
}

fn prepare(parser: &mut Parser<'_>, source: &Arc<Source>) -> Parsed<Body> {
    parser.next_token();
    let name = name(parser)?;
    let mut types = Vec::new();
    if parser.consume_token(&Token::LParen) {
        types = parser.parse_comma_separated(Parser::parse_data_type)?;
        parser.expect_token(&Token::RParen)?;
    }
    expect(parser, "as")?;
    let statement = Box::new(text::rest_as_statement(parser, source)?);
    Ok(Body::Prepare { name, types, statement })
}

fn execute(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    let name = name(parser)?;
    let mut arguments = Vec::new();
    if parser.consume_token(&Token::LParen) {
        if parser.peek_token().token != Token::RParen {
            arguments = parser.parse_comma_separated(Parser::parse_expr)?;
        }
        parser.expect_token(&Token::RParen)?;
    }
    Ok(Body::Execute { name, arguments })
}

fn deallocate(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    take(parser, "prepare");
    if take(parser, "all") {
        return Ok(Body::Deallocate(None));
    }
    name(parser).map(|name| Body::Deallocate(Some(name)))
}

/// `TABLE t` is `SELECT * FROM t` (manual: sql-select, TABLE Command).
/// `ALTER DEFAULT PRIVILEGES` (manual: sql-alterdefaultprivileges).
fn default_privileges(parser: &mut Parser<'_>) -> Parsed<DefaultPrivileges> {
    parser.next_token();
    parser.next_token();
    expect(parser, "privileges")?;
    let (mut roles, mut schemas) = (Vec::new(), Vec::new());
    loop {
        if take(parser, "for") {
            let _ = take(parser, "role") || take(parser, "user");
            roles = parser.parse_comma_separated(name)?;
        } else if take(parser, "in") {
            expect(parser, "schema")?;
            schemas = parser.parse_comma_separated(name)?;
        } else {
            break;
        }
    }
    if !matches!(word(parser, 0).as_str(), "grant" | "revoke") {
        return unexpected(parser);
    }
    let change = Box::new(parser.parse_statement()?);
    Ok(DefaultPrivileges { roles, schemas, change })
}

fn notification(parser: &mut Parser<'_>, first: &str) -> Parsed<Body> {
    parser.next_token();
    if first == "unlisten" && parser.consume_token(&Token::Mul) {
        return Ok(Body::Notification(Notification::Unlisten(None)));
    }
    let channel = name(parser)?;
    Ok(Body::Notification(match first {
        "listen" => Notification::Listen(channel),
        "unlisten" => Notification::Unlisten(Some(channel)),
        _ if parser.consume_token(&Token::Comma) => {
            Notification::Notify(channel, parser.parse_literal_string()?)
        }
        _ => Notification::Notify(channel, String::new()),
    }))
}

pub(super) fn skip_rest(parser: &mut Parser<'_>) {
    while !at_end(parser) {
        parser.next_token();
    }
}

/// Keyword of sqlparser for `IF EXISTS` and `IF NOT EXISTS`.
pub(super) fn if_exists(parser: &mut Parser<'_>) -> bool {
    parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS])
}

/// Name of an object, for statements that keep it.
pub(super) fn object_name(parser: &mut Parser<'_>) -> Parsed<ast::ObjectName> {
    parser.parse_object_name(false)
}
