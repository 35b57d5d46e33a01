//! Actions of `ALTER TABLE` on how PostgreSQL keeps a table on disk (manual: sql-altertable). They are
//! checked and change nothing: files here are kept in one way.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::own::{at_end, expect, name, setting_value, take, unexpected, word};
use super::place::folded;

type Parsed<T> = Result<T, ParserError>;

/// What must be there for such actions.
#[derive(Debug, Clone, Default)]
pub struct StorageChange {
    /// Storage parameters that are set or reset.
    pub parameters: Vec<String>,
    /// Columns.
    pub columns: Vec<String>,
    /// Triggers, by name.
    pub triggers: Vec<String>,
    /// Indexes.
    pub indexes: Vec<String>,
}

/// Reads an ALTER TABLE of nothing else; `None` (nothing consumed) for any other.
pub(super) fn alter(parser: &mut Parser<'_>) -> Parsed<Option<(ObjectName, bool, StorageChange)>> {
    parser.maybe_parse(|parser| {
        expect(parser, "alter")?;
        expect(parser, "table")?;
        let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
        take(parser, "only");
        let table = parser.parse_object_name(false)?;
        let mut change = StorageChange::default();
        loop {
            action(parser, &mut change)?;
            if at_end(parser) {
                return Ok((table, if_exists, change));
            }
            parser.expect_token(&Token::Comma)?;
        }
    })
}

fn action(parser: &mut Parser<'_>, change: &mut StorageChange) -> Parsed<()> {
    let first = parser.parse_identifier().map(|ident| folded(&ident))?;
    match first.as_str() {
        "set" if parser.peek_token().token == Token::LParen => {
            parameters(parser, &mut change.parameters)
        }
        "reset" => parameters(parser, &mut change.parameters),
        "set" => match name(parser)?.as_str() {
            "logged" | "unlogged" => Ok(()),
            "without" => name(parser).map(drop),
            _ => unexpected(parser),
        },
        "cluster" => {
            expect(parser, "on")?;
            name(parser).map(|index| change.indexes.push(index))
        }
        "replica" => replica_identity(parser, change),
        "enable" | "disable" => {
            let _ = take(parser, "replica") || take(parser, "always");
            expect(parser, "trigger")?;
            if !take(parser, "all") && !take(parser, "user") {
                change.triggers.push(name(parser)?);
            }
            Ok(())
        }
        "alter" => {
            take(parser, "column");
            change.columns.push(name(parser)?);
            column(parser)
        }
        _ => unexpected(parser),
    }
}

fn replica_identity(parser: &mut Parser<'_>, change: &mut StorageChange) -> Parsed<()> {
    expect(parser, "identity")?;
    if take(parser, "using") {
        expect(parser, "index")?;
        return name(parser).map(|index| change.indexes.push(index));
    }
    match ["default", "full", "nothing"].iter().any(|word| take(parser, word)) {
        true => Ok(()),
        false => unexpected(parser),
    }
}

fn column(parser: &mut Parser<'_>) -> Parsed<()> {
    // Parameters of a column are estimates for another planner.
    let mut estimates = Vec::new();
    if take(parser, "reset") {
        return parameters(parser, &mut estimates);
    }
    expect(parser, "set")?;
    match word(parser, 0).as_str() {
        "storage" | "statistics" | "compression" => {
            parser.next_token();
            setting_value(parser).map(drop)
        }
        "" => parameters(parser, &mut estimates),
        _ => unexpected(parser),
    }
}

/// `(name = value, …)`.
fn parameters(parser: &mut Parser<'_>, names: &mut Vec<String>) -> Parsed<()> {
    parser.expect_token(&Token::LParen)?;
    loop {
        let mut parameter: Ident = parser.parse_identifier()?;
        if parser.consume_token(&Token::Period) {
            parameter = Ident::new(format!("{parameter}.{}", parser.parse_identifier()?));
        }
        names.push(folded(&parameter));
        if parser.consume_token(&Token::Eq) {
            setting_value(parser)?;
        }
        if !parser.consume_token(&Token::Comma) {
            return parser.expect_token(&Token::RParen).map(drop);
        }
    }
}
