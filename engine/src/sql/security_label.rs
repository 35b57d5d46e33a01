//! `SECURITY LABEL [FOR provider] ON COLUMN name IS 'label'` (manual: sql-security-label).

use sqlparser::ast::ObjectName;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::own::{expect, name, take, unexpected};

/// A security label.
#[derive(Debug, Clone)]
pub struct SecurityLabel {
    /// `FOR provider`.
    pub provider: Option<String>,
    /// The kind of object, as the statement says it: `column`.
    pub kind: String,
    /// The object.
    pub object: ObjectName,
    /// The label; `None`: `IS NULL`.
    pub label: Option<String>,
}

/// Reads the statement.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<SecurityLabel, ParserError> {
    expect(parser, "security")?;
    expect(parser, "label")?;
    let provider = match take(parser, "for") {
        true => Some(provider(parser)?),
        false => None,
    };
    expect(parser, "on")?;
    let kind = name(parser)?;
    let object = parser.parse_object_name(false)?;
    expect(parser, "is")?;
    let label = match take(parser, "null") {
        true => None,
        false => Some(text(parser)?),
    };
    Ok(SecurityLabel { provider, kind, object, label })
}

fn provider(parser: &mut Parser<'_>) -> Result<String, ParserError> {
    match parser.peek_token().token {
        Token::SingleQuotedString(_) => text(parser),
        _ => name(parser),
    }
}

fn text(parser: &mut Parser<'_>) -> Result<String, ParserError> {
    match parser.peek_token().token {
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => {
            parser.next_token();
            Ok(text)
        }
        _ => unexpected(parser),
    }
}
