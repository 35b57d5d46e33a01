//! Definitions of segments: of one that there is, and as a text.

use clientele_catalog::definition::RelationKind;
use clientele_catalog::domains::Subject;
use sqlparser::ast::{Expr, Query, Select, SelectItem, SetExpr};

use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext};
use crate::sql;
use crate::sql::place::folded;

/// The definition of a segment, by its name with or without the schema.
///
/// # Errors
/// 42P01 when there is none, 42809 when it is no view.
pub(super) fn of_segment(context: &QueryContext, name: &str) -> Result<Query> {
    let parts = match sql::parse::expression(name)? {
        Expr::Identifier(one) => vec!["segments".to_owned(), folded(&one)],
        Expr::CompoundIdentifier(parts) => parts.iter().map(folded).collect(),
        _ => return Err(Error::new("42602", "invalid name syntax")),
    };
    let shown = parts.join(".");
    let relation = match context.find_relation(&parts)? {
        Some(Named::Relation(relation)) => relation,
        _ => return Err(Error::new("42P01", format!("segment \"{shown}\" does not exist"))),
    };
    match &relation.kind {
        RelationKind::View { query } | RelationKind::MaterializedView { query, .. } => {
            sql::parse::query(query)
        }
        _ => Err(Error::new("42809", format!("\"{shown}\" is not a segment"))
            .with_detail("A segment is a view or a materialized view.")),
    }
}

/// A definition given as text.
///
/// # Errors
/// 42601; 42809 for a statement that writes.
pub(super) fn of_text(text: &str) -> Result<Query> {
    let query = sql::parse::query(text.trim().trim_end_matches(';'))?;
    match query.body.as_ref() {
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            Err(Error::new("42809", "a definition is a query, no statement that writes"))
        }
        _ => Ok(query),
    }
}

/// The column that says who is in: `customer_id`, or `account_id` where only that is selected.
pub(super) fn subject(query: &Query) -> &'static str {
    let company = Subject::Company.column();
    match key(&query.body, Subject::Person.column()) {
        None if key(&query.body, company).is_some() => company,
        _ => Subject::Person.column(),
    }
}

fn key<'a>(body: &'a SetExpr, subject: &str) -> Option<&'a Expr> {
    match body {
        SetExpr::Select(select) => key_of(select, subject),
        SetExpr::Query(query) => key(&query.body, subject),
        SetExpr::SetOperation { left, .. } => key(left, subject),
        _ => None,
    }
}

/// What is selected under the name of the subject.
pub(super) fn key_of<'a>(select: &'a Select, subject: &str) -> Option<&'a Expr> {
    select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if folded(alias) == subject => Some(expr),
        SelectItem::UnnamedExpr(expr) => {
            let name = match expr {
                Expr::Identifier(name) => Some(name),
                Expr::CompoundIdentifier(parts) => parts.last(),
                _ => None,
            };
            name.is_some_and(|name| folded(name) == subject).then_some(expr)
        }
        _ => None,
    })
}
