//! Statements that sqlparser reads whole and that mean what another statement means.
//!
//! | PostgreSQL | is |
//! |---|---|
//! | `SET (a, b) = (x, y)` | `SET a = x, b = y` |
//! | `SET (a, b) = (SELECT x, y …)` | each column with its column of the rows |
//! | `SELECT … INTO t FROM …` | `CREATE TABLE t AS SELECT … FROM …` |

use sqlparser::ast::{
    Assignment, AssignmentTarget, Expr, Ident, OnConflictAction, OnInsert, Query, SetExpr,
    Statement, TableFactor,
};
use sqlparser::parser::ParserError;

use super::place::name_parts;
use super::{Body, parse, with};

type Parsed<T> = Result<T, ParserError>;

/// The statement in the form that the engine runs.
pub(super) fn settled(statement: Statement) -> Parsed<Body> {
    match statement {
        Statement::Query(query) => into_table(query),
        Statement::Update(mut update) => {
            update.assignments = single(update.assignments)?;
            Ok(Body::Other(Box::new(Statement::Update(update))))
        }
        Statement::Insert(mut insert) => {
            if let Some(OnInsert::OnConflict(conflict)) = &mut insert.on
                && let OnConflictAction::DoUpdate(update) = &mut conflict.action
            {
                update.assignments = single(std::mem::take(&mut update.assignments))?;
            }
            Ok(Body::Other(Box::new(Statement::Insert(insert))))
        }
        other => Ok(Body::Other(Box::new(other))),
    }
}

/// `SELECT … INTO` (manual: sql-selectinto).
fn into_table(mut query: Box<Query>) -> Parsed<Body> {
    let SetExpr::Select(select) = query.body.as_mut() else { return with::in_steps(query) };
    let Some(into) = select.into.take() else { return with::in_steps(query) };
    let mut template = template("CREATE TABLE t AS SELECT 1")?;
    if let Statement::CreateTable(create) = &mut template {
        create.name = into.name;
        create.temporary = into.temporary;
        create.query = Some(query);
    }
    Ok(Body::Other(Box::new(template)))
}

fn template(text: &str) -> Parsed<Statement> {
    let statements = parse(text).map_err(|error| ParserError::ParserError(error.message))?;
    match statements.into_iter().next().map(|one| one.body.as_ref().clone()) {
        Some(Body::Other(statement)) => Ok(*statement),
        _ => Err(ParserError::ParserError("a template does not parse".to_owned())),
    }
}

/// Assignments to one column each.
fn single(assignments: Vec<Assignment>) -> Parsed<Vec<Assignment>> {
    let mut all = Vec::with_capacity(assignments.len());
    for Assignment { target, value } in assignments {
        let AssignmentTarget::Tuple(names) = target else {
            all.push(Assignment { target, value });
            continue;
        };
        let values = values_of(value, names.len())?;
        if values.len() != names.len() {
            let text = "!number of columns does not match number of values".to_owned();
            return Err(ParserError::ParserError(text));
        }
        for (name, value) in names.into_iter().zip(values) {
            all.push(Assignment { target: AssignmentTarget::ColumnName(name), value });
        }
    }
    Ok(all)
}

fn values_of(value: Expr, count: usize) -> Parsed<Vec<Expr>> {
    match value {
        Expr::Tuple(values) => Ok(values),
        Expr::Function(function) if name_parts(&function.name) == ["row"] => {
            let sqlparser::ast::FunctionArguments::List(list) = &function.args else {
                return Ok(Vec::new());
            };
            let value = |one: &sqlparser::ast::FunctionArg| match one {
                sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(
                    expr,
                )) => Some(expr.clone()),
                _ => None,
            };
            Ok(list.args.iter().filter_map(value).collect())
        }
        Expr::Subquery(query) => (0..count).map(|place| column_of(&query, place, count)).collect(),
        // `(a) = (x)`: the parentheses are the value's own.
        Expr::Nested(value) => Ok(vec![*value]),
        value => Ok(vec![value]),
    }
}

/// `(SELECT cN FROM (query) AS r (c0, c1, …))`.
fn column_of(query: &Query, place: usize, count: usize) -> Parsed<Expr> {
    let columns: Vec<String> = (0..count).map(|place| format!("c{place}")).collect();
    let text = format!("SELECT c{place} FROM (SELECT 1) AS r ({})", columns.join(", "));
    let outer = parse::query(&text).map_err(|error| ParserError::ParserError(error.message));
    let mut outer = outer?;
    if let SetExpr::Select(select) = outer.body.as_mut() {
        for table in &mut select.from {
            if let TableFactor::Derived { subquery, alias: Some(alias), .. } = &mut table.relation {
                **subquery = query.clone();
                alias.name = Ident::new("r");
            }
        }
    }
    Ok(Expr::Subquery(Box::new(outer)))
}
