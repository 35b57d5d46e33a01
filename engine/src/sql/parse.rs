//! Splits a string into statements and parses each.

use std::sync::Arc;

use sqlparser::ast::{self, DescribeAlias};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::place::Source;
use super::{Body, Explain, Statement, mended, own, settled};
use crate::error::{Error, Result};

/// PostgreSQL's dialect.
pub const DIALECT: PostgreSqlDialect = PostgreSqlDialect {};

/// Deepest nesting of parentheses and operators that is parsed (54001 beyond).
const DEPTH_MAX: usize = 200;

/// Parses a string of statements separated by semicolons. A string without any statement gives
/// one [`Body::Empty`].
///
/// # Errors
/// 42601 with the position of the token that does not fit.
pub fn parse(text: &str) -> Result<Vec<Statement>> {
    let source = Arc::new(Source { text: text.to_owned() });
    let tokens = Tokenizer::new(&DIALECT, text)
        .tokenize_with_location()
        .map_err(|error| tokenizer_error(&error.message, &source, error.location))?;
    let mut statements = Vec::new();
    for piece in tokens.split(|token| token.token == Token::SemiColon) {
        if piece.iter().all(|token| matches!(token.token, Token::Whitespace(_) | Token::EOF)) {
            continue;
        }
        statements.push(statement(piece.to_vec(), &source)?);
    }
    if statements.is_empty() {
        statements.push(Statement { body: Arc::new(Body::Empty), text: "".into(), source });
    }
    Ok(statements)
}

/// Parses the tokens of one statement.
pub(super) fn statement(tokens: Vec<TokenWithSpan>, source: &Arc<Source>) -> Result<Statement> {
    let text = text_of(&tokens, source);
    let mut parser = Parser::new(&DIALECT)
        .with_recursion_limit(DEPTH_MAX)
        .with_tokens_with_locations(mended::mended(&tokens));
    let body =
        body(&mut parser, source).map_err(|error| parser_error(&error, source, &mut parser))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        return Err(unexpected(&rest, source));
    }
    Ok(Statement { body: Arc::new(body), text: text.into(), source: Arc::clone(source) })
}

/// Parses one expression: defaults, checks, arguments kept in the catalog.
///
/// # Errors
/// 42601.
pub fn expression(text: &str) -> Result<ast::Expr> {
    let source = Source { text: text.to_owned() };
    let mut parser = parser_of(text)?;
    let parsed = parser.parse_expr().map_err(|error| parser_error(&error, &source, &mut parser))?;
    nothing_more(&mut parser, &source)?;
    Ok(parsed)
}

/// Parses the name of a type.
///
/// # Errors
/// 42601.
pub fn data_type(text: &str) -> Result<ast::DataType> {
    let source = Source { text: text.to_owned() };
    let mut parser = parser_of(text)?;
    let parsed = parser.parse_data_type();
    parsed.map_err(|error| parser_error(&error, &source, &mut parser))
}

/// Refuses what stands behind the whole, but for semicolons.
fn nothing_more(parser: &mut Parser<'_>, source: &Source) -> Result<()> {
    while parser.consume_token(&Token::SemiColon) {}
    let rest = parser.peek_token();
    match rest.token {
        Token::EOF => Ok(()),
        _ => Err(unexpected(&rest, source)),
    }
}

/// Parses one query: a view's definition kept in the catalog.
///
/// # Errors
/// 42601.
pub fn query(text: &str) -> Result<ast::Query> {
    let source = Source { text: text.to_owned() };
    let mut parser = parser_of(text)?;
    let parsed = parser.parse_query();
    let parsed = parsed.map_err(|error| parser_error(&error, &source, &mut parser))?;
    nothing_more(&mut parser, &source)?;
    Ok(*parsed)
}

fn parser_of(text: &str) -> Result<Parser<'static>> {
    let tokens = Tokenizer::new(&DIALECT, text)
        .tokenize_with_location()
        .map_err(|error| Error::new("42601", error.to_string()))?;
    Ok(Parser::new(&DIALECT)
        .with_recursion_limit(DEPTH_MAX)
        .with_tokens_with_locations(mended::mended(&tokens)))
}

fn body(parser: &mut Parser<'_>, source: &Arc<Source>) -> Result<Body, ParserError> {
    if let Some(own) = own::parse(parser, source)? {
        return Ok(own);
    }
    Ok(match parser.parse_statement()? {
        ast::Statement::Call(function) => Body::Call(function),
        ast::Statement::Explain { describe_alias: DescribeAlias::Explain, .. } => {
            return Err(ParserError::ParserError("EXPLAIN in this place".to_owned()));
        }
        other => settled::settled(other)?,
    })
}

/// `EXPLAIN` around the rest of the tokens.
pub(super) fn explain(
    parser: &mut Parser<'_>,
    source: &Arc<Source>,
    (analyze, verbose, json): (bool, bool, bool),
) -> Result<Body, ParserError> {
    let statement = Box::new(rest_as_statement(parser, source)?);
    Ok(Body::Explain(Explain { analyze, verbose, json, statement }))
}

/// The remaining tokens as a statement of their own.
pub(super) fn rest_as_statement(
    parser: &mut Parser<'_>,
    source: &Arc<Source>,
) -> Result<Statement, ParserError> {
    let start = parser.peek_token().span.start;
    let body = body(parser, source)?;
    let text = source.text[source.offset(start)..].trim_end_matches(';').trim_end();
    Ok(Statement { body: Arc::new(body), text: text.into(), source: Arc::clone(source) })
}

pub(super) fn text_of(tokens: &[TokenWithSpan], source: &Source) -> String {
    let solid = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_) | Token::EOF);
    let Some(first) = tokens.iter().find(solid) else { return String::new() };
    let Some(last) = tokens.iter().rev().find(solid) else { return String::new() };
    let (start, end) = (source.offset(first.span.start), source.offset(last.span.end));
    source.text.get(start..end.max(start)).unwrap_or_default().to_owned()
}

fn tokenizer_error(message: &str, source: &Source, location: Location) -> Error {
    let position = source.position(location);
    if message.contains("Unterminated string") {
        return Error::new("42601", "unterminated quoted string").at(position);
    }
    if message.contains("multi-line comment") {
        return Error::new("42601", "unterminated /* comment").at(position);
    }
    Error::new("42601", format!("syntax error: {}", message.to_lowercase())).at(position)
}

/// Puts a parser's complaint into PostgreSQL's words: `syntax error at or near "x"`.
fn parser_error(error: &ParserError, source: &Source, parser: &mut Parser<'_>) -> Error {
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return Error::new("54001", "stack depth limit exceeded")
                .with_hint("Simplify the statement: its expressions are nested too deeply.");
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    if let Some((_, found)) = message.split_once("found: ") {
        let (token, place) = found.rsplit_once(" at Line: ").unwrap_or((found, ""));
        if token == "EOF" {
            return at_end(source);
        }
        let mut numbers = place.split(", Column: ").filter_map(|text| text.trim().parse().ok());
        let location = match (numbers.next(), numbers.next()) {
            (Some(line), Some(column)) => Location { line, column },
            _ => parser.peek_token().span.start,
        };
        return near(token, source.position(location));
    }
    let next = parser.peek_token();
    if let Some(text) = message.strip_prefix("!") {
        let sqlstate = if text.ends_with(" is not supported") { "0A000" } else { "42601" };
        return Error::new(sqlstate, text.to_owned()).at(source.position(next.span.start));
    }
    unexpected(&next, source)
}

fn unexpected(token: &TokenWithSpan, source: &Source) -> Error {
    match token.token {
        Token::EOF | Token::SemiColon => at_end(source),
        _ => near(&token.token.to_string(), source.position(token.span.start)),
    }
}

fn near(token: &str, position: Option<usize>) -> Error {
    Error::new("42601", format!("syntax error at or near \"{token}\"")).at(position)
}

fn at_end(source: &Source) -> Error {
    let end = source.text.trim_end().trim_end_matches(';').chars().count() + 1;
    Error::new("42601", "syntax error at end of input").at(Some(end))
}
