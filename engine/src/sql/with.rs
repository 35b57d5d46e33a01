//! `WITH` around statements that write (manual: queries-with, data-modifying statements).
//!
//! ```text
//! WITH gone AS (DELETE FROM t RETURNING *), n AS (SELECT …) INSERT INTO u SELECT * FROM gone
//!   ─▶ steps: gone = DELETE …, n = SELECT …    each with its rows under its name
//!   ─▶ last:  INSERT INTO u SELECT * FROM gone
//! ```

use std::ops::ControlFlow;

use sqlparser::ast::{Cte, Expr, Query, SetExpr, Statement, TableFactor, Visit, Visitor, With};
use sqlparser::parser::ParserError;

use super::place::{folded, name_parts};
use super::{Body, parse, settled};

/// A statement and what comes before it.
#[derive(Debug, Clone)]
pub struct Steps {
    /// Queries and writes, in the order in which they were written.
    pub steps: Vec<Step>,
    /// The statement itself.
    pub last: Box<Body>,
}

/// A named part.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The names that its columns are given.
    pub columns: Vec<String>,
    /// A query or a write.
    pub body: Body,
}

/// The query in steps, where it writes or where it must be computed once; else as it is.
///
/// # Errors
/// A part that cannot be part of a statement.
pub(super) fn in_steps(mut query: Box<Query>) -> Result<Body, ParserError> {
    let writes = query.with.iter().flat_map(|with| &with.cte_tables).any(is_write);
    let Some(write) = written(&query.body) else {
        return match writes {
            true => steps(*query),
            false if repeats_volatile(&query) => steps(*query),
            false => Ok(Body::Query(query)),
        };
    };
    // The queries before an INSERT may as well stand before its rows.
    if let (Statement::Insert(insert), false) = (&write, writes)
        && insert.source.as_ref().is_some_and(|source| source.with.is_none())
    {
        let mut insert = insert.clone();
        if let Some(source) = &mut insert.source {
            source.with = query.with.take();
        }
        return settled::settled(Statement::Insert(insert));
    }
    match query.with.is_some() {
        true => steps(*query),
        false => settled::settled(write),
    }
}

/// Functions whose next value is another one.
const VOLATILE: &[&str] =
    &["clock_timestamp", "gen_random_uuid", "nextval", "random", "timeofday", "uuid_generate_v4"];

/// Whether a part is named twice that would have other rows each time: it has the same ones wherever
/// it is named (manual, 7.8.3). Equal parts without such functions are found in the plan.
fn repeats_volatile(query: &Query) -> bool {
    let parts = query.with.iter().flat_map(|with| &with.cte_tables);
    let mut volatile = parts.filter(|cte| Uses::of(&cte.query).functions).peekable();
    if volatile.peek().is_none() {
        return false;
    }
    let tables = Uses::of(query).tables;
    volatile.any(|cte| {
        let name = folded(&cte.alias.name);
        tables.iter().filter(|table| **table == name).count() > 1
    })
}

/// What a query names.
#[derive(Default)]
struct Uses {
    tables: Vec<String>,
    /// Whether one of [`VOLATILE`] is called.
    functions: bool,
}

impl Uses {
    fn of(query: &Query) -> Self {
        let mut uses = Self::default();
        let _ = query.visit(&mut uses);
        uses
    }
}

impl Visitor for Uses {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.tables.extend(name_parts(name).pop());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            let name = name_parts(&function.name).pop();
            self.functions |= name.is_some_and(|name| VOLATILE.contains(&name.as_str()));
        }
        ControlFlow::Continue(())
    }
}

fn is_write(cte: &Cte) -> bool {
    written(&cte.query.body).is_some()
}

fn written(body: &SetExpr) -> Option<Statement> {
    match body {
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => Some(statement.clone()),
        _ => None,
    }
}

fn steps(mut query: Query) -> Result<Body, ParserError> {
    let with = query.with.take();
    let recursive = with.as_ref().is_some_and(|with| with.recursive);
    let parts = with.iter().flat_map(|with| &with.cte_tables);
    let parts = parts.map(|cte| step(cte, with.as_ref(), recursive));
    let steps = parts.collect::<Result<Vec<_>, ParserError>>()?;
    let last = match written(&query.body) {
        Some(statement) => settled::settled(statement)?,
        None => Body::Query(Box::new(query)),
    };
    Ok(Body::With(Steps { steps, last: Box::new(last) }))
}

fn step(cte: &Cte, with: Option<&With>, recursive: bool) -> Result<Step, ParserError> {
    let name = folded(&cte.alias.name);
    if let Some(statement) = written(&cte.query.body) {
        let columns = cte.alias.columns.iter().map(|column| folded(&column.name)).collect();
        return Ok(Step { name, columns, body: in_body(statement, &cte.query)? });
    }
    let quoted = name.replace('"', "\"\"");
    let query = parse::query(&format!("SELECT * FROM \"{quoted}\""));
    let mut query = query.map_err(|error| ParserError::ParserError(error.message))?;
    query.with = with.map(|with| With { recursive, cte_tables: vec![cte.clone()], ..with.clone() });
    Ok(Step { name, columns: Vec::new(), body: Body::Query(Box::new(query)) })
}

/// A write with a `WITH` of its own.
fn in_body(statement: Statement, query: &Query) -> Result<Body, ParserError> {
    match &query.with {
        Some(_) => Err(ParserError::ParserError(
            "!WITH within a data-modifying WITH query is not supported".to_owned(),
        )),
        None => settled::settled(statement),
    }
}
