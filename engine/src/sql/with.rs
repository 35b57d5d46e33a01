//! `WITH` around statements that write (manual: queries-with, data-modifying statements).
//!
//! ```text
//! WITH gone AS (DELETE FROM t RETURNING *), n AS (SELECT …) INSERT INTO u SELECT * FROM gone
//!   ─▶ steps: gone = DELETE …, n = SELECT …    each with its rows under its name
//!   ─▶ last:  INSERT INTO u SELECT * FROM gone
//! ```

use sqlparser::ast::{Cte, Query, SetExpr, Statement, With};
use sqlparser::parser::ParserError;

use super::place::folded;
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

/// The query in steps, where it writes; else as it is.
///
/// # Errors
/// A part that cannot be part of a statement.
pub(super) fn in_steps(mut query: Box<Query>) -> Result<Body, ParserError> {
    let writes = query.with.iter().flat_map(|with| &with.cte_tables).any(is_write);
    let Some(write) = written(&query.body) else {
        return match writes {
            true => steps(*query),
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
