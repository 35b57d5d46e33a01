//! Which of several functions of one name a call means: the one whose arguments' types are nearest
//! (manual: typeconv-func). Types are asked of the planner, in the place where the call stands.

use std::sync::Arc;

use clientele_catalog::definition::{Function, FunctionArgument};
use clientele_udfs::functions::signature;
use clientele_udfs::types::PgType;
use sqlparser::ast::{
    Expr, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, Value, With,
};

use super::context::QueryContext;
use super::describe_query;
use crate::error::{Error, Result};
use crate::sql::parse;
use crate::sql::place::folded;

/// What the names in a call can be of.
#[derive(Default)]
pub(super) struct Scope {
    /// The arguments of the function whose body it is in.
    given: Vec<FunctionArgument>,
    with: Vec<Option<With>>,
    from: Vec<Vec<TableWithJoins>>,
}

impl Scope {
    /// Of the body of a function.
    pub(super) fn of_body(given: Vec<FunctionArgument>) -> Self {
        Self { given, ..Self::default() }
    }

    pub(super) fn enter_query(&mut self, query: &Query) {
        self.with.push(query.with.clone());
    }

    pub(super) fn leave_query(&mut self) {
        self.with.pop();
    }

    pub(super) fn enter_select(&mut self, select: &Select) {
        // A function's own call must not be planned to find out what it calls.
        let is_relation = |table: &&TableWithJoins| {
            let joined = table.joins.iter().map(|join| &join.relation);
            std::iter::once(&table.relation).chain(joined).all(|factor| {
                matches!(
                    factor,
                    TableFactor::Table { args: None, .. }
                        | TableFactor::Derived { .. }
                        | TableFactor::NestedJoin { .. }
                )
            })
        };
        self.from.push(select.from.iter().filter(is_relation).cloned().collect());
    }

    pub(super) fn leave_select(&mut self) {
        self.from.pop();
    }

    fn types(&self, context: &Arc<QueryContext>, arguments: &[Expr]) -> Vec<PgType> {
        let known: Vec<Option<PgType>> = arguments.iter().map(|one| self.known(one)).collect();
        let open = arguments.iter().zip(&known).filter(|(_, known)| known.is_none());
        let open: Vec<Expr> = open.map(|(expr, _)| expr.clone()).collect();
        let mut planned = self.planned(context, &open).into_iter();
        let unknown = PgType::UNKNOWN;
        known.into_iter().map(|one| one.or_else(|| planned.next()).unwrap_or(unknown)).collect()
    }

    /// The type of what needs no planner.
    fn known(&self, expr: &Expr) -> Option<PgType> {
        match expr {
            Expr::Nested(inner) => self.known(inner),
            Expr::Identifier(name) => {
                let name = folded(name);
                self.given.iter().find(|one| one.name == name).map(|one| one.pg_type)
            }
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_) | Value::Null => {
                    Some(PgType::UNKNOWN)
                }
                Value::Placeholder(name) => {
                    let number = name.trim_start_matches('$').parse::<usize>().ok();
                    let place = number.and_then(|number| number.checked_sub(1));
                    let given = place.and_then(|place| self.given.get(place));
                    Some(given.map_or(PgType::UNKNOWN, |one| one.pg_type))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The types of expressions over the tables around, the nearest first.
    fn planned(&self, context: &Arc<QueryContext>, open: &[Expr]) -> Vec<PgType> {
        for outermost in (0..=self.from.len()).rev() {
            if let Ok(types) = self.planned_over(context, open, outermost) {
                return types;
            }
        }
        Vec::new()
    }

    fn planned_over(
        &self,
        context: &Arc<QueryContext>,
        open: &[Expr],
        outermost: usize,
    ) -> Result<Vec<PgType>> {
        let mut query = parse::query("SELECT 1")?;
        query.with = self.with.iter().flatten().next_back().cloned();
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.projection = open.iter().cloned().map(SelectItem::UnnamedExpr).collect();
            select.from = self.from.iter().skip(outermost).flatten().cloned().collect();
        }
        let planned = describe_query(context, query, &[])?;
        Ok(planned.columns.into_iter().map(|column| column.pg_type).collect())
    }
}

/// The function among several that a call with these arguments means; `None`: none of them.
///
/// # Errors
/// 42725 where two are as near.
pub(super) fn choose(
    context: &Arc<QueryContext>,
    mut candidates: Vec<Arc<Function>>,
    arguments: &[Expr],
    scope: &Scope,
) -> Result<Option<Arc<Function>>> {
    if candidates.len() < 2 {
        return Ok(candidates.pop());
    }
    let types = scope.types(context, arguments);
    let cost = |function: &Function| {
        let pairs = types.iter().zip(&function.arguments);
        pairs.map(|(given, one)| signature::cost(*given, one.pg_type)).sum::<Option<u32>>()
    };
    let fits = candidates.iter().filter_map(|one| Some((cost(one)?, one)));
    let mut fits: Vec<(u32, &Arc<Function>)> = fits.collect();
    fits.sort_by_key(|(cost, _)| *cost);
    match fits.as_slice() {
        [] => Ok(None),
        [(first, one), (second, _), ..] if first == second => {
            let types: Vec<String> = types.iter().map(|one| one.sql_name()).collect();
            let text = format!("function {}({}) is not unique", one.name, types.join(", "));
            Err(Error::new("42725", text).with_hint(
                "Could not choose a best candidate function. You might need to add explicit type casts.",
            ))
        }
        [(_, one), ..] => Ok(Some(Arc::clone(one))),
    }
}
