//! Statements about roles and membership (manual: user-manag).

use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::own::{expect, if_exists, name, setting_name, setting_values, take, unexpected, word};

type Parsed<T> = Result<T, ParserError>;

/// What is done with roles.
#[derive(Debug, Clone)]
pub enum RoleStatement {
    /// `CREATE ROLE`, `CREATE USER`.
    Create {
        /// Its name.
        name: String,
        /// Attributes.
        options: RoleOptions,
    },
    /// `ALTER ROLE name …`.
    Alter {
        /// Its name.
        name: String,
        /// Attributes that change.
        options: RoleOptions,
    },
    /// `ALTER ROLE name [IN DATABASE d] SET …`.
    Setting {
        /// Its name.
        name: String,
        /// `IN DATABASE`.
        database: Option<String>,
        /// What is set.
        change: SettingDefault,
    },
    /// `ALTER ROLE name RENAME TO other`.
    Rename {
        /// Its name.
        name: String,
        /// The new name.
        to: String,
    },
    /// `DROP ROLE`.
    Drop {
        /// Names.
        names: Vec<String>,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `GRANT role TO role`, `REVOKE role FROM role`.
    Membership {
        /// The roles that one becomes a member of.
        roles: Vec<String>,
        /// The members.
        members: Vec<String>,
        /// GRANT, not REVOKE.
        grant: bool,
        /// What a member shall not have: `INHERIT FALSE`, `SET FALSE`.
        without: Option<&'static str>,
    },
}

/// What becomes of a setting that sessions begin with.
#[derive(Debug, Clone)]
pub enum SettingDefault {
    /// `SET name = value`; `None`: `FROM CURRENT`.
    Set(String, Option<String>),
    /// `RESET name`, `SET name TO DEFAULT`.
    Reset(String),
    /// `RESET ALL`.
    ResetAll,
}

/// Attributes of a role; `None`: not mentioned.
#[derive(Debug, Clone, Default)]
pub struct RoleOptions {
    /// LOGIN.
    pub login: Option<bool>,
    /// SUPERUSER.
    pub superuser: Option<bool>,
    /// CREATEDB.
    pub create_database: Option<bool>,
    /// CREATEROLE.
    pub create_role: Option<bool>,
    /// BYPASSRLS, NOBYPASSRLS.
    pub bypasses_row_security: Option<bool>,
    /// INHERIT.
    pub inherit: Option<bool>,
    /// PASSWORD; the inner `None`: `NULL`.
    pub password: Option<Option<String>>,
    /// CONNECTION LIMIT.
    pub connection_limit: Option<i32>,
    /// VALID UNTIL, as it was written.
    pub valid_until: Option<String>,
    /// IN ROLE.
    pub in_roles: Vec<String>,
}

/// Reads a statement about roles; `None` (nothing consumed) for GRANT and REVOKE of privileges.
pub(super) fn parse(parser: &mut Parser<'_>) -> Parsed<Option<RoleStatement>> {
    match word(parser, 0).as_str() {
        "grant" | "revoke" => membership(parser),
        verb => {
            let verb = verb.to_owned();
            parser.next_token();
            let user = word(parser, 0) == "user";
            if user && word(parser, 1) == "mapping" {
                parser.prev_token();
                return Ok(None);
            }
            parser.next_token();
            statement(parser, &verb, user).map(Some)
        }
    }
}

fn statement(parser: &mut Parser<'_>, verb: &str, user: bool) -> Parsed<RoleStatement> {
    if verb == "drop" {
        let if_exists = if_exists(parser);
        return Ok(RoleStatement::Drop { names: parser.parse_comma_separated(name)?, if_exists });
    }
    let name = name(parser)?;
    if verb == "alter" && take(parser, "rename") {
        expect(parser, "to")?;
        return Ok(RoleStatement::Rename { name, to: self::name(parser)? });
    }
    if verb == "alter" {
        let database = match word(parser, 0) == "in" && word(parser, 1) == "database" {
            true => {
                parser.next_token();
                parser.next_token();
                Some(self::name(parser)?)
            }
            false => None,
        };
        if let Some(change) = setting_default(parser)? {
            return Ok(RoleStatement::Setting { name, database, change });
        }
    }
    take(parser, "with");
    let mut options = options(parser)?;
    match verb {
        "create" => {
            options.login = options.login.or(Some(user));
            Ok(RoleStatement::Create { name, options })
        }
        _ => Ok(RoleStatement::Alter { name, options }),
    }
}

fn options(parser: &mut Parser<'_>) -> Parsed<RoleOptions> {
    let mut options = RoleOptions::default();
    loop {
        let option = word(parser, 0);
        if option.is_empty() {
            return Ok(options);
        }
        parser.next_token();
        match option.as_str() {
            "login" => options.login = Some(true),
            "nologin" => options.login = Some(false),
            "superuser" => options.superuser = Some(true),
            "nosuperuser" => options.superuser = Some(false),
            "createdb" => options.create_database = Some(true),
            "nocreatedb" => options.create_database = Some(false),
            "createrole" => options.create_role = Some(true),
            "nocreaterole" => options.create_role = Some(false),
            "inherit" => options.inherit = Some(true),
            "noinherit" => options.inherit = Some(false),
            "bypassrls" => options.bypasses_row_security = Some(true),
            "nobypassrls" => options.bypasses_row_security = Some(false),
            "replication" | "noreplication" | "encrypted" => {}
            "password" if take(parser, "null") => options.password = Some(None),
            "password" => options.password = Some(Some(parser.parse_literal_string()?)),
            "connection" => {
                expect(parser, "limit")?;
                let negative = parser.consume_token(&Token::Minus);
                let limit = i32::try_from(parser.parse_literal_uint()?).unwrap_or(i32::MAX);
                options.connection_limit = Some(if negative { -limit } else { limit });
            }
            "valid" => {
                expect(parser, "until")?;
                options.valid_until = Some(parser.parse_literal_string()?);
            }
            "in" => {
                let _ = take(parser, "role") || take(parser, "group");
                options.in_roles = parser.parse_comma_separated(name)?;
            }
            _ => {
                parser.prev_token();
                return unexpected(parser);
            }
        }
    }
}

/// `SET name = value`, `RESET name`; `None` when neither comes.
pub(super) fn setting_default(parser: &mut Parser<'_>) -> Parsed<Option<SettingDefault>> {
    if take(parser, "reset") {
        return Ok(Some(match take(parser, "all") {
            true => SettingDefault::ResetAll,
            false => SettingDefault::Reset(setting_name(parser)?),
        }));
    }
    if !take(parser, "set") {
        return Ok(None);
    }
    let name = match word(parser, 0) == "time" && word(parser, 1) == "zone" {
        true => {
            parser.next_token();
            parser.next_token();
            return Ok(Some(SettingDefault::of("timezone".to_owned(), setting_values(parser)?)));
        }
        false => setting_name(parser)?,
    };
    if take(parser, "from") {
        expect(parser, "current")?;
        return Ok(Some(SettingDefault::Set(name, None)));
    }
    if !parser.consume_token(&Token::Eq) {
        expect(parser, "to")?;
    }
    Ok(Some(SettingDefault::of(name, setting_values(parser)?)))
}

impl SettingDefault {
    fn of(name: String, values: Option<Vec<String>>) -> Self {
        match values {
            Some(values) => Self::Set(name, Some(values.join(", "))),
            None => Self::Reset(name),
        }
    }
}

/// `GRANT a, b TO c`: no ON before TO tells it from a grant of privileges.
fn membership(parser: &mut Parser<'_>) -> Parsed<Option<RoleStatement>> {
    let end = (0..).map(|ahead| parser.peek_nth_token(ahead).token).find_map(|token| match token {
        Token::Word(word) => match word.value.to_lowercase().as_str() {
            "on" => Some(false),
            "to" | "from" => Some(true),
            _ => None,
        },
        Token::EOF => Some(false),
        _ => None,
    });
    if end != Some(true) {
        return Ok(None);
    }
    let grant = take(parser, "grant") || !take(parser, "revoke");
    let roles = parser.parse_comma_separated(name)?;
    let _ = take(parser, "to") || take(parser, "from");
    let members = parser.parse_comma_separated(name)?;
    let without = if take(parser, "with") { withheld(parser)? } else { None };
    Ok(Some(RoleStatement::Membership { roles, members, grant, without }))
}

/// `ADMIN OPTION`, `ADMIN TRUE, INHERIT FALSE` (manual: sql-grant).
fn withheld(parser: &mut Parser<'_>) -> Parsed<Option<&'static str>> {
    let mut found = None;
    for option in parser.parse_comma_separated(|parser| Ok((name(parser)?, name(parser)?)))? {
        found = found.or(match (option.0.as_str(), option.1.as_str()) {
            ("inherit", "false") => Some("INHERIT FALSE"),
            ("set", "false") => Some("SET FALSE"),
            _ => None,
        });
    }
    Ok(found)
}
