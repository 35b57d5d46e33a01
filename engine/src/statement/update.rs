//! `UPDATE` (manual: sql-update): the new rows are a query over the old ones and their addresses.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_catalog::storage::RowAddress;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{
    self, Assignment, Expr, Ident, SelectItem, TableFactor, TableWithJoins, Update,
    UpdateTableFromKind,
};

use super::insert::assigned;
use super::referential::{Event, settle};
use super::returning::{Returning, beside};
use super::rows::{self, SelectParts, Written};
use super::{Described, check};
use crate::api::Outcome;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::needs::Need;
use crate::planning::{self, Changed, Planned};
use crate::privacy::stored;
use crate::road::Conditions;
use crate::session::{Prepared, Session};

/// Parameters and RETURNING's columns.
pub(super) fn describe(
    context: &Arc<QueryContext>,
    update: &Update,
    declared: &[Option<PgType>],
) -> Result<Described> {
    let (relation, returning, planned) = plan(context, update, declared)?;
    let (_, alias) = table_of(&update.table)?;
    rows::describe(context, planned, &relation, alias.as_ref(), returning.items.as_ref())
}

/// Runs an UPDATE.
pub(super) async fn execute(
    session: &mut Session,
    update: &Update,
    (prepared, parameters): (&Prepared, Vec<ScalarValue>),
) -> Result<Outcome> {
    session.writable("UPDATE")?;
    let context = session.context().await?;
    let kept = session.kept(prepared, &context).await?;
    let update = match kept.through.as_ref().map(|through| &through.statement) {
        Some(ast::Statement::Update(through)) => through,
        _ => update,
    };
    let relation = kept.written_to()?;
    let batches = session.rows(&context, &kept, parameters.clone()).await?;
    let once = once(batches)?;
    let written = replace(session, &context, (&relation, &kept.conditions), &once).await?;
    check::options(&context, &kept, &written)?;
    settle(session, &context, Event::Update).await?;
    let count: usize = written.iter().map(RecordBatch::num_rows).sum();
    let (_, alias) = table_of(&update.table)?;
    let label = label(&relation, alias.as_ref());
    let returning = update.returning.as_ref();
    let returning = Returning::new(&context, (&relation, &label), from(update), returning)?.items;
    let returning = returning.as_ref();
    let written = rows::recognised(session, &relation, returning, written).await?;
    let written = beside(&relation, written, &once.rows)?;
    rows::outcome(
        session,
        &context,
        Written {
            kept: &kept,
            relation: &relation,
            alias: alias.as_ref(),
            returning,
            rows: written,
            parameters,
            tag: format!("UPDATE {count}"),
        },
    )
    .await
}

/// Runs a plan of `ctid` and new values: the old rows go, the new ones come. Returns the addresses
/// of the old rows and the new rows, in one order.
pub(super) async fn apply(
    session: &mut Session,
    context: &Arc<QueryContext>,
    relation: &Arc<Relation>,
    plan: LogicalPlan,
) -> Result<(Vec<RowAddress>, Vec<RecordBatch>)> {
    let once = once(session.collect(context, plan).await?)?;
    let written = replace(session, context, (relation, &Conditions::default()), &once).await?;
    Ok((once.addresses, written))
}

/// What a plan of `ctid` and new values gave, each row once.
struct Once {
    addresses: Vec<RowAddress>,
    rows: Vec<RecordBatch>,
}

fn once(batches: Vec<RecordBatch>) -> Result<Once> {
    let mut seen = HashSet::new();
    let mut once = Once { addresses: Vec::new(), rows: Vec::with_capacity(batches.len()) };
    for batch in batches {
        let (found, batch) = rows::addresses(&batch, &mut seen)?;
        once.addresses.extend(found);
        once.rows.push(batch);
    }
    Ok(once)
}

/// Puts new rows in the place of those that they are addressed to, and returns them.
async fn replace(
    session: &mut Session,
    context: &Arc<QueryContext>,
    (relation, conditions): (&Arc<Relation>, &Conditions),
    once: &Once,
) -> Result<Vec<RecordBatch>> {
    let schema = rows::schema(relation);
    let checked =
        |batch| check::kept_rows(context, conditions, relation, rows::shaped(batch, &schema, 1)?);
    let written: Vec<RecordBatch> = once.rows.iter().map(checked).collect::<Result<_>>()?;
    check::policies(context, relation, 'w', &written)?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    transaction.update(relation.oid, &once.addresses, &written)?;
    Ok(written)
}

/// The other tables.
fn from(update: &Update) -> &[TableWithJoins] {
    match &update.from {
        Some(UpdateTableFromKind::AfterSet(tables) | UpdateTableFromKind::BeforeSet(tables)) => {
            tables
        }
        None => &[],
    }
}

/// The name that the target has in the statement.
pub(super) fn label(relation: &Relation, alias: Option<&Ident>) -> Ident {
    alias.cloned().unwrap_or_else(|| rows::quoted(&relation.name))
}

fn plan(
    context: &Arc<QueryContext>,
    update: &Update,
    declared: &[Option<PgType>],
) -> Result<(Arc<Relation>, Returning, Planned)> {
    let (name, alias) = table_of(&update.table)?;
    let relation = rows::target(context, &name, "update")?;
    let label = label(&relation, alias.as_ref());
    let others = from(update);
    let returning = update.returning.as_ref();
    let returning = Returning::new(context, (&relation, &label), others, returning)?;
    let mut projection = vec![rows::named(rows::column_of(&label, "ctid"), "ctid")];
    projection.extend(new_values(&relation, &label, &update.assignments)?);
    projection.extend(returning.projection());
    let from = std::iter::once(&update.table).chain(others).cloned().collect();
    let selection = update.selection.clone();
    let query = rows::select(SelectParts { projection, from, selection })?;
    let need = need(&relation, &update.assignments)?;
    let own = own_outputs(&relation, &update.assignments)?;
    let changed =
        Changed { target: relation.oid, command: 'w', own: &|place| own.contains(&place) };
    let mut planned = planning::plan_for_target(context, query, declared, &changed)?;
    planned.needs.push(need);
    let plan = assign(context, &relation, planned.plan)?;
    Ok((relation, returning, Planned { plan, ..planned }))
}

/// UPDATE on the assigned columns.
pub(super) fn need(relation: &Arc<Relation>, assignments: &[Assignment]) -> Result<Need> {
    let names: Vec<String> = assignments.iter().map(assigned).collect::<Result<_>>()?;
    Ok(Need::on(relation, 'w', names.iter().map(String::as_str)))
}

/// Places, behind `ctid`, of the columns that stay as they are: nobody asked to read them.
pub(super) fn own_outputs(
    relation: &Relation,
    assignments: &[Assignment],
) -> Result<HashSet<usize>> {
    let names: Vec<String> = assignments.iter().map(assigned).collect::<Result<_>>()?;
    let columns = relation.live_columns().enumerate();
    let stays = columns.filter(|(_, column)| !names.contains(&column.name));
    Ok(stays.map(|(place, _)| place + 1).chain([0]).collect())
}

/// Casts the values behind `ctid` to the columns' types; what is behind these stays.
pub(super) fn assign(
    context: &Arc<QueryContext>,
    relation: &Relation,
    plan: LogicalPlan,
) -> Result<LogicalPlan> {
    let mut targets = vec![("ctid".to_owned(), PgType::TID)];
    targets.extend(rows::assignment(relation));
    planning::project_with_rest(plan, &targets, context)
}

/// The value of each live column after the assignments, as SELECT items.
pub(super) fn new_values(
    relation: &Relation,
    label: &Ident,
    assignments: &[Assignment],
) -> Result<Vec<SelectItem>> {
    let mut set: Vec<(String, &Expr)> = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        let name = assigned(assignment)?;
        if relation.column(&name).is_none() {
            let text =
                format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            let error = Error::new("42703", text);
            return Err(match &assignment.target {
                ast::AssignmentTarget::ColumnName(name) => rows::placed(error, name),
                ast::AssignmentTarget::Tuple(_) => error,
            });
        }
        let defaulted = matches!(&assignment.value, Expr::Identifier(word) if is_default(word));
        if relation.column(&name).is_some_and(|column| column.generated.is_some()) {
            if defaulted {
                continue;
            }
            let text = format!("column \"{name}\" can only be updated to DEFAULT");
            return Err(Error::new("428C9", text)
                .with_detail(format!("Column \"{name}\" is a generated column.")));
        }
        if !defaulted && relation.column(&name).is_some_and(|one| one.identity == Some('a')) {
            let text = format!("column \"{name}\" can only be updated to DEFAULT");
            let detail =
                format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS.");
            return Err(Error::new("428C9", text).with_detail(detail));
        }
        if set.iter().any(|(one, _)| *one == name) {
            return Err(Error::new(
                "42601",
                format!("multiple assignments to same column \"{name}\""),
            ));
        }
        set.push((name, &assignment.value));
    }
    let mut items = Vec::new();
    for column in relation.live_columns() {
        let value = match set.iter().find(|(name, _)| *name == column.name) {
            Some((_, Expr::Identifier(word))) if is_default(word) => rows::default_of(column)?,
            Some((_, value)) => typed_placeholder((*value).clone(), column.pg_type)?,
            None => stored::marked(rows::column_of(label, &column.name)),
        };
        items.push(rows::named(value, &column.name));
    }
    Ok(items)
}

fn is_default(word: &Ident) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case("default")
}

/// `SET a = $1`: the parameter has the column's type.
fn typed_placeholder(value: Expr, pg_type: PgType) -> Result<Expr> {
    let open =
        matches!(&value, Expr::Value(inner) if matches!(inner.value, ast::Value::Placeholder(_)));
    if !open {
        return Ok(value);
    }
    rows::typed(value, pg_type)
}

/// Name and alias of the target.
pub(super) fn table_of(table: &TableWithJoins) -> Result<(ast::ObjectName, Option<Ident>)> {
    match &table.relation {
        TableFactor::Table { name, alias, .. } => {
            Ok((name.clone(), alias.as_ref().map(|alias| alias.name.clone())))
        }
        _ => Err(Error::unsupported("a target that is not a table")),
    }
}
