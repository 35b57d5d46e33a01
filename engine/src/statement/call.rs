//! `CALL procedure(arguments)` (manual: sql-call, sql-syntax-calling-funcs).

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{self, FunctionArguments};

use crate::api::{Column, Outcome, Rows, RowsTag};
use crate::error::{Error, Result};
use crate::functions::procedures::{self, Parameter, Procedure};
use crate::planning::context::QueryContext;
use crate::planning::{self, relations};
use crate::privacy::audit::Entry;
use crate::session::Session;
use crate::sql;
use crate::sql::normalised::normalised;
use crate::sql::place::name_parts;

const TAG: &str = "CALL";

/// The columns of a procedure's result; `None`: it has none, or there is no such procedure.
pub(super) fn columns(function: &ast::Function) -> Option<Vec<Column>> {
    let procedure = find(function).ok()?;
    if procedure.columns.is_empty() {
        return None;
    }
    let column = |(name, pg_type): &(&str, PgType)| Column {
        name: (*name).to_owned(),
        pg_type: *pg_type,
        table: 0,
        number: 0,
    };
    Some(procedure.columns.iter().map(column).collect())
}

/// Runs a CALL.
pub(super) async fn execute(
    session: &mut Session,
    function: &ast::Function,
    parameters: Vec<ScalarValue>,
) -> Result<Outcome> {
    let procedure = find(function)?;
    let arguments = match &function.args {
        FunctionArguments::None => Vec::new(),
        FunctionArguments::List(list) => relations::labelled(&list.args)?,
        FunctionArguments::Subquery(_) => {
            return Err(Error::unsupported("a query as an argument of CALL"));
        }
    };
    let context = session.context().await?;
    let mut values = Vec::with_capacity(procedure.parameters.len());
    for (parameter, expr) in matched(procedure, arguments)? {
        values.push(evaluate(session, &context, (parameter, expr), &parameters).await?);
    }
    // A procedure may wait for readers of older snapshots.
    drop(context);
    let act = act(session, procedure, &values);
    let reply = (procedure.kernel)(session, values).await?;
    session.shared.noted.lock().decisions.extend(act);
    match (reply, columns(function)) {
        (Some(batch), Some(columns)) => Ok(Outcome::Rows(rows(columns, batch))),
        _ => Ok(Outcome::Done(TAG.to_owned())),
    }
}

/// What the audit log says of a call: every act about somebody's data is in it.
fn act(session: &Session, procedure: &Procedure, values: &[ScalarValue]) -> Option<Entry> {
    if procedure.schema != "gdpr" || procedure.name == "classify" {
        // What does not change data of people notes its decisions itself.
        return None;
    }
    let dry = procedure.parameters.iter().position(|one| one.name == "dry_run");
    if matches!(dry.and_then(|at| values.get(at)), Some(ScalarValue::Boolean(Some(true)))) {
        return None;
    }
    // Reasons may name people: they are in `gdpr.requests`, where an erasure finds them.
    let statement = normalised(&session.shared.activity.lock().query);
    Some(Entry {
        kind: procedure.name,
        role: session.role.name.clone(),
        statement: Some(statement),
        ..Entry::default()
    })
}

fn rows(columns: Vec<Column>, batch: RecordBatch) -> Rows {
    let stream = Box::pin(futures::stream::iter([Ok(batch)]));
    Rows { columns, stream, tag: RowsTag::Fixed(TAG.to_owned()) }
}

fn find(function: &ast::Function) -> Result<&'static Procedure> {
    let parts = name_parts(&function.name);
    let found = match parts.as_slice() {
        [schema, name] => procedures::find(schema, name),
        _ => None,
    };
    found.ok_or_else(|| {
        let shown = parts.join(".");
        let error = Error::new("42883", format!("procedure {shown} does not exist"));
        let name = parts.last().map_or("", String::as_str);
        match procedures::all().find(|procedure| procedure.name == name) {
            Some(other) => {
                error.with_hint(format!("Perhaps you meant {}.", procedures::signature(other)))
            }
            None => error.with_hint("\\df shows the procedures that there are."),
        }
    })
}

/// Arguments in the order of the parameters, defaults filled in.
fn matched(
    procedure: &'static Procedure,
    arguments: Vec<(Option<String>, ast::Expr)>,
) -> Result<Vec<(&'static Parameter, ast::Expr)>> {
    let mut given: Vec<Option<ast::Expr>> = vec![None; procedure.parameters.len()];
    let mut named = false;
    for (index, (label, expr)) in arguments.into_iter().enumerate() {
        if label.is_none() && named {
            return Err(Error::new("42601", "positional argument cannot follow named argument"));
        }
        let place = match &label {
            None => index,
            Some(label) => {
                named = true;
                let place = procedure.parameters.iter().position(|one| one.name == label);
                place.ok_or_else(|| unfit(procedure, &format!("has no parameter \"{label}\"")))?
            }
        };
        let count = procedure.parameters.len();
        let slot = given.get_mut(place);
        let slot =
            slot.ok_or_else(|| unfit(procedure, &format!("takes at most {count} arguments")))?;
        if slot.replace(expr).is_some() {
            let name = label.unwrap_or_default();
            return Err(Error::new(
                "42601",
                format!("argument name \"{name}\" used more than once"),
            ));
        }
    }
    let pairs = procedure.parameters.iter().zip(given);
    pairs
        .map(|(parameter, expr)| match (expr, parameter.default) {
            (Some(expr), _) => Ok((parameter, expr)),
            (None, Some(default)) => Ok((parameter, sql::parse::expression(default)?)),
            (None, None) => {
                Err(unfit(procedure, &format!("needs the argument \"{}\"", parameter.name)))
            }
        })
        .collect()
}

fn unfit(procedure: &Procedure, how: &str) -> Error {
    Error::new("42883", format!("procedure {}.{} {how}", procedure.schema, procedure.name))
        .with_hint(format!("Its signature is {}.", procedures::signature(procedure)))
}

/// The value of an argument as the parameter's type. It is planned as any query is, so it may
/// have subqueries and the statement's parameters in it.
async fn evaluate(
    session: &Session,
    context: &Arc<QueryContext>,
    (parameter, expr): (&Parameter, ast::Expr),
    parameters: &[ScalarValue],
) -> Result<ScalarValue> {
    let declared: Vec<_> =
        parameters.iter().map(|value| Some(PgType::from_arrow(&value.data_type()))).collect();
    let query = super::rows::select(super::rows::SelectParts {
        projection: vec![super::rows::named(expr, parameter.name)],
        from: Vec::new(),
        selection: None,
    })?;
    let planning_context = Arc::clone(context);
    let target = [(parameter.name.to_owned(), parameter.pg_type)];
    let plan = session
        .compute(async move {
            let planned = planning::plan_query(&planning_context, query, &declared)?;
            planning::project_for_assignment(planned.plan, &target, &planning_context)
        })
        .await?;
    let batches = session.collect(context, planning::bind(plan, parameters.to_vec())?).await?;
    super::alter_table::first_value(&batches)
}
