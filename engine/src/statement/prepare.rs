//! `PREPARE`, `EXECUTE`, `DEALLOCATE` (manual: sql-prepare).

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;
use sqlparser::ast;

use crate::api::{Column, Outcome};
use crate::error::{Error, Result};
use crate::planning::{self, types};
use crate::session::{Prepared, Session, missing};
use crate::sql::Statement;

/// Columns of what is executed.
pub(super) fn columns(session: &Session, name: &str) -> Result<Option<Vec<Column>>> {
    Ok(session.named(name)?.columns().map(<[Column]>::to_vec))
}

/// `PREPARE`.
pub(super) async fn prepare(
    session: &mut Session,
    name: &str,
    declared: &[ast::DataType],
    statement: &Statement,
) -> Result<Outcome> {
    session.refuse_taken(name)?;
    let context = session.context().await?;
    let mut parameters = Vec::with_capacity(declared.len());
    for one in declared {
        parameters.push(Some(types::named_type(one, &context)?.pg_type));
    }
    let prepared = Box::pin(session.prepare_declared(statement.clone(), parameters)).await?;
    let source = Arc::clone(&statement.source);
    session.keep(name.to_owned(), prepared, Some(&source.text))?;
    Ok(Outcome::Done("PREPARE".to_owned()))
}

/// `EXECUTE`.
pub(super) async fn execute(
    session: &mut Session,
    name: &str,
    arguments: &[ast::Expr],
) -> Result<Outcome> {
    let prepared = session.named(name)?;
    let values = self::arguments(session, &prepared, (name, arguments)).await?;
    Box::pin(session.execute(&prepared, values)).await
}

/// The values of the parameters of a prepared statement.
pub(super) async fn arguments(
    session: &mut Session,
    prepared: &Prepared,
    (name, arguments): (&str, &[ast::Expr]),
) -> Result<Vec<ScalarValue>> {
    let wanted = prepared.parameters();
    if wanted.len() != arguments.len() {
        return Err(Error::new(
            "42601",
            format!("wrong number of parameters for prepared statement \"{name}\""),
        )
        .with_detail(format!(
            "Expected {} parameters but got {}.",
            wanted.len(),
            arguments.len()
        )));
    }
    let mut values = Vec::with_capacity(arguments.len());
    for (argument, pg_type) in arguments.iter().zip(wanted) {
        values.push(constant(session, argument, *pg_type).await?);
    }
    Ok(values)
}

/// The value of an expression without columns, as a value of a type.
pub(super) async fn constant(
    session: &mut Session,
    expr: &ast::Expr,
    pg_type: PgType,
) -> Result<ScalarValue> {
    let context = session.context().await?;
    let planned = planning::plan_scalar(&context, expr)?;
    let plan =
        planning::project_for_assignment(planned.plan, &[("value".to_owned(), pg_type)], &context)?;
    let batches = session.collect(&context, plan).await?;
    let row = batches.first().filter(|batch| batch.num_rows() > 0);
    match row {
        Some(batch) => Ok(ScalarValue::try_from_array(batch.column(0), 0)?),
        None => Err(Error::internal("an argument without a value")),
    }
}

/// `DEALLOCATE`.
pub(super) fn deallocate(session: &mut Session, name: Option<&str>) -> Result<String> {
    match name {
        None => {
            session.forget_all_named();
            Ok("DEALLOCATE ALL".to_owned())
        }
        Some(name) => match session.forget_named(name) {
            true => Ok("DEALLOCATE".to_owned()),
            false => Err(missing(name)),
        },
    }
}
