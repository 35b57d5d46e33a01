//! Rows of the feature's tables.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{NodeRows, RowAddress};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::scalar::ScalarValue;
use sqlparser::ast;

use crate::builtin;
pub(super) use crate::builtin::stored;
use crate::error::{Error, Result};
use crate::planning;
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::sql;

/// The rows of a query of the engine's own, in one batch. Nobody's privileges are asked for, and who
/// is restricted may ask for access as well.
pub(super) async fn select(
    session: &Session,
    context: &Arc<QueryContext>,
    query: &str,
) -> Result<RecordBatch> {
    let context = context.as_role(BOOTSTRAP_ROLE_OID).seeing_clear();
    let query = sql::parse::query(query)?;
    let planning_context = Arc::clone(&context);
    let planned =
        session.compute(async move { planning::plan_query(&planning_context, query, &[]) }).await?;
    let schema = Arc::new(planned.plan.schema().as_arrow().clone());
    let batches = session.collect(&context, planned.plan).await?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    concat_batches(&schema, &batches).map_err(Error::internal)
}

/// Where the rows of a built-in table are that have one of some numbers in a column.
///
/// # Errors
/// A file cannot be read.
pub(super) fn with_number(
    context: &QueryContext,
    relation: Oid,
    column: &str,
    wanted: &[i64],
) -> Result<Vec<RowAddress>> {
    let relation = builtin::table(relation)?;
    let number = relation.column(column).map(|one| one.number);
    let number = number.ok_or_else(|| Error::internal("a built-in column is missing"))?;
    let mut found = Vec::new();
    context.store.node_rows(
        &context.snapshot,
        relation,
        (Subject::Person, &[number]),
        |rows: NodeRows| {
            let numbers = rows.columns.first().and_then(|one| one.as_primitive_opt::<Int64Type>());
            let Some(numbers) = numbers else { return };
            let pairs = rows.addresses.iter().zip(numbers);
            let wanted = pairs.filter(|(_, one)| one.is_some_and(|one| wanted.contains(&one)));
            found.extend(wanted.map(|(address, _)| *address));
        },
    )?;
    Ok(found)
}

/// A table with rows, by its name as `regclass` reads it.
///
/// # Errors
/// 42P01, 42809.
pub(super) fn table(context: &QueryContext, name: &str) -> Result<Arc<Relation>> {
    let name = match sql::parse::expression(name)? {
        ast::Expr::Identifier(one) => ast::ObjectName::from(vec![one]),
        ast::Expr::CompoundIdentifier(parts) => ast::ObjectName::from(parts),
        _ => return Err(Error::new("42602", "invalid name syntax")),
    };
    let relation = context.relation(&name)?;
    match relation.stores_rows() {
        true => Ok(relation),
        false => Err(Error::new("42809", format!("\"{}\" stores no rows", relation.name))),
    }
}

/// The end of something, as an argument says it; `None`: it has none.
///
/// # Errors
/// 22023 for one that is over.
pub(super) fn until(arguments: &[ScalarValue], at: usize, name: &str) -> Result<Option<i64>> {
    let Some(ScalarValue::TimestampMicrosecond(Some(until), _)) = arguments.get(at) else {
        return Ok(None);
    };
    match *until > Utc::now().timestamp_micros() {
        true => Ok(Some(*until)),
        false => Err(Error::new("22023", format!("{name} must not be in the past"))),
    }
}

/// A text of a row.
pub(super) fn text<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> Option<&'a str> {
    let array = batch.column_by_name(name)?;
    let array = array.as_string_view_opt().filter(|array| array.is_valid(row))?;
    Some(array.value(row))
}

/// An instant of a row, in microseconds since 1970.
pub(super) fn instant(batch: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let array = batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    array.is_valid(row).then(|| array.value(row))
}

/// A number of a row.
pub(super) fn number(batch: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let array = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
    array.is_valid(row).then(|| array.value(row))
}
