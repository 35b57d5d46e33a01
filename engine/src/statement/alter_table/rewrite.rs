//! Changes that give the rows other values: they are read from the old snapshot, truncated and
//! written anew, all in the statement's transaction.

use std::collections::HashMap;

use clientele_catalog::definition::{Column, Object, Relation, RelationKind};
use clientele_catalog::storage::RowAddress;
use clientele_udfs::cast;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{AsArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use futures::StreamExt;
use sqlparser::ast::{self, DataType, Expr, Ident, SelectItem};

use super::super::create_view::plain;
use super::super::rows::{named, quoted, schema, shaped};
use super::super::{check, dependency, rows};
use super::columns::column_mut;
use super::existing_rows::{any, qualified};
use super::{Target, put};
use crate::error::{Error, Result};
use crate::planning::rights::kind_of;
use crate::planning::{self, Changed, types};
use crate::privacy::hide;
use crate::session::Session;
use crate::sql;
use crate::sql::place::folded;

/// `ALTER COLUMN TYPE … [USING …]`.
pub(super) async fn change_type(
    session: &mut Session,
    target: &Target,
    name: &Ident,
    (data_type, using): (&DataType, Option<&Expr>),
) -> Result<()> {
    let name = folded(name);
    let mut after = target.relation.as_ref().clone();
    let column = column_mut(&mut after, &name)?;
    if let Some(view) =
        dependency::users_of_column(target.context.catalog(), &target.relation, &name).first()
    {
        return Err(Error::new("0A000", "cannot alter type of a column used by a view or rule")
            .with_detail(format!(
                "{} {} depends on column \"{name}\".",
                kind_of(view),
                view.name
            )));
    }
    let wanted = types::named_type(data_type, &target.context)?;
    let before = std::mem::replace(&mut column.pg_type, wanted.pg_type);
    column.domain = wanted.domain.as_ref().map(|domain| domain.oid);
    check_default(target, column)?;
    if let Some(using) = using {
        hide::refuse_hidden(&target.context, &target.relation, using, Some(&name))?;
    }
    if let (Some(_), Some(_)) = (target.relation.foreign(), using) {
        return Err(Error::new("42809", format!("\"{}\" is not a table", target.relation.name)));
    }
    if target.relation.foreign().is_some() || using.is_none() && keeps_values(before, column) {
        return put(session, [Object::Relation(after)]).await;
    }
    if using.is_none() && before != wanted.pg_type && !cast::exists(before, wanted.pg_type, false) {
        return Err(no_cast(&name, wanted.pg_type));
    }
    column.missing = None;
    let items = target.relation.live_columns().map(|column| {
        let own = Expr::Identifier(quoted(&column.name));
        let value = using.filter(|_| column.name == name).cloned().unwrap_or(own);
        named(value, &column.name)
    });
    let items = items.collect();
    let filled = fill(session, target, &after, items).await;
    filled.map(drop).map_err(|error| hide::value(&target.context, error))
}

fn no_cast(column: &str, to: PgType) -> Error {
    let to = to.sql_name();
    let text = format!("column \"{column}\" cannot be cast automatically to type {to}");
    Error::new("42804", text)
        .with_hint(format!("You might need to specify \"USING {}::{to}\".", plain(column)))
}

/// Whether every value stays as it is: a text column that only gets longer.
fn keeps_values(before: PgType, column: &Column) -> bool {
    let after = column.pg_type;
    let text = |one: PgType| [PgType::TEXT.oid, PgType::VARCHAR.oid].contains(&one.oid);
    let longer = match (before.length_max(), after.length_max()) {
        (_, None) => true,
        (Some(before), Some(after)) => before <= after,
        (None, Some(_)) => false,
    };
    column.domain.is_none() && (before == after || text(before) && text(after) && longer)
}

fn check_default(target: &Target, column: &Column) -> Result<()> {
    let Some(default) = &column.default else { return Ok(()) };
    let planned = planning::plan_scalar(&target.context, &sql::parse::expression(default)?)?;
    let types = [(column.name.clone(), column.pg_type)];
    let assigned = planning::project_for_assignment(planned.plan, &types, &target.context);
    assigned.map(drop).map_err(|_| {
        let text = format!(
            "default for column \"{}\" cannot be cast automatically to type {}",
            column.name,
            column.pg_type.sql_name()
        );
        Error::new("42804", text)
    })
}

/// `ADD COLUMN` with a default that differs from row to row.
pub(super) async fn with_new_column(
    session: &mut Session,
    target: &Target,
    after: &Relation,
    (column, sequence): (&Column, Option<Relation>),
) -> Result<()> {
    if !any(session, &target.context, &target.relation).await? {
        return put(session, [Object::Relation(after.clone())]).await;
    }
    if let Some(generation) = &column.generated {
        let generation = sql::parse::expression(generation)?;
        hide::refuse_hidden(&target.context, &target.relation, &generation, None)?;
    }
    let value = match &sequence {
        // A sequence that is not committed cannot be drawn from, and nobody else knows it yet.
        Some(_) => sql::parse::expression("row_number() OVER ()")?,
        None => rows::default_of(column)?,
    };
    let mut items: Vec<SelectItem> = target
        .relation
        .live_columns()
        .map(|column| named(Expr::Identifier(quoted(&column.name)), &column.name))
        .collect();
    items.push(named(value, &column.name));
    let count = fill(session, target, after, items).await?;
    if let Some(mut relation) = sequence
        && let RelationKind::Sequence(sequence) = &mut relation.kind
    {
        sequence.last_value = i64::try_from(count).ok();
        put(session, [Object::Relation(relation)]).await?;
    }
    Ok(())
}

/// Writes the rows of a query over the old relation as the rows of the new one. Those that a legal
/// hold keeps of people who were erased stay kept.
pub(super) async fn fill(
    session: &mut Session,
    target: &Target,
    after: &Relation,
    mut items: Vec<SelectItem>,
) -> Result<usize> {
    let mut query = sql::parse::query(&format!(
        "SELECT 1 FROM {}",
        qualified(&target.context, &target.relation)
    ))?;
    items.insert(0, named(Expr::Identifier(quoted("ctid")), "ctid"));
    if let ast::SetExpr::Select(select) = query.body.as_mut() {
        select.projection = items;
    }
    let mut types = vec![("ctid".to_owned(), PgType::TID)];
    types.extend(rows::assignment(after));
    // Rows move from one form to another; what they hold is shown to nobody.
    let context = target.context.seeing_clear();
    let relation = target.relation.oid;
    let plan = session
        .compute(async move {
            let changed = Changed { target: relation, command: 'w', own: &|place| place == 0 };
            let planned = planning::plan_for_target(&context, query, &[], &changed)?;
            planning::project_for_assignment(planned.allowed(&context)?.plan, &types, &context)
        })
        .await?;
    let mut stream = session.stream(&target.context, plan).await?;
    let marks = {
        let work = session.work().await?;
        let mut transaction = work.lock().await;
        let marks = transaction.marks(&target.relation)?;
        transaction.put(Object::Relation(after.clone()));
        transaction.truncate(after.oid);
        marks
    };
    let shape = schema(after);
    let mut count = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let rows = check::rows(&target.context, after, shaped(&batch, &shape, 1)?)?;
        count += rows.num_rows();
        let work = session.work().await?;
        let mut transaction = work.lock().await;
        transaction.insert_marked(after.oid, rows, &marks_at(&batch, &marks)?)?;
    }
    Ok(count)
}

/// The mark of each row, by its address.
fn marks_at(batch: &RecordBatch, marks: &HashMap<RowAddress, i64>) -> Result<Int64Array> {
    let addresses = batch.column(0).as_primitive_opt::<Int64Type>();
    let addresses = addresses.ok_or_else(|| Error::internal("row addresses are missing"))?;
    Ok(addresses.iter().map(|one| marks.get(&RowAddress::from_i64(one?)).copied()).collect())
}
