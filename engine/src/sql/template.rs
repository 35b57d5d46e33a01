//! Queries put together from a text with holes and trees that fill them. No text of a user's is in
//! such a text.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, Ident, Query, SetExpr, SetOperator, SetQuantifier, TableAlias, TableFactor,
    VisitMut, VisitorMut,
};

use crate::error::{Error, Result};
use crate::sql;

/// What fills a hole: `"<name>"` in the text.
pub(crate) enum Part<'a> {
    /// In FROM.
    Query(&'a Query),
    /// An expression.
    Expr(Box<Expr>),
}

/// A text as an expression.
pub(crate) fn text(value: impl Into<String>) -> Part<'static> {
    Part::Expr(Box::new(sql::rewrite::text(value)))
}

/// A whole number as an expression.
pub(crate) fn number(value: impl ToString) -> Part<'static> {
    Part::Expr(Box::new(Expr::Value(
        ast::Value::Number(value.to_string(), false).with_empty_span(),
    )))
}

/// The query of a text, its holes filled.
pub(crate) fn filled(template: &str, parts: &[(&str, Part<'_>)]) -> Result<Query> {
    let mut query = sql::parse::query(template)?;
    match VisitMut::visit(&mut query, &mut Filler { parts }) {
        ControlFlow::Break(hole) => Err(Error::internal(format!("nothing fills {hole}"))),
        ControlFlow::Continue(()) => Ok(query),
    }
}

/// All rows of all queries.
pub(crate) fn union_all(queries: Vec<Query>) -> Result<Query> {
    let bodies = queries.into_iter().map(|query| SetExpr::Query(Box::new(query)));
    let union = |left, right| SetExpr::SetOperation {
        op: SetOperator::Union,
        set_quantifier: SetQuantifier::All,
        left: Box::new(left),
        right: Box::new(right),
    };
    let body = bodies.reduce(union).ok_or_else(|| Error::internal("a union of nothing"))?;
    let mut query = sql::parse::query("SELECT 1")?;
    query.body = Box::new(body);
    Ok(query)
}

struct Filler<'a> {
    parts: &'a [(&'a str, Part<'a>)],
}

impl Filler<'_> {
    fn part(&self, hole: &Ident) -> Option<&Part<'_>> {
        let name = hole.value.strip_prefix('<')?.strip_suffix('>')?;
        self.parts.iter().find(|(one, _)| *one == name).map(|(_, part)| part)
    }
}

impl VisitorMut for Filler<'_> {
    type Break = String;

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let Some(hole) = name.0.first().and_then(|part| part.as_ident()) else {
            return ControlFlow::Continue(());
        };
        let Some(Part::Query(query)) = self.part(hole) else {
            return ControlFlow::Continue(());
        };
        let own = TableAlias { explicit: true, name: hole.clone(), columns: vec![], at: None };
        *factor = TableFactor::Derived {
            lateral: false,
            subquery: Box::new((*query).clone()),
            alias: Some(alias.clone().unwrap_or(own)),
            sample: None,
        };
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        if let Expr::Identifier(hole) = expr
            && hole.value.starts_with('<')
        {
            match self.part(hole) {
                Some(Part::Expr(part)) => *expr = part.as_ref().clone(),
                _ => return ControlFlow::Break(hole.value.clone()),
            }
        }
        ControlFlow::Continue(())
    }
}
