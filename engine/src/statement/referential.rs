//! What a statement owes to foreign keys at its end (manual: ddl-constraints-fk): what its rows
//! refer to is there, and what referred to rows that are gone is refused, deleted or set.

use std::sync::Arc;

use clientele_catalog::definition::{ForeignKey, Relation};
use clientele_catalog::storage::{Orphans, Transaction};
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{ConstraintCharacteristics, DeferrableInitial};
use tokio::sync::Mutex;

use super::{check, rows};
use crate::error::{Error, Result};
use crate::planning;
use crate::planning::context::QueryContext;
use crate::session::Session;

/// How keys can go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// `ON DELETE`.
    Delete,
    /// `ON UPDATE`.
    Update,
}

/// Settles what the statement has done so far.
///
/// # Errors
/// 23503, and what the constraints of rows that are set refuse.
pub(super) async fn settle(
    session: &mut Session,
    context: &Arc<QueryContext>,
    event: Event,
) -> Result<()> {
    let work = session.work().await?;
    orphaned(session, context, (&work, event)).await?;
    work.lock().await.check_references()?;
    Ok(())
}

/// Acts on rows that refer to keys which are gone. That may take away keys of their own.
async fn orphaned(
    session: &Session,
    context: &Arc<QueryContext>,
    (work, event): (&Mutex<Transaction>, Event),
) -> Result<()> {
    let found = work.lock().await.orphans(event == Event::Update)?;
    for orphans in &found {
        let relation = &orphans.relation;
        let key = relation.foreign_keys().find(|one| one.oid == orphans.key);
        let key = key.ok_or_else(|| Error::internal("a foreign key is gone"))?;
        let action = if event == Event::Delete { key.on_delete } else { key.on_update };
        let next = match action {
            'c' if event == Event::Delete => {
                work.lock().await.delete(relation.oid, &orphans.rows)?;
                Event::Delete
            }
            'c' => {
                let mut work = work.lock().await;
                let Some(followed) = work.followed(orphans)? else {
                    return Err(work.still_referenced(orphans)?.into());
                };
                set(&mut work, context, orphans, &followed)?;
                Event::Update
            }
            'n' | 'd' => {
                let values = replacements(session, context, (relation, &key), action).await?;
                let rows = orphans.rows.len();
                let values = values
                    .into_iter()
                    .map(|(number, value)| Ok((number, value.to_array_of_size(rows)?)));
                let values = values.collect::<Result<Vec<_>>>()?;
                set(&mut *work.lock().await, context, orphans, &values)?;
                Event::Update
            }
            _ => return Err(work.lock().await.still_referenced(orphans)?.into()),
        };
        Box::pin(orphaned(session, context, (work, next))).await?;
    }
    Ok(())
}

/// What the referring columns become: NULL, or their defaults.
async fn replacements(
    session: &Session,
    context: &Arc<QueryContext>,
    (relation, key): (&Relation, &ForeignKey<'_>),
    action: char,
) -> Result<Vec<(i16, ScalarValue)>> {
    let mut values = Vec::with_capacity(key.columns.len());
    for column in key.columns.iter().filter_map(|number| relation.column_by_number(*number)) {
        let null = ScalarValue::try_from(&column.pg_type.arrow())?;
        let value = match action {
            'd' if column.default.is_some() => {
                let planned = planning::plan_scalar(context, &rows::default_of(column)?)?;
                let target = [(column.name.clone(), column.pg_type)];
                let plan = planning::project_for_assignment(planned.plan, &target, context)?;
                super::alter_table::first_value(&session.collect(context, plan).await?)?
            }
            _ => null,
        };
        values.push((column.number, value));
    }
    Ok(values)
}

/// Puts rows with other values in the referring columns in the place of the orphans.
fn set(
    transaction: &mut Transaction,
    context: &Arc<QueryContext>,
    orphans: &Orphans,
    values: &[(i16, ArrayRef)],
) -> Result<()> {
    let relation = &orphans.relation;
    let (addresses, before) = transaction.found_at(relation, &orphans.rows)?;
    let columns = relation.live_columns().zip(before.columns()).map(|(column, array)| {
        let value = values.iter().find(|(number, _)| *number == column.number);
        Arc::clone(value.map_or(array, |(_, value)| value))
    });
    let after = RecordBatch::try_new(rows::schema(relation), columns.collect());
    let after = check::rows(context, relation, after.map_err(Error::internal)?)?;
    Ok(transaction.update(relation.oid, &addresses, &[after])?)
}

/// What a foreign key says of when it is looked at: whether it is deferred at first; `None`: never.
pub(super) fn deferrable(said: Option<&ConstraintCharacteristics>) -> Result<Option<bool>> {
    let deferred = said.and_then(|one| one.initially) == Some(DeferrableInitial::Deferred);
    match said.and_then(|one| one.deferrable) {
        Some(true) => Ok(Some(deferred)),
        Some(false) if deferred => {
            let text = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";
            Err(Error::new("42601", text))
        }
        _ => Ok(deferred.then_some(true)),
    }
}
