//! `COPY` with the options of PostgreSQL 17 (manual: sql-copy).

use sqlparser::ast::{self, Ident};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::Body;
use super::own::{expect, name, take, unexpected, word};

type Parsed<T> = Result<T, ParserError>;

/// Where COPY data come from or go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPlace {
    /// The client.
    Client,
    /// A file on the server.
    File(String),
}

/// `COPY table (columns) FROM …`.
#[derive(Debug, Clone)]
pub struct CopyFrom {
    /// The table.
    pub table: ast::ObjectName,
    /// Columns; empty: all.
    pub columns: Vec<Ident>,
    /// Where the data come from.
    pub place: CopyPlace,
    /// Options.
    pub options: CopyOptions,
}

/// `COPY table (columns) | (query) TO …`.
#[derive(Debug, Clone)]
pub struct CopyTo {
    /// What is copied, as a query.
    pub query: Box<ast::Query>,
    /// The table, when all of it is copied.
    pub table: Option<ast::ObjectName>,
    /// Where the data go.
    pub place: CopyPlace,
    /// Options.
    pub options: CopyOptions,
}

/// Formats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Tab-separated text with backslash escapes.
    #[default]
    Text,
    /// Comma-separated values.
    Csv,
    /// PostgreSQL's binary format.
    Binary,
    /// Parquet; files only.
    Parquet,
}

/// What the header line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Header {
    /// There is none.
    #[default]
    None,
    /// It is written or skipped.
    Present,
    /// It must name the columns.
    Match,
}

/// Options of COPY.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// FORMAT.
    pub format: Format,
    /// DELIMITER.
    pub delimiter: Option<char>,
    /// NULL.
    pub null: Option<String>,
    /// HEADER.
    pub header: Header,
    /// QUOTE.
    pub quote: Option<char>,
    /// ESCAPE.
    pub escape: Option<char>,
    /// FORCE_QUOTE; `None`: not given; empty: `*`.
    pub force_quote: Option<Vec<String>>,
    /// FORCE_NOT_NULL.
    pub force_not_null: Vec<String>,
    /// FORCE_NULL.
    pub force_null: Vec<String>,
    /// ON_ERROR ignore.
    pub ignore_errors: bool,
    /// REJECT_LIMIT.
    pub reject_limit: Option<u64>,
    /// LOG_VERBOSITY verbose.
    pub verbose: bool,
}

/// Reads a COPY statement.
pub(super) fn parse(parser: &mut Parser<'_>) -> Parsed<Body> {
    parser.next_token();
    take(parser, "binary");
    if parser.consume_token(&Token::LParen) {
        let query = parser.parse_query()?;
        parser.expect_token(&Token::RParen)?;
        expect(parser, "to")?;
        return to(parser, query, None);
    }
    let table = parser.parse_object_name(false)?;
    let columns = match parser.consume_token(&Token::LParen) {
        true => {
            let columns = parser.parse_comma_separated(Parser::parse_identifier)?;
            parser.expect_token(&Token::RParen)?;
            columns
        }
        false => Vec::new(),
    };
    if take(parser, "from") {
        let place = place(parser, "stdin")?;
        let options = options(parser)?;
        return Ok(Body::CopyFrom(CopyFrom { table, columns, place, options }));
    }
    expect(parser, "to")?;
    let list = match columns.as_slice() {
        [] => "*".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let query = super::parse::query(&format!("SELECT {list} FROM {table}"))
        .map_err(|error| ParserError::ParserError(format!("!{}", error.message)))?;
    let whole = columns.is_empty().then_some(table);
    to(parser, Box::new(query), whole)
}

fn to(
    parser: &mut Parser<'_>,
    query: Box<ast::Query>,
    table: Option<ast::ObjectName>,
) -> Parsed<Body> {
    let place = place(parser, "stdout")?;
    let options = options(parser)?;
    Ok(Body::CopyTo(CopyTo { query, table, place, options }))
}

fn place(parser: &mut Parser<'_>, client: &str) -> Parsed<CopyPlace> {
    if take(parser, client) {
        return Ok(CopyPlace::Client);
    }
    if take(parser, "program") {
        return Err(ParserError::ParserError("!COPY … PROGRAM is not supported".to_owned()));
    }
    parser.parse_literal_string().map(CopyPlace::File)
}

fn options(parser: &mut Parser<'_>) -> Parsed<CopyOptions> {
    let mut options = CopyOptions::default();
    take(parser, "with");
    if !parser.consume_token(&Token::LParen) {
        return legacy(parser, options);
    }
    loop {
        let option = name(parser)?;
        set(parser, &mut options, &option)?;
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::RParen)?;
    Ok(options)
}

fn set(parser: &mut Parser<'_>, options: &mut CopyOptions, option: &str) -> Parsed<()> {
    match option {
        "format" => options.format = format(parser)?,
        "delimiter" => options.delimiter = Some(character(parser)?),
        "null" => options.null = Some(parser.parse_literal_string()?),
        "header" => options.header = header(parser)?,
        "quote" => options.quote = Some(character(parser)?),
        "escape" => options.escape = Some(character(parser)?),
        "force_quote" => options.force_quote = Some(columns(parser)?),
        "force_not_null" => options.force_not_null = columns(parser)?,
        "force_null" => options.force_null = columns(parser)?,
        "on_error" => options.ignore_errors = value(parser)? == "ignore",
        "reject_limit" => options.reject_limit = Some(parser.parse_literal_uint()?),
        "log_verbosity" => options.verbose = value(parser)? == "verbose",
        "freeze" => drop(boolean(parser)?),
        "encoding" => {
            let encoding = parser.parse_literal_string()?;
            if !matches!(encoding.to_lowercase().replace('-', "").as_str(), "utf8" | "unicode") {
                let text = format!("!encoding \"{encoding}\" is not supported, data must be UTF8");
                return Err(ParserError::ParserError(text));
            }
        }
        other => {
            return Err(ParserError::ParserError(format!("!option \"{other}\" not recognized")));
        }
    }
    Ok(())
}

/// The syntax before PostgreSQL 9.0: `CSV HEADER DELIMITER ';' NULL ''`.
fn legacy(parser: &mut Parser<'_>, mut options: CopyOptions) -> Parsed<CopyOptions> {
    loop {
        match word(parser, 0).as_str() {
            "csv" => options.format = Format::Csv,
            "binary" => options.format = Format::Binary,
            "header" => options.header = Header::Present,
            "delimiter" | "delimiters" => {
                parser.next_token();
                take(parser, "as");
                options.delimiter = Some(character(parser)?);
                continue;
            }
            "null" | "quote" | "escape" => {
                let option = word(parser, 0);
                parser.next_token();
                take(parser, "as");
                set(parser, &mut options, &option)?;
                continue;
            }
            _ => return Ok(options),
        }
        parser.next_token();
    }
}

fn value(parser: &mut Parser<'_>) -> Parsed<String> {
    match parser.peek_token().token {
        Token::SingleQuotedString(text) => {
            parser.next_token();
            Ok(text)
        }
        _ => name(parser),
    }
}

fn format(parser: &mut Parser<'_>) -> Parsed<Format> {
    match value(parser)?.as_str() {
        "text" => Ok(Format::Text),
        "csv" => Ok(Format::Csv),
        "binary" => Ok(Format::Binary),
        "parquet" => Ok(Format::Parquet),
        other => Err(ParserError::ParserError(format!("!COPY format \"{other}\" not recognized"))),
    }
}

fn header(parser: &mut Parser<'_>) -> Parsed<Header> {
    if take(parser, "match") {
        return Ok(Header::Match);
    }
    Ok(if boolean(parser)? { Header::Present } else { Header::None })
}

fn boolean(parser: &mut Parser<'_>) -> Parsed<bool> {
    if matches!(parser.peek_token().token, Token::Comma | Token::RParen) {
        return Ok(true);
    }
    if let Token::Number(number, _) = parser.peek_token().token {
        parser.next_token();
        return Ok(number != "0");
    }
    match value(parser)?.as_str() {
        "true" | "on" => Ok(true),
        "false" | "off" => Ok(false),
        _ => {
            parser.prev_token();
            unexpected(parser)
        }
    }
}

fn character(parser: &mut Parser<'_>) -> Parsed<char> {
    let text = match parser.peek_token().token {
        Token::EscapedStringLiteral(text) => {
            parser.next_token();
            text
        }
        _ => parser.parse_literal_string()?,
    };
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) if one.is_ascii() => Ok(one),
        _ => {
            Err(ParserError::ParserError("!COPY takes a single one-byte character here".to_owned()))
        }
    }
}

fn columns(parser: &mut Parser<'_>) -> Parsed<Vec<String>> {
    if parser.consume_token(&Token::Mul) {
        return Ok(Vec::new());
    }
    parser.expect_token(&Token::LParen)?;
    let columns = parser.parse_comma_separated(name)?;
    parser.expect_token(&Token::RParen)?;
    Ok(columns)
}
