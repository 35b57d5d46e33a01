//! Definitions that sqlparser reads only in part: `ALTER VIEW | SEQUENCE | INDEX | DOMAIN |
//! DATABASE`, `ALTER TABLE … SET SCHEMA`, options in any order, `CREATE DOMAIN … NOT NULL`.

use sqlparser::ast::{
    CheckConstraint, ColumnOption, CreateDomain, Expr, FunctionDesc, Ident, ObjectName,
    OperateFunctionArg, Owner, TableConstraint,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::Body;
use super::own::{at_end, expect, if_exists, name, setting_value, take, unexpected, word};
use super::roles::{SettingDefault, setting_default};
use super::sequences::{self, IdentityChange, SequenceChange};
use super::storage::{self, StorageChange};

type Parsed<T> = Result<T, ParserError>;

/// How many words are looked at ahead: more than the longest beginning that tells.
const AHEAD: usize = 24;

/// A definition that is made or changed.
#[derive(Debug, Clone)]
pub enum Definition {
    /// `ALTER TABLE | VIEW | MATERIALIZED VIEW | SEQUENCE | INDEX name …`.
    Relation {
        /// `TABLE`, `VIEW` … as the tag says it.
        kind: &'static str,
        /// Its name.
        name: ObjectName,
        /// IF EXISTS.
        if_exists: bool,
        /// What changes.
        change: Change,
    },
    /// `CREATE DOMAIN`.
    CreateDomain {
        /// All but NOT NULL.
        create: Box<CreateDomain>,
        /// NOT NULL.
        not_null: bool,
    },
    /// `ALTER DOMAIN`, `ALTER TYPE`.
    Domain {
        /// Its name.
        name: ObjectName,
        /// What changes.
        change: Change,
    },
    /// `CREATE DATABASE`.
    CreateDatabase {
        /// Its name.
        name: String,
        /// OWNER.
        owner: Option<Owner>,
    },
    /// `CREATE TABLE name (LIKE source INCLUDING …)`.
    CreateTableLike {
        /// Its name.
        name: ObjectName,
        /// TEMPORARY.
        temporary: bool,
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// The table that it is like.
        source: ObjectName,
        /// What is taken over beside names, types and NOT NULL.
        including: Including,
    },
    /// `DROP DATABASE`.
    DropDatabase {
        /// Its name.
        name: String,
        /// IF EXISTS.
        if_exists: bool,
        /// `WITH (FORCE)`: its sessions are ended.
        force: bool,
    },
    /// `ALTER DATABASE`.
    Database {
        /// Its name.
        name: String,
        /// What changes.
        change: Change,
    },
    /// `COMMENT ON CONSTRAINT name ON table IS …`.
    CommentOnConstraint {
        /// The constraint.
        name: String,
        /// Its table.
        table: ObjectName,
        /// The text; `None`: NULL.
        comment: Option<String>,
    },
    /// `ALTER FUNCTION name [(types)] …`.
    Function {
        /// The function.
        function: FunctionDesc,
        /// What changes.
        change: Change,
    },
    /// `COMMENT ON FUNCTION name [(types)] IS …`.
    CommentOnFunction {
        /// The function.
        function: FunctionDesc,
        /// The text; `None`: NULL.
        comment: Option<String>,
    },
}

/// What `LIKE` takes over (manual: sql-createtable).
#[derive(Debug, Clone, Copy, Default)]
pub struct Including {
    /// COMMENTS.
    pub comments: bool,
    /// CONSTRAINTS: CHECK.
    pub constraints: bool,
    /// DEFAULTS.
    pub defaults: bool,
    /// GENERATED.
    pub generated: bool,
    /// IDENTITY.
    pub identity: bool,
    /// INDEXES: keys and indexes.
    pub indexes: bool,
}

/// What an ALTER changes.
#[derive(Debug, Clone)]
pub enum Change {
    /// `RENAME TO`.
    Rename(String),
    /// `RENAME COLUMN a TO b`.
    RenameColumn(Ident, Ident),
    /// `OWNER TO`.
    Owner(Owner),
    /// `SET SCHEMA`.
    Schema(String),
    /// `SET (name = value, …)`, `RESET (name, …)`: no value.
    Options(Vec<(String, Option<String>)>),
    /// Options of a sequence.
    Sequence(SequenceChange),
    /// `ALTER COLUMN … ADD GENERATED`, `SET GENERATED`, `DROP IDENTITY`.
    Identity(IdentityChange),
    /// `SET DEFAULT`; `None`: `DROP DEFAULT`.
    Default(Option<Expr>),
    /// `SET NOT NULL`, `DROP NOT NULL`.
    NotNull(bool),
    /// `DROP CONSTRAINT [IF EXISTS] name`.
    DropConstraint(String, bool),
    /// `ADD VALUE` of an enumerated type.
    Label(NewLabel),
    /// `SET`, `RESET` of a database.
    Setting(SettingDefault),
    /// How a table is stored.
    Storage(StorageChange),
    /// `ADD CONSTRAINT` of a domain: its name, where it has one, and the condition.
    AddCheck(Option<String>, Expr),
    /// `RENAME VALUE a TO b` of an enumerated type.
    RenameLabel(String, String),
}

/// A value that an enumerated type gets.
#[derive(Debug, Clone)]
pub struct NewLabel {
    /// The value.
    pub label: String,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// `BEFORE` (true) or `AFTER` another one; `None`: last.
    pub beside: Option<(String, bool)>,
}

/// Reads one of them; `None` (nothing consumed) when it is sqlparser's to read.
pub(super) fn parse(parser: &mut Parser<'_>) -> Parsed<Option<Body>> {
    let words: Vec<String> = (0..AHEAD).map(|ahead| word(parser, ahead)).collect();
    let start: Vec<&str> = words.iter().take(3).map(String::as_str).collect();
    let definition = match start.as_slice() {
        ["create", "domain", _] => create_domain(parser)?,
        ["create", "database", _] => create_database(parser)?,
        ["create", "sequence", _] => return sequences::create(parser, false).map(Some),
        ["create", "temp" | "temporary", "sequence"] => {
            return sequences::create(parser, true).map(Some);
        }
        ["create", "table" | "temp" | "temporary" | "unlogged", _] => {
            let Some(definition) = create_table_like(parser)? else { return Ok(None) };
            definition
        }
        ["drop", "database", _] => drop_database(parser)?,
        ["comment", "on", "constraint"] => comment_on_constraint(parser)?,
        ["comment", "on", "function"] => comment_on_function(parser)?,
        ["alter", "database", _] => alter_database(parser)?,
        ["alter", "function" | "procedure" | "routine", _] => alter_function(parser)?,
        ["alter", "domain" | "type", _] => alter_domain(parser)?,
        ["alter", "sequence", _] => alter_relation(parser, "SEQUENCE")?,
        ["alter", "index", _] => alter_relation(parser, "INDEX")?,
        ["alter", "materialized", "view"] => alter_relation(parser, "MATERIALIZED VIEW")?,
        ["alter", "view", _] if !is_alter_view_as(&words) => alter_relation(parser, "VIEW")?,
        ["alter", "table", _] if words.windows(2).any(|pair| pair == ["set", "schema"]) => {
            alter_relation(parser, "TABLE")?
        }
        ["alter", "table", _] if words.windows(3).any(sequences::changes_identity) => {
            alter_relation(parser, "TABLE")?
        }
        ["alter", "table", _] => match storage::alter(parser)? {
            Some((name, if_exists, change)) => {
                let change = Change::Storage(change);
                Definition::Relation { kind: "TABLE", name, if_exists, change }
            }
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(Body::Definition(Box::new(definition))))
}

fn is_alter_view_as(words: &[String]) -> bool {
    let known = ["rename", "owner", "set", "reset", "alter"];
    !words.iter().skip(1).any(|word| known.contains(&word.as_str()))
}

fn skip(parser: &mut Parser<'_>, count: usize) {
    for _ in 0..count {
        parser.next_token();
    }
}

fn alter_relation(parser: &mut Parser<'_>, kind: &'static str) -> Parsed<Definition> {
    skip(parser, 1 + kind.split(' ').count());
    let if_exists = if_exists(parser);
    take(parser, "only");
    let name = parser.parse_object_name(false)?;
    let change = match kind {
        "SEQUENCE" => match change(parser)? {
            Some(change) => change,
            None => Change::Sequence(sequences::options(parser)?),
        },
        _ => match change(parser)? {
            Some(change) => change,
            None if kind != "INDEX" => options(parser)?,
            None => return unexpected(parser),
        },
    };
    Ok(Definition::Relation { kind, name, if_exists, change })
}

/// What every kind of object can have changed.
fn change(parser: &mut Parser<'_>) -> Parsed<Option<Change>> {
    if take(parser, "rename") {
        if take(parser, "to") {
            return name(parser).map(Change::Rename).map(Some);
        }
        take(parser, "column");
        let from = parser.parse_identifier()?;
        expect(parser, "to")?;
        return Ok(Some(Change::RenameColumn(from, parser.parse_identifier()?)));
    }
    if take(parser, "owner") {
        expect(parser, "to")?;
        return parser.parse_owner().map(Change::Owner).map(Some);
    }
    if word(parser, 0) == "set" && word(parser, 1) == "schema" {
        skip(parser, 2);
        return name(parser).map(Change::Schema).map(Some);
    }
    if word(parser, 0) == "alter" {
        return sequences::identity(parser).map(Change::Identity).map(Some);
    }
    Ok(None)
}

/// `SET (refresh = '5 minutes', security_invoker)`, `RESET (refresh)`.
fn options(parser: &mut Parser<'_>) -> Parsed<Change> {
    let set = take(parser, "set");
    if !set {
        expect(parser, "reset")?;
    }
    parser.expect_token(&Token::LParen)?;
    let mut options = Vec::new();
    loop {
        let option = name(parser)?;
        let value = match set && parser.consume_token(&Token::Eq) {
            true => Some(setting_value(parser)?),
            false => set.then(|| "true".to_owned()),
        };
        options.push((option, value));
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RParen)?;
            return Ok(Change::Options(options));
        }
    }
}

fn alter_domain(parser: &mut Parser<'_>) -> Parsed<Definition> {
    skip(parser, 2);
    let domain = parser.parse_object_name(false)?;
    if word(parser, 0) == "rename" && word(parser, 1) == "value" {
        skip(parser, 2);
        let from = parser.parse_literal_string()?;
        expect(parser, "to")?;
        let change = Change::RenameLabel(from, parser.parse_literal_string()?);
        return Ok(Definition::Domain { name: domain, change });
    }
    if let Some(change) = change(parser)? {
        return Ok(Definition::Domain { name: domain, change });
    }
    if take(parser, "add") {
        if matches!(word(parser, 0).as_str(), "constraint" | "check") {
            let label = if take(parser, "constraint") { Some(name(parser)?) } else { None };
            expect(parser, "check")?;
            parser.expect_token(&Token::LParen)?;
            let condition = parser.parse_expr()?;
            parser.expect_token(&Token::RParen)?;
            let change = Change::AddCheck(label, condition);
            return Ok(Definition::Domain { name: domain, change });
        }
        expect(parser, "value")?;
        let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
        let label = parser.parse_literal_string()?;
        let beside = match word(parser, 0).as_str() {
            side @ ("before" | "after") => {
                parser.next_token();
                Some((parser.parse_literal_string()?, side == "before"))
            }
            _ => None,
        };
        let change = Change::Label(NewLabel { label, if_not_exists, beside });
        return Ok(Definition::Domain { name: domain, change });
    }
    let set = take(parser, "set");
    if !set {
        expect(parser, "drop")?;
    }
    let change = match word(parser, 0).as_str() {
        "default" => {
            parser.next_token();
            Change::Default(if set { Some(parser.parse_expr()?) } else { None })
        }
        "not" => {
            parser.next_token();
            expect(parser, "null")?;
            Change::NotNull(set)
        }
        "constraint" if !set => {
            parser.next_token();
            let if_exists = if_exists(parser);
            Change::DropConstraint(name(parser)?, if_exists)
        }
        _ => return unexpected(parser),
    };
    Ok(Definition::Domain { name: domain, change })
}

fn create_domain(parser: &mut Parser<'_>) -> Parsed<Definition> {
    skip(parser, 2);
    let domain = parser.parse_object_name(false)?;
    take(parser, "as");
    let data_type = parser.parse_data_type()?;
    let mut create = CreateDomain {
        name: domain,
        data_type,
        collation: None,
        default: None,
        constraints: Vec::new(),
    };
    let mut not_null = false;
    loop {
        let label = match take(parser, "constraint") {
            true => Some(parser.parse_identifier()?),
            false => None,
        };
        match parser.parse_optional_column_option()? {
            Some(ColumnOption::NotNull) => not_null = true,
            Some(ColumnOption::Null | ColumnOption::Collation(_)) => {}
            Some(ColumnOption::Default(expr)) => create.default = Some(expr),
            Some(ColumnOption::Check(check)) => {
                let check = CheckConstraint { name: label.or(check.name), ..check };
                create.constraints.push(TableConstraint::Check(check));
            }
            Some(_) => return unexpected(parser),
            None if label.is_some() => return unexpected(parser),
            None => return Ok(Definition::CreateDomain { create: Box::new(create), not_null }),
        }
    }
}

fn create_database(parser: &mut Parser<'_>) -> Parsed<Definition> {
    skip(parser, 2);
    let database = name(parser)?;
    take(parser, "with");
    let mut owner = None;
    while let Token::Word(_) = parser.peek_token().token {
        let option = name(parser)?;
        let _ = parser.consume_token(&Token::Eq);
        match option.as_str() {
            "owner" => owner = Some(parser.parse_owner()?),
            "connection" => {
                expect(parser, "limit")?;
                let _ = parser.consume_token(&Token::Eq);
                parser.parse_number()?;
            }
            // One encoding, one collation, one place: what these say has no choice here.
            "template" | "encoding" | "locale" | "lc_collate" | "lc_ctype" | "tablespace"
            | "strategy" | "locale_provider" | "is_template" | "allow_connections" => {
                parser.next_token();
            }
            _ => {
                parser.prev_token();
                return unexpected(parser);
            }
        }
    }
    Ok(Definition::CreateDatabase { name: database, owner })
}

fn drop_database(parser: &mut Parser<'_>) -> Parsed<Definition> {
    skip(parser, 2);
    let if_exists = if_exists(parser);
    let database = name(parser)?;
    let mut force = false;
    take(parser, "with");
    if parser.consume_token(&Token::LParen) {
        expect(parser, "force")?;
        parser.expect_token(&Token::RParen)?;
        force = true;
    }
    Ok(Definition::DropDatabase { name: database, if_exists, force })
}

fn alter_database(parser: &mut Parser<'_>) -> Parsed<Definition> {
    skip(parser, 2);
    let name = name(parser)?;
    let change = match change(parser)? {
        Some(change) => Some(change),
        None => setting_default(parser)?.map(Change::Setting),
    };
    match change {
        Some(change) => Ok(Definition::Database { name, change }),
        None => unexpected(parser),
    }
}

fn comment_on_constraint(parser: &mut Parser<'_>) -> Parsed<Definition> {
    skip(parser, 3);
    let constraint = name(parser)?;
    expect(parser, "on")?;
    let table = parser.parse_object_name(false)?;
    let comment = comment(parser)?;
    Ok(Definition::CommentOnConstraint { name: constraint, table, comment })
}

fn alter_function(parser: &mut Parser<'_>) -> Parsed<Definition> {
    skip(parser, 2);
    let function = function(parser)?;
    match change(parser)? {
        Some(change) => Ok(Definition::Function { function, change }),
        None => unexpected(parser),
    }
}

fn comment_on_function(parser: &mut Parser<'_>) -> Parsed<Definition> {
    skip(parser, 3);
    let function = function(parser)?;
    let comment = comment(parser)?;
    Ok(Definition::CommentOnFunction { function, comment })
}

/// `name (types)`, `name`.
fn function(parser: &mut Parser<'_>) -> Parsed<FunctionDesc> {
    let name = parser.parse_object_name(false)?;
    let mut args = None;
    if parser.consume_token(&Token::LParen) {
        let types = match parser.peek_token().token {
            Token::RParen => Vec::new(),
            _ => parser.parse_comma_separated(Parser::parse_data_type)?,
        };
        parser.expect_token(&Token::RParen)?;
        args = Some(types.into_iter().map(OperateFunctionArg::unnamed).collect());
    }
    Ok(FunctionDesc { name, args })
}

/// `IS 'text'`, `IS NULL`.
fn comment(parser: &mut Parser<'_>) -> Parsed<Option<String>> {
    expect(parser, "is")?;
    match take(parser, "null") {
        true => Ok(None),
        false => parser.parse_literal_string().map(Some),
    }
}

/// `CREATE TABLE name (LIKE source …)`; `None` (nothing consumed) for any other CREATE TABLE.
fn create_table_like(parser: &mut Parser<'_>) -> Parsed<Option<Definition>> {
    let read = |parser: &mut Parser<'_>| {
        skip(parser, 1);
        let temporary = take(parser, "temp") || take(parser, "temporary");
        let _ = take(parser, "unlogged");
        expect(parser, "table")?;
        let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
        let name = parser.parse_object_name(false)?;
        parser.expect_token(&Token::LParen)?;
        expect(parser, "like")?;
        let source = parser.parse_object_name(false)?;
        let including = including(parser)?;
        parser.expect_token(&Token::RParen)?;
        Ok(Definition::CreateTableLike { name, temporary, if_not_exists, source, including })
    };
    // A list that goes on after it is read as columns are.
    match parser.maybe_parse(read)? {
        Some(definition) if at_end(parser) => Ok(Some(definition)),
        Some(_) => unexpected(parser),
        None => Ok(None),
    }
}

fn including(parser: &mut Parser<'_>) -> Parsed<Including> {
    let mut all = Including::default();
    loop {
        let on = match word(parser, 0).as_str() {
            "including" => true,
            "excluding" => false,
            _ => return Ok(all),
        };
        parser.next_token();
        match name(parser)?.as_str() {
            "comments" => all.comments = on,
            "constraints" => all.constraints = on,
            "defaults" => all.defaults = on,
            "generated" => all.generated = on,
            "identity" => all.identity = on,
            "indexes" => all.indexes = on,
            // Files are compressed and measured in one way.
            "compression" | "statistics" | "storage" => {}
            "all" => {
                all = Including {
                    comments: on,
                    constraints: on,
                    defaults: on,
                    generated: on,
                    identity: on,
                    indexes: on,
                }
            }
            _ => {
                parser.prev_token();
                return unexpected(parser);
            }
        }
    }
}
