//! `MERGE` with `DO NOTHING`, which sqlparser does not read (manual: sql-merge).

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Expr, Merge, MergeAction, MergeClause, MergeClauseKind, MergeInsertExpr, MergeInsertKind,
    MergeUpdateExpr, ObjectName, Parens, Statement, Values,
};
use sqlparser::parser::{IsOptional, Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::Body;
use super::own::{expect, take, unexpected, word};

type Parsed<T> = Result<T, ParserError>;

/// Reads a MERGE. `DO NOTHING` becomes an UPDATE without assignments.
pub(super) fn parse(parser: &mut Parser<'_>) -> Parsed<Body> {
    expect(parser, "merge")?;
    expect(parser, "into")?;
    take(parser, "only");
    let table = parser.parse_table_factor()?;
    expect(parser, "using")?;
    let source = parser.parse_table_factor()?;
    expect(parser, "on")?;
    let on = Box::new(parser.parse_expr()?);
    let mut clauses = Vec::new();
    while take(parser, "when") {
        clauses.push(clause(parser)?);
    }
    if clauses.is_empty() {
        return unexpected(parser);
    }
    if word(parser, 0) == "returning" {
        return Err(ParserError::ParserError("!MERGE … RETURNING is not supported".to_owned()));
    }
    Ok(Body::Other(Box::new(Statement::Merge(Merge {
        merge_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        into: true,
        table,
        source,
        on,
        clauses,
        output: None,
    }))))
}

fn clause(parser: &mut Parser<'_>) -> Parsed<MergeClause> {
    let not = take(parser, "not");
    expect(parser, "matched")?;
    let clause_kind = match (not, take(parser, "by")) {
        (false, false) => MergeClauseKind::Matched,
        (true, false) => MergeClauseKind::NotMatched,
        (true, true) if take(parser, "source") => MergeClauseKind::NotMatchedBySource,
        (true, true) => {
            expect(parser, "target")?;
            MergeClauseKind::NotMatchedByTarget
        }
        (false, true) => return unexpected(parser),
    };
    let predicate = match take(parser, "and") {
        true => Some(parser.parse_expr()?),
        false => None,
    };
    expect(parser, "then")?;
    let inserts =
        matches!(clause_kind, MergeClauseKind::NotMatched | MergeClauseKind::NotMatchedByTarget);
    let action = match word(parser, 0).as_str() {
        "do" => nothing(parser)?,
        "insert" if inserts => insert(parser)?,
        "update" if !inserts => {
            parser.next_token();
            expect(parser, "set")?;
            update(parser.parse_comma_separated(Parser::parse_assignment)?)
        }
        "delete" if !inserts => {
            parser.next_token();
            MergeAction::Delete { delete_token: AttachedToken::empty() }
        }
        _ => return unexpected(parser),
    };
    Ok(MergeClause { when_token: AttachedToken::empty(), clause_kind, predicate, action })
}

fn nothing(parser: &mut Parser<'_>) -> Parsed<MergeAction> {
    expect(parser, "do")?;
    expect(parser, "nothing")?;
    Ok(update(Vec::new()))
}

fn update(assignments: Vec<sqlparser::ast::Assignment>) -> MergeAction {
    MergeAction::Update(MergeUpdateExpr {
        update_token: AttachedToken::empty(),
        assignments,
        update_predicate: None,
        delete_predicate: None,
    })
}

fn insert(parser: &mut Parser<'_>) -> Parsed<MergeAction> {
    expect(parser, "insert")?;
    let columns: Vec<ObjectName> = match parser.peek_token().token {
        Token::LParen => {
            parser.parse_parenthesized_qualified_column_list(IsOptional::Mandatory, false)?
        }
        _ => Vec::new(),
    };
    if take(parser, "overriding") {
        parser.next_token();
        expect(parser, "value")?;
    }
    let row: Vec<Expr> = if take(parser, "default") {
        expect(parser, "values")?;
        Vec::new()
    } else {
        expect(parser, "values")?;
        parser.expect_token(&Token::LParen)?;
        let row = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&Token::RParen)?;
        row
    };
    let rows = vec![Parens::with_empty_span(row)];
    Ok(MergeAction::Insert(MergeInsertExpr {
        insert_token: AttachedToken::empty(),
        columns,
        kind_token: AttachedToken::empty(),
        kind: MergeInsertKind::Values(Values { explicit_row: false, value_keyword: false, rows }),
        insert_predicate: None,
    }))
}
