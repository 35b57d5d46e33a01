//! `VACUUM`, `ANALYZE`, `CLUSTER`, `CHECKPOINT`, `REINDEX`, `LOCK` (manual: sql-vacuum and others).

use sqlparser::ast;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::own::{at_end, object_name, skip_rest, take};

type Parsed<T> = Result<T, ParserError>;

/// A statement about how tables are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// Its verb, and the tag that it is answered with.
    pub tag: &'static str,
    /// The tables that it names; empty: all that the role may maintain.
    pub tables: Vec<ast::ObjectName>,
    /// The index after which `CLUSTER` sorts.
    pub index: Option<ast::ObjectName>,
}

/// Reads the statement; its options ask for nothing that is done differently here.
pub(super) fn parse(parser: &mut Parser<'_>, tag: &'static str) -> Parsed<Maintenance> {
    let mut read = Maintenance { tag, tables: Vec::new(), index: None };
    parser.next_token();
    if !matches!(tag, "VACUUM" | "ANALYZE" | "CLUSTER") {
        skip_rest(parser);
        return Ok(read);
    }
    skip_parentheses(parser);
    while ["full", "freeze", "verbose", "analyze", "analyse"].iter().any(|one| take(parser, one)) {}
    while !at_end(parser) {
        read.tables.push(object_name(parser)?);
        skip_parentheses(parser);
        if tag == "CLUSTER" && take(parser, "using") {
            read.index = Some(object_name(parser)?);
        }
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    Ok(read)
}

fn skip_parentheses(parser: &mut Parser<'_>) {
    if !parser.consume_token(&Token::LParen) {
        return;
    }
    while !matches!(parser.next_token().token, Token::RParen | Token::EOF) {}
}
