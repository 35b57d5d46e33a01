//! Sequences and the columns that count by them: `CREATE SEQUENCE`, options of a sequence in any
//! order, `ADD GENERATED … AS IDENTITY`.

use sqlparser::ast::{DataType, Expr, Ident, ObjectName, SequenceOptions, Statement};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::Body;
use super::own::{expect, if_exists, take, unexpected, word};

type Parsed<T> = Result<T, ParserError>;

/// Options of a sequence, in the order that they were given.
#[derive(Debug, Clone, Default)]
pub struct SequenceChange {
    /// `AS`.
    pub data_type: Option<DataType>,
    /// INCREMENT, MINVALUE …
    pub options: Vec<SequenceOptions>,
    /// OWNED BY.
    pub owned_by: Option<ObjectName>,
    /// `RESTART [WITH n]`.
    pub restart: Option<Option<Expr>>,
    /// `SEQUENCE NAME`, by which `pg_dump` gives an identity column's sequence its name.
    pub name: Option<ObjectName>,
}

/// A column that becomes, or no longer is, an identity column.
#[derive(Debug, Clone)]
pub struct IdentityChange {
    /// The column.
    pub column: Ident,
    /// `a` ALWAYS, `d` BY DEFAULT; `None`: `DROP IDENTITY`.
    pub kind: Option<char>,
    /// `ADD`, with the sequence's options; `None`: `SET`.
    pub sequence: Option<SequenceChange>,
    /// `DROP IDENTITY IF EXISTS`.
    pub if_exists: bool,
}

/// Whether three words of an ALTER TABLE say that a column's identity changes.
pub(super) fn changes_identity(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        ["add" | "set", "generated", "always" | "by"] | [_, "drop", "identity"]
    )
}

/// `ALTER [COLUMN] c ADD GENERATED … | SET GENERATED … | DROP IDENTITY`.
pub(super) fn identity(parser: &mut Parser<'_>) -> Parsed<IdentityChange> {
    parser.next_token();
    take(parser, "column");
    let column = parser.parse_identifier()?;
    let (mut kind, mut added_sequence, mut exists) = (None, None, false);
    if take(parser, "drop") {
        expect(parser, "identity")?;
        exists = if_exists(parser);
    } else {
        let adds = take(parser, "add");
        if !adds {
            expect(parser, "set")?;
        }
        expect(parser, "generated")?;
        kind = Some(if take(parser, "always") { 'a' } else { 'd' });
        if kind == Some('d') {
            expect(parser, "by")?;
            expect(parser, "default")?;
        }
        if adds {
            expect(parser, "as")?;
            expect(parser, "identity")?;
            added_sequence = Some(SequenceChange::default());
            if parser.consume_token(&Token::LParen) {
                added_sequence = Some(options(parser)?);
                parser.expect_token(&Token::RParen)?;
            }
        }
    }
    Ok(IdentityChange { column, kind, sequence: added_sequence, if_exists: exists })
}

/// `CREATE SEQUENCE`.
pub(super) fn create(parser: &mut Parser<'_>, temporary: bool) -> Parsed<Body> {
    for _ in 0..if temporary { 3 } else { 2 } {
        parser.next_token();
    }
    let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let name = parser.parse_object_name(false)?;
    let SequenceChange { data_type, options, owned_by, restart, name: renamed } = options(parser)?;
    if restart.is_some() || renamed.is_some() {
        return unexpected(parser);
    }
    Ok(Body::Other(Box::new(Statement::CreateSequence {
        temporary,
        if_not_exists,
        name,
        data_type,
        sequence_options: options,
        owned_by,
    })))
}

/// The options that come.
pub(super) fn options(parser: &mut Parser<'_>) -> Parsed<SequenceChange> {
    let mut change = SequenceChange::default();
    loop {
        let option = word(parser, 0);
        if option.is_empty() {
            return Ok(change);
        }
        parser.next_token();
        match option.as_str() {
            "as" => change.data_type = Some(parser.parse_data_type()?),
            "increment" => {
                let by = take(parser, "by");
                change.options.push(SequenceOptions::IncrementBy(parser.parse_number()?, by));
            }
            "start" => {
                let with = take(parser, "with");
                change.options.push(SequenceOptions::StartWith(parser.parse_number()?, with));
            }
            "restart" => {
                take(parser, "with");
                let number = matches!(parser.peek_token().token, Token::Number(..) | Token::Minus);
                change.restart = Some(if number { Some(parser.parse_number()?) } else { None });
            }
            "minvalue" => {
                change.options.push(SequenceOptions::MinValue(Some(parser.parse_number()?)))
            }
            "maxvalue" => {
                change.options.push(SequenceOptions::MaxValue(Some(parser.parse_number()?)))
            }
            "cache" => change.options.push(SequenceOptions::Cache(parser.parse_number()?)),
            // The flag of sqlparser's own reader says that NO stands before it.
            "cycle" => change.options.push(SequenceOptions::Cycle(false)),
            "no" if take(parser, "minvalue") => {
                change.options.push(SequenceOptions::MinValue(None))
            }
            "no" if take(parser, "maxvalue") => {
                change.options.push(SequenceOptions::MaxValue(None))
            }
            "no" if take(parser, "cycle") => change.options.push(SequenceOptions::Cycle(true)),
            "sequence" if take(parser, "name") => {
                change.name = Some(parser.parse_object_name(false)?);
            }
            "owned" => {
                expect(parser, "by")?;
                change.owned_by = Some(parser.parse_object_name(false)?);
            }
            _ => {
                parser.prev_token();
                return unexpected(parser);
            }
        }
    }
}
