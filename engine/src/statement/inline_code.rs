//! `DO` (manual: sql-do): the steps of a block one after the other, in the transaction of the
//! statement; a block that handles errors is undone before its handler runs.

use datafusion::arrow::array::{Array, AsArray};
use futures::StreamExt;

use crate::api::Outcome;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::sql::inline_code::{self, Block, Handler, Step};
use crate::sql::{Body, Statement};

/// Runs a block.
pub(super) async fn execute(session: &mut Session, language: &str, code: &str) -> Result<String> {
    if language != "plpgsql" {
        let known = language == "sql";
        return Err(match known {
            true => Error::new("0A000", "language \"sql\" does not support inline code execution"),
            false => Error::new("42704", format!("language \"{language}\" does not exist")),
        });
    }
    let block = inline_code::block(code)?;
    run_block(session, &block).await.map_err(|error| Error { position: None, ..error })?;
    Ok("DO".to_owned())
}

async fn run_block(session: &mut Session, block: &Block) -> Result<()> {
    if block.handlers.is_empty() {
        return run_steps(session, &block.steps).await;
    }
    let work = session.work().await?;
    let savepoint = work.lock().await.savepoint();
    let Err(error) = run_steps(session, &block.steps).await else { return Ok(()) };
    let handles = |one: &&Handler| one.conditions.iter().any(|name| is_met(name, error.sqlstate));
    let Some(handler) = block.handlers.iter().find(handles) else { return Err(error) };
    work.lock().await.rollback_to(savepoint);
    drop(work);
    run_steps(session, &handler.steps).await
}

async fn run_steps(session: &mut Session, steps: &[Step]) -> Result<()> {
    for step in steps {
        match step {
            Step::Nothing => {}
            Step::Run(statement) => run(session, statement).await?,
            Step::If(branches, otherwise) => {
                let steps = chosen(session, branches).await?.unwrap_or(otherwise);
                Box::pin(run_steps(session, steps)).await?;
            }
            Step::Block(block) => Box::pin(run_block(session, block)).await?,
            Step::Raise("ERROR", message) => return Err(Error::new("P0001", message.clone())),
            Step::Raise(level, message) => session.notice(level, "00000", message.clone()),
        }
    }
    Ok(())
}

async fn run(session: &mut Session, statement: &Statement) -> Result<()> {
    let refused = match statement.body.as_ref() {
        Body::Transaction(_) => Err(Error::new("2D000", "invalid transaction termination")),
        Body::CopyFrom(_) | Body::CopyTo(_) => Err(Error::unsupported("COPY in DO")),
        _ => Ok(()),
    };
    refused?;
    if let Outcome::Rows(mut rows) = session.run_within(statement.clone()).await? {
        while let Some(batch) = rows.stream.next().await {
            batch?;
        }
    }
    Ok(())
}

/// The steps of the first branch whose condition is true.
async fn chosen<'a>(
    session: &mut Session,
    branches: &'a [(Statement, Vec<Step>)],
) -> Result<Option<&'a Vec<Step>>> {
    for (condition, steps) in branches {
        let Outcome::Rows(mut rows) = session.run_within(condition.clone()).await? else {
            return Err(Error::internal("a condition without rows"));
        };
        let mut is_true = false;
        while let Some(batch) = rows.stream.next().await {
            let batch = batch?;
            let Some(values) = batch.column(0).as_boolean_opt() else {
                let message = "argument of IF must be type boolean";
                return Err(Error::new("42804", message));
            };
            is_true |= !values.is_empty() && !values.is_null(0) && values.value(0);
        }
        if is_true {
            return Ok(Some(steps));
        }
    }
    Ok(None)
}

/// Names of conditions that schema tools catch, as PostgreSQL calls them (manual: errcodes).
#[rustfmt::skip]
const CONDITIONS: &[(&str, &str)] = &[
    ("check_violation", "23514"), ("dependent_objects_still_exist", "2BP01"),
    ("division_by_zero", "22012"), ("duplicate_alias", "42712"), ("duplicate_column", "42701"),
    ("duplicate_database", "42P04"), ("duplicate_function", "42723"),
    ("duplicate_object", "42710"), ("duplicate_schema", "42P06"), ("duplicate_table", "42P07"),
    ("feature_not_supported", "0A000"), ("foreign_key_violation", "23503"),
    ("insufficient_privilege", "42501"), ("invalid_schema_name", "3F000"),
    ("invalid_table_definition", "42P16"), ("not_null_violation", "23502"),
    ("object_not_in_prerequisite_state", "55000"), ("raise_exception", "P0001"),
    ("undefined_column", "42703"), ("undefined_function", "42883"),
    ("undefined_object", "42704"), ("undefined_table", "42P01"), ("unique_violation", "23505"),
    ("wrong_object_type", "42809"),
];

/// Whether an error is what a handler waits for. `OTHERS` leaves out cancelled statements.
fn is_met(condition: &str, sqlstate: &str) -> bool {
    match condition {
        "others" => sqlstate != "57014",
        name => name == sqlstate || CONDITIONS.contains(&(name, sqlstate)),
    }
}
