//! Statements about foreign servers and foreign tables (manual: ddl-foreign-data).

use sqlparser::ast::{AlterTable, ColumnDef, ObjectName, Owner, Statement, TableConstraint};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::own::{expect, if_exists, name, take, unexpected, word};
use super::parse::DIALECT;

type Parsed<T> = Result<T, ParserError>;

/// A name and a value of `OPTIONS (…)`.
pub type ForeignOption = (String, String);

/// A statement about foreign servers or tables.
#[derive(Debug, Clone)]
pub enum ForeignStatement {
    /// `CREATE SERVER`.
    CreateServer(CreateServer),
    /// `ALTER SERVER`.
    AlterServer {
        /// The server.
        name: String,
        /// What changes.
        change: ServerChange,
    },
    /// `DROP SERVER`.
    DropServer(Names<String>),
    /// `CREATE FOREIGN TABLE`.
    CreateTable(CreateForeignTable),
    /// `ALTER FOREIGN TABLE name OPTIONS (…)`.
    AlterOptions {
        /// The table.
        name: ObjectName,
        /// IF EXISTS.
        if_exists: bool,
        /// What becomes of its options.
        changes: Vec<OptionChange>,
    },
    /// Any other `ALTER FOREIGN TABLE`: what `ALTER TABLE` does.
    AlterTable(Box<AlterTable>),
    /// `DROP FOREIGN TABLE`.
    DropTable(Names<ObjectName>),
    /// `COMMENT ON SERVER`.
    CommentOnServer(String, Option<String>),
    /// `COMMENT ON FOREIGN TABLE`.
    CommentOnTable(ObjectName, Option<String>),
    /// `GRANT`, `REVOKE … ON FOREIGN SERVER`, which stands as if the servers were tables.
    Privileges(Box<Statement>),
    /// `IMPORT FOREIGN SCHEMA`.
    Import(ImportSchema),
}

/// `CREATE SERVER`.
#[derive(Debug, Clone)]
pub struct CreateServer {
    /// Its name.
    pub name: String,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// TYPE.
    pub server_type: Option<String>,
    /// VERSION.
    pub version: Option<String>,
    /// FOREIGN DATA WRAPPER.
    pub wrapper: String,
    /// OPTIONS.
    pub options: Vec<ForeignOption>,
}

/// What an `ALTER SERVER` changes.
#[derive(Debug, Clone)]
pub enum ServerChange {
    /// `RENAME TO`.
    Rename(String),
    /// `OWNER TO`.
    Owner(Owner),
    /// `[VERSION '…'] [OPTIONS (…)]`.
    Definition(Option<String>, Vec<OptionChange>),
}

/// `CREATE FOREIGN TABLE`.
#[derive(Debug, Clone)]
pub struct CreateForeignTable {
    /// Its name.
    pub name: ObjectName,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// Its columns.
    pub columns: Vec<ColumnDef>,
    /// Its constraints.
    pub constraints: Vec<TableConstraint>,
    /// SERVER.
    pub server: String,
    /// OPTIONS.
    pub options: Vec<ForeignOption>,
}

/// What is dropped.
#[derive(Debug, Clone)]
pub struct Names<T> {
    /// By name.
    pub names: Vec<T>,
    /// IF EXISTS.
    pub if_exists: bool,
    /// CASCADE.
    pub cascade: bool,
}

/// What becomes of an option.
#[derive(Debug, Clone)]
pub enum OptionChange {
    /// `[ADD] name 'value'`.
    Add(ForeignOption),
    /// `SET name 'value'`.
    Set(ForeignOption),
    /// `DROP name`.
    Drop(String),
}

/// `IMPORT FOREIGN SCHEMA`.
#[derive(Debug, Clone)]
pub struct ImportSchema {
    /// The schema of the server: a directory.
    pub remote: String,
    /// `LIMIT TO` (true) or `EXCEPT` some tables.
    pub only: Option<(bool, Vec<String>)>,
    /// FROM SERVER.
    pub server: String,
    /// INTO.
    pub schema: String,
    /// OPTIONS.
    pub options: Vec<ForeignOption>,
}

/// Whether a statement of that first word may be one of them.
pub(super) fn may_begin(first: &str) -> bool {
    matches!(first, "create" | "alter" | "drop" | "import" | "comment" | "grant" | "revoke")
}

/// Reads one of them; `None` (nothing consumed) when it is another statement.
pub(super) fn parse(parser: &mut Parser<'_>) -> Parsed<Option<ForeignStatement>> {
    let words = [word(parser, 0), word(parser, 1), word(parser, 2), word(parser, 3)];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (count, read): (usize, fn(&mut Parser<'_>) -> Parsed<ForeignStatement>) =
        match words.as_slice() {
            ["create", "server", ..] => (2, create_server),
            ["alter", "server", ..] => (2, alter_server),
            ["drop", "server", ..] => (2, drop_server),
            ["create", "foreign", "table", _] => (3, create_table),
            ["alter", "foreign", "table", _] => (2, alter_table),
            ["drop", "foreign", "table", _] => (3, drop_table),
            ["import", "foreign", "schema", _] => (3, import),
            ["comment", "on", "server", _] => (3, comment_on_server),
            ["comment", "on", "foreign", "table"] => (4, comment_on_table),
            ["grant" | "revoke", ..] if is_on_server(parser) => (0, privileges),
            // Files have no users, and the one wrapper belongs to the system.
            [verb, "user", "mapping", _] => return unsupported(verb, "USER MAPPING"),
            [verb, "foreign", "data", "wrapper"] => {
                return unsupported(verb, "FOREIGN DATA WRAPPER");
            }
            _ => return Ok(None),
        };
    for _ in 0..count {
        parser.next_token();
    }
    read(parser).map(Some)
}

fn unsupported<T>(verb: &str, what: &str) -> Parsed<T> {
    let text = format!("!{} {what} is not supported", verb.to_uppercase());
    Err(ParserError::ParserError(text))
}

/// How many words go before `ON` in a grant of privileges on servers, at most.
const PRIVILEGES_MAX: usize = 16;

fn is_on_server(parser: &Parser<'_>) -> bool {
    let on = (1..PRIVILEGES_MAX).find(|ahead| word(parser, *ahead) == "on");
    on.is_some_and(|on| word(parser, on + 1) == "foreign" && word(parser, on + 2) == "server")
}

fn privileges(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    let mut tokens = Vec::new();
    loop {
        if word(parser, 0) == "foreign" && word(parser, 1) == "server" {
            parser.next_token();
            parser.next_token();
        }
        let token = parser.next_token();
        if token.token == Token::EOF {
            break;
        }
        tokens.push(token);
    }
    let mut inner = Parser::new(&DIALECT).with_tokens_with_locations(tokens);
    let statement = inner.parse_statement()?;
    match inner.peek_token().token {
        Token::EOF => Ok(ForeignStatement::Privileges(Box::new(statement))),
        _ => unexpected(&inner),
    }
}

fn if_not_exists(parser: &mut Parser<'_>) -> bool {
    parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS])
}

/// `OPTIONS (name 'value', …)`, where it stands.
fn options(parser: &mut Parser<'_>) -> Parsed<Vec<ForeignOption>> {
    if !take(parser, "options") {
        return Ok(Vec::new());
    }
    parser.expect_token(&Token::LParen)?;
    let options = parser.parse_comma_separated(option)?;
    parser.expect_token(&Token::RParen)?;
    Ok(options)
}

fn option(parser: &mut Parser<'_>) -> Parsed<ForeignOption> {
    Ok((name(parser)?, parser.parse_literal_string()?))
}

fn option_changes(parser: &mut Parser<'_>) -> Parsed<Vec<OptionChange>> {
    expect(parser, "options")?;
    parser.expect_token(&Token::LParen)?;
    let changes = parser.parse_comma_separated(|parser| match word(parser, 0).as_str() {
        "set" => {
            parser.next_token();
            option(parser).map(OptionChange::Set)
        }
        "drop" => {
            parser.next_token();
            name(parser).map(OptionChange::Drop)
        }
        _ => {
            take(parser, "add");
            option(parser).map(OptionChange::Add)
        }
    })?;
    parser.expect_token(&Token::RParen)?;
    Ok(changes)
}

fn text_after(parser: &mut Parser<'_>, keyword: &str) -> Parsed<Option<String>> {
    match take(parser, keyword) {
        true => parser.parse_literal_string().map(Some),
        false => Ok(None),
    }
}

fn create_server(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    let if_not_exists = if_not_exists(parser);
    let server = name(parser)?;
    let server_type = text_after(parser, "type")?;
    let version = text_after(parser, "version")?;
    for keyword in ["foreign", "data", "wrapper"] {
        expect(parser, keyword)?;
    }
    let wrapper = name(parser)?;
    let options = options(parser)?;
    let create =
        CreateServer { name: server, if_not_exists, server_type, version, wrapper, options };
    Ok(ForeignStatement::CreateServer(create))
}

fn alter_server(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    let server = name(parser)?;
    let change = if take(parser, "rename") {
        expect(parser, "to")?;
        ServerChange::Rename(name(parser)?)
    } else if take(parser, "owner") {
        expect(parser, "to")?;
        ServerChange::Owner(parser.parse_owner()?)
    } else {
        let version = text_after(parser, "version")?;
        let changes = match version.is_some() && word(parser, 0) != "options" {
            true => Vec::new(),
            false => option_changes(parser)?,
        };
        ServerChange::Definition(version, changes)
    };
    Ok(ForeignStatement::AlterServer { name: server, change })
}

/// `[IF EXISTS] name, … [CASCADE | RESTRICT]`.
fn dropped<T>(parser: &mut Parser<'_>, read: fn(&mut Parser<'_>) -> Parsed<T>) -> Parsed<Names<T>> {
    let if_exists = if_exists(parser);
    let names = parser.parse_comma_separated(read)?;
    let cascade = take(parser, "cascade");
    if !cascade {
        take(parser, "restrict");
    }
    Ok(Names { names, if_exists, cascade })
}

fn drop_server(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    dropped(parser, name).map(ForeignStatement::DropServer)
}

fn drop_table(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    dropped(parser, |parser| parser.parse_object_name(false)).map(ForeignStatement::DropTable)
}

fn create_table(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    let if_not_exists = if_not_exists(parser);
    let table = parser.parse_object_name(false)?;
    if parser.peek_token().token != Token::LParen {
        return unexpected(parser);
    }
    let (columns, constraints) = parser.parse_columns()?;
    expect(parser, "server")?;
    let server = name(parser)?;
    let options = options(parser)?;
    Ok(ForeignStatement::CreateTable(CreateForeignTable {
        name: table,
        if_not_exists,
        columns,
        constraints,
        server,
        options,
    }))
}

/// What follows `ALTER FOREIGN`.
fn alter_table(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    let options = parser.maybe_parse(|parser| {
        expect(parser, "table")?;
        let if_exists = if_exists(parser);
        let name = parser.parse_object_name(false)?;
        let changes = option_changes(parser)?;
        Ok(ForeignStatement::AlterOptions { name, if_exists, changes })
    })?;
    if let Some(options) = options {
        return Ok(options);
    }
    match parser.parse_alter()? {
        Statement::AlterTable(alter) => Ok(ForeignStatement::AlterTable(Box::new(alter))),
        _ => unexpected(parser),
    }
}

fn import(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    let remote = name(parser)?;
    let only = match word(parser, 0).as_str() {
        "limit" => {
            parser.next_token();
            expect(parser, "to")?;
            Some((true, names_in_parentheses(parser)?))
        }
        "except" => {
            parser.next_token();
            Some((false, names_in_parentheses(parser)?))
        }
        _ => None,
    };
    expect(parser, "from")?;
    expect(parser, "server")?;
    let server = name(parser)?;
    expect(parser, "into")?;
    let schema = name(parser)?;
    let options = options(parser)?;
    Ok(ForeignStatement::Import(ImportSchema { remote, only, server, schema, options }))
}

fn names_in_parentheses(parser: &mut Parser<'_>) -> Parsed<Vec<String>> {
    parser.expect_token(&Token::LParen)?;
    let names = parser.parse_comma_separated(name)?;
    parser.expect_token(&Token::RParen)?;
    Ok(names)
}

/// `IS 'text'`, `IS NULL`; no text is none.
fn comment(parser: &mut Parser<'_>) -> Parsed<Option<String>> {
    expect(parser, "is")?;
    match take(parser, "null") {
        true => Ok(None),
        false => Ok(Some(parser.parse_literal_string()?).filter(|text| !text.is_empty())),
    }
}

fn comment_on_server(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    let server = name(parser)?;
    Ok(ForeignStatement::CommentOnServer(server, comment(parser)?))
}

fn comment_on_table(parser: &mut Parser<'_>) -> Parsed<ForeignStatement> {
    let table = parser.parse_object_name(false)?;
    Ok(ForeignStatement::CommentOnTable(table, comment(parser)?))
}
