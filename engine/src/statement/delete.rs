//! `DELETE` (manual: sql-delete).

use std::collections::HashSet;
use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{Delete, FromTable, Statement, TableWithJoins};

use super::Described;
use super::referential::{Event, settle};
use super::returning::{Returning, beside};
use super::rows::{self, SelectParts, Written};
use super::update::{label, table_of};
use crate::api::Outcome;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::needs::Need;
use crate::planning::{self, Changed, Planned};
use crate::privacy::stored;
use crate::session::{Prepared, Session};

/// Parameters and RETURNING's columns.
pub(super) fn describe(
    context: &Arc<QueryContext>,
    delete: &Delete,
    declared: &[Option<PgType>],
) -> Result<Described> {
    let (relation, returning, planned) = plan(context, delete, declared)?;
    let (_, alias) = table_of(target(delete)?)?;
    rows::describe(context, planned, &relation, alias.as_ref(), returning.items.as_ref())
}

/// Runs a DELETE.
pub(super) async fn execute(
    session: &mut Session,
    delete: &Delete,
    (prepared, parameters): (&Prepared, Vec<ScalarValue>),
) -> Result<Outcome> {
    session.writable("DELETE")?;
    let context = session.context().await?;
    let kept = session.kept(prepared, &context).await?;
    let delete = match kept.through.as_ref().map(|through| &through.statement) {
        Some(Statement::Delete(through)) => through,
        _ => delete,
    };
    let relation = kept.written_to()?;
    let mut seen = HashSet::new();
    let mut addresses = Vec::new();
    let mut gone = Vec::new();
    for batch in session.rows(&context, &kept, parameters.clone()).await? {
        let (found, batch) = rows::addresses(&batch, &mut seen)?;
        addresses.extend(found);
        if delete.returning.is_some() {
            let own = vec![rows::shaped(&batch, &rows::schema(&relation), 1)?];
            gone.extend(beside(&relation, own, &[batch])?);
        }
    }
    let count = {
        let work = session.work().await?;
        let mut transaction = work.lock().await;
        transaction.delete(relation.oid, &addresses)?
    };
    settle(session, &context, Event::Delete).await?;
    let (_, alias) = table_of(target(delete)?)?;
    let (label, using) = (label(&relation, alias.as_ref()), using(delete));
    let returning = delete.returning.as_ref();
    let returning = Returning::new(&context, (&relation, &label), using, returning)?.items;
    rows::outcome(
        session,
        &context,
        Written {
            kept: &kept,
            relation: &relation,
            alias: alias.as_ref(),
            returning: returning.as_ref(),
            rows: gone.into_iter().filter(|batch: &RecordBatch| batch.num_rows() > 0).collect(),
            parameters,
            tag: format!("DELETE {count}"),
        },
    )
    .await
}

fn target(delete: &Delete) -> Result<&TableWithJoins> {
    let tables = match &delete.from {
        FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables,
    };
    tables.first().ok_or_else(|| Error::new("42601", "syntax error at end of input"))
}

/// The other tables.
fn using(delete: &Delete) -> &[TableWithJoins] {
    delete.using.as_deref().unwrap_or_default()
}

fn plan(
    context: &Arc<QueryContext>,
    delete: &Delete,
    declared: &[Option<PgType>],
) -> Result<(Arc<Relation>, Returning, Planned)> {
    let table = target(delete)?;
    let (name, alias) = table_of(table)?;
    let relation = rows::target(context, &name, "delete from")?;
    let label = label(&relation, alias.as_ref());
    let returning = delete.returning.as_ref();
    let returning = Returning::new(context, (&relation, &label), using(delete), returning)?;
    let mut projection = vec![rows::named(rows::column_of(&label, "ctid"), "ctid")];
    if delete.returning.is_some() {
        projection.extend(
            relation
                .live_columns()
                .map(|column| (stored::marked(rows::column_of(&label, &column.name)), column))
                .map(|(value, column)| rows::named(value, &column.name)),
        );
        projection.extend(returning.projection());
    }
    let from = std::iter::once(table).chain(using(delete)).cloned().collect();
    let selection = delete.selection.clone();
    let query = rows::select(SelectParts { projection, from, selection })?;
    // Addresses, and the old rows: what RETURNING shows of them is asked for there.
    let own = relation.live_columns().count();
    let changed = Changed { target: relation.oid, command: 'd', own: &|place| place <= own };
    let mut planned = planning::plan_for_target(context, query, declared, &changed)?;
    planned.needs.push(Need::on(&relation, 'd', []));
    Ok((relation, returning, planned))
}
