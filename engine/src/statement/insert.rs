//! `INSERT` (manual: sql-insert): VALUES, SELECT, DEFAULT, ON CONFLICT, RETURNING.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_catalog::definition::{Constraint, ConstraintKind, Relation};
use clientele_catalog::privileges::Access;
use clientele_catalog::storage::RowAddress;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt64Array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{
    self, Assignment, AssignmentTarget, ConflictTarget, Expr, Ident, Insert, OnConflictAction,
    OnInsert, SetExpr, TableObject,
};

use super::referential::{Event, settle};
use super::rows::{self, SelectParts, Written};
use super::{Described, check, computed_key};
use crate::api::Outcome;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::needs::Need;
use crate::planning::{self, Changed, Planned};
use crate::session::{Prepared, Session};
use crate::sql;
use crate::sql::place::{folded, name_parts};

/// An INSERT, planned: rows for all live columns of the target.
struct Plan {
    relation: Arc<Relation>,
    source: Planned,
}

/// Parameters and RETURNING's columns.
pub(super) fn describe(
    context: &Arc<QueryContext>,
    insert: &Insert,
    declared: &[Option<PgType>],
) -> Result<Described> {
    let plan = plan(context, insert, declared)?;
    let returning = insert.returning.as_ref();
    rows::describe(context, plan.source, &plan.relation, alias(insert), returning)
}

/// Runs an INSERT.
pub(super) async fn execute(
    session: &mut Session,
    insert: &Insert,
    (prepared, parameters): (&Prepared, Vec<ScalarValue>),
) -> Result<Outcome> {
    session.writable("INSERT")?;
    let context = match prepared.statement.body.only_adds() {
        true => session.context_to_add().await?,
        false => session.context().await?,
    };
    let kept = session.kept(prepared, &context).await?;
    let insert = match kept.through.as_ref().map(|through| &through.statement) {
        Some(ast::Statement::Insert(through)) => through,
        _ => insert,
    };
    let relation = kept.written_to()?;
    let schema = Arc::clone(kept.row_schema.get_or_init(|| rows::schema(&relation)));
    let batches = session.rows(&context, &kept, parameters.clone()).await?;
    let batches: Vec<RecordBatch> =
        batches.iter().map(|batch| rows::shaped(batch, &schema, 0)).collect::<Result<_>>()?;
    let checked = |batch| check::kept_rows(&context, &kept.conditions, &relation, batch);
    let batches: Vec<RecordBatch> = batches.into_iter().map(checked).collect::<Result<_>>()?;
    check::policies(&context, &relation, 'a', &batches)?;
    let before = held_back(session).await?;
    let written = write(session, &context, &relation, insert, batches).await?;
    check::options(&context, &kept, &written)?;
    settle(session, &context, Event::Update).await?;
    let count: usize = written.iter().map(RecordBatch::num_rows).sum();
    let count = count.saturating_sub(held_back(session).await?.saturating_sub(before));
    let returning = insert.returning.as_ref();
    let written = rows::recognised(session, &relation, returning, written).await?;
    rows::outcome(
        session,
        &context,
        Written {
            kept: &kept,
            relation: &relation,
            alias: alias(insert),
            returning,
            rows: written,
            parameters,
            tag: format!("INSERT 0 {count}"),
        },
    )
    .await
}

/// How many rows of people who were erased the transaction has held back.
async fn held_back(session: &mut Session) -> Result<usize> {
    let work = session.work().await?;
    let count: u64 = work.lock().await.held_back().values().sum();
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

fn alias(insert: &Insert) -> Option<&Ident> {
    insert.table_alias.as_ref().map(|alias| &alias.alias)
}

/// Writes the rows, and returns those that were inserted or updated.
async fn write(
    session: &mut Session,
    context: &Arc<QueryContext>,
    relation: &Arc<Relation>,
    insert: &Insert,
    batches: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>> {
    let Some(OnInsert::OnConflict(conflict)) = &insert.on else {
        let work = session.work().await?;
        let mut transaction = work.lock().await;
        for batch in &batches {
            transaction.insert(relation.oid, batch.clone())?;
        }
        return Ok(batches);
    };
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let proposed = concat_batches(&first.schema(), &batches).map_err(Error::internal)?;
    let arbiters = arbiters(relation, conflict.conflict_target.as_ref())?;
    let (is_fresh, met) = divide(session, relation, &arbiters, &proposed).await?;
    let fresh = filter_record_batch(&proposed, &is_fresh).map_err(Error::internal)?;
    let mut written = vec![fresh.clone()];
    let updates = matches!(conflict.action, OnConflictAction::DoUpdate(_));
    let repeats = || is_fresh.values().iter().zip(&met).any(|(new, met)| !new && met.is_none());
    if updates && !arbiters.is_empty() && repeats() {
        return Err(second_time());
    }
    {
        let work = session.work().await?;
        work.lock().await.insert(relation.oid, fresh.clone())?;
    }
    if let OnConflictAction::DoUpdate(update) = &conflict.action {
        if arbiters.is_empty() {
            return Err(Error::new(
                "42601",
                "ON CONFLICT DO UPDATE requires inference specification or constraint name",
            ));
        }
        let proposed = (insert, update, proposed, met.clone());
        let (addresses, updated) = update_met(session, context, relation, proposed).await?;
        let returning = insert.returning.as_deref();
        let updated = rows::with_xmax(updated, returning, 1)?;
        let inserted = rows::with_xmax(vec![fresh], returning, 0)?;
        for fresh in inserted {
            written = as_proposed((&is_fresh, &met), fresh, (&addresses, updated.clone()))?;
        }
    }
    Ok(written.into_iter().filter(|batch| batch.num_rows() > 0).collect())
}

/// Inserted and updated rows in the order in which they were proposed, as PostgreSQL returns them.
fn as_proposed(
    (is_fresh, met): (&BooleanArray, &[Option<RowAddress>]),
    fresh: RecordBatch,
    (addresses, updated): (&[RowAddress], Vec<RecordBatch>),
) -> Result<Vec<RecordBatch>> {
    if addresses.is_empty() || fresh.num_rows() == 0 && addresses.len() == 1 {
        return Ok(std::iter::once(fresh).chain(updated).collect());
    }
    let count = fresh.num_rows();
    let places: HashMap<i64, usize> =
        addresses.iter().enumerate().map(|(at, one)| (one.to_i64(), count + at)).collect();
    let mut inserted = 0..count;
    let place = |(fresh, met): (bool, &Option<RowAddress>)| match fresh {
        true => inserted.next(),
        false => places.get(&met.as_ref()?.to_i64()).copied(),
    };
    let order = is_fresh.values().iter().zip(met).filter_map(place);
    let order: UInt64Array = order.map(|place| place as u64).collect::<Vec<_>>().into();
    let schema = fresh.schema();
    let all: Vec<RecordBatch> = std::iter::once(fresh).chain(updated).collect();
    let all = concat_batches(&schema, &all).map_err(Error::internal)?;
    Ok(vec![take_record_batch(&all, &order).map_err(Error::internal)?])
}

/// The unique constraints that ON CONFLICT watches.
fn arbiters(relation: &Relation, target: Option<&ConflictTarget>) -> Result<Vec<Constraint>> {
    match target {
        None => Ok(relation.unique_constraints().cloned().collect()),
        Some(ConflictTarget::OnConstraint(name)) => {
            let name = name_parts(name).pop().unwrap_or_default();
            if let Some(text) = name.strip_prefix(sql::INFERRED) {
                let found = computed_key::inferred(relation, text)?;
                return Ok(vec![found.ok_or_else(no_arbiter)?]);
            }
            let found = relation.unique_keys().find(|(constraint, _)| constraint.name == name);
            found.map(|(constraint, _)| vec![constraint.clone()]).ok_or_else(|| {
                Error::new(
                    "42704",
                    format!("constraint \"{name}\" for table \"{}\" does not exist", relation.name),
                )
            })
        }
        Some(ConflictTarget::Columns(names)) => {
            let mut wanted = Vec::new();
            for name in names {
                let name = folded(name);
                let column = relation.column(&name);
                wanted.push(column.ok_or_else(|| check::undefined_column(&name))?.number);
            }
            wanted.sort_unstable();
            let fits = |columns: &[i16]| {
                let mut columns = columns.to_vec();
                columns.sort_unstable();
                columns == wanted
            };
            let found = relation.unique_keys().find(|(_, columns)| fits(columns));
            found.map(|(constraint, _)| vec![constraint.clone()]).ok_or_else(no_arbiter)
        }
    }
}

fn no_arbiter() -> Error {
    let text = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
    Error::new("42P10", text)
}

/// Which proposed rows are new, and which existing row each other one meets.
async fn divide(
    session: &mut Session,
    relation: &Arc<Relation>,
    arbiters: &[Constraint],
    proposed: &RecordBatch,
) -> Result<(BooleanArray, Vec<Option<RowAddress>>)> {
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    let mut met: Vec<Option<RowAddress>> = vec![None; proposed.num_rows()];
    let mut fresh = vec![true; proposed.num_rows()];
    for constraint in arbiters {
        let found = transaction.find_key(relation, constraint.oid, proposed)?;
        for ((slot, fresh), (address, again)) in met.iter_mut().zip(&mut fresh).zip(found) {
            *slot = slot.or(address);
            *fresh = *fresh && !again;
        }
    }
    for (slot, address) in fresh.iter_mut().zip(&met) {
        *slot = *slot && address.is_none();
    }
    Ok((BooleanArray::from(fresh), met))
}

/// `DO UPDATE SET`: the met rows, joined to what was proposed for them.
async fn update_met(
    session: &mut Session,
    context: &Arc<QueryContext>,
    relation: &Arc<Relation>,
    (insert, update, proposed, met): (
        &Insert,
        &ast::DoUpdate,
        RecordBatch,
        Vec<Option<RowAddress>>,
    ),
) -> Result<(Vec<RowAddress>, Vec<RecordBatch>)> {
    // Who may read the whole table needs no plan to find out what he may read of it.
    let reads_all = Access::relation(relation).permits(&context.rights, 'r', false);
    if reads_all && met.iter().all(Option::is_none) {
        return Ok((Vec::new(), Vec::new()));
    }
    let is_met = BooleanArray::from(met.iter().map(Option::is_some).collect::<Vec<_>>());
    let rows = filter_record_batch(&proposed, &is_met).map_err(Error::internal)?;
    let addresses: Vec<i64> = met.iter().flatten().map(|address| address.to_i64()).collect();
    let none_met = addresses.is_empty();
    let distinct: std::collections::HashSet<i64> = addresses.iter().copied().collect();
    if distinct.len() < addresses.len() {
        return Err(second_time());
    }
    let mut columns = vec![("ctid", Arc::new(Int64Array::from(addresses)) as ArrayRef)];
    let schema = rows.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    columns.extend(names.zip(rows.columns().iter().cloned()));
    let excluded = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .map_err(Error::internal)?;
    let query = met_query(relation, insert, update)?;
    let fresh = session.context_to_add().await?;
    let own = super::update::own_outputs(relation, &update.assignments)?;
    let changed =
        Changed { target: relation.oid, command: 'w', own: &|place| own.contains(&place) };
    let rows = ("excluded".to_owned(), excluded);
    let planned = planning::plan_target_with_rows(&fresh, query, &changed, rows)?;
    let planned = planned.allowed(&fresh)?;
    if none_met {
        return Ok((Vec::new(), Vec::new()));
    }
    let plan = super::update::assign(&fresh, relation, planned.plan)?;
    super::update::apply(session, &fresh, relation, plan).await
}

fn second_time() -> Error {
    Error::new("21000", "ON CONFLICT DO UPDATE command cannot affect row a second time").with_hint(
        "Ensure that no rows proposed for insertion within the same command have duplicate \
         constrained values.",
    )
}

fn met_query(relation: &Relation, insert: &Insert, update: &ast::DoUpdate) -> Result<ast::Query> {
    let table = alias(insert).cloned().unwrap_or_else(|| rows::quoted(&relation.name));
    let mut projection = vec![rows::named(rows::column_of(&table, "ctid"), "ctid")];
    projection.extend(super::update::new_values(relation, &table, &update.assignments)?);
    let TableObject::TableName(name) = &insert.table else {
        return Err(Error::unsupported("INSERT into a function"));
    };
    let text =
        format!("SELECT 1 FROM {name} AS {table} JOIN excluded ON {table}.ctid = excluded.ctid");
    let mut query = sql::parse::query(&text)?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = projection;
        select.selection.clone_from(&update.selection);
    }
    Ok(query)
}

fn plan(context: &Arc<QueryContext>, insert: &Insert, declared: &[Option<PgType>]) -> Result<Plan> {
    let TableObject::TableName(name) = &insert.table else {
        return Err(Error::unsupported("INSERT into a function"));
    };
    let relation = rows::target(context, name, "insert into")?;
    let named = insert_columns(&relation, insert)?;
    let needs = needs(&relation, insert, &named)?;
    let mut source = match &insert.source {
        Some(query) => query.as_ref().clone(),
        None => no_columns()?,
    };
    let mut named = match insert.source {
        Some(_) => named,
        None => Vec::new(),
    };
    if let SetExpr::Values(values) = source.body.as_mut() {
        generated_by_default(&relation, &mut named, (values, insert.columns.is_empty()));
    }
    super::subject_columns::refuse_values(&relation, &named)?;
    let is_query = matches!(source.body.as_ref(), SetExpr::Select(_));
    if insert.source.is_some() && insert.columns.is_empty() && is_query {
        // A query may give fewer columns than the table has: the rest get their defaults.
        named.truncate(planning::describe_query(context, source.clone(), declared)?.columns.len());
    }
    refuse_identities(&relation, &named, (&source, insert.has_table_keyword))?;
    let query = full_rows(context, &relation, (named, insert.columns.is_empty()), source)?;
    let mut planned = planning::describe_query(context, query, declared)?;
    planned.needs.extend(needs);
    let plan =
        planning::project_for_assignment(planned.plan, &rows::assignment(&relation), context)?;
    Ok(Plan { relation, source: Planned { plan, ..planned } })
}

/// One row without columns: what `DEFAULT VALUES` gives.
fn no_columns() -> Result<ast::Query> {
    let mut query = sql::parse::query("SELECT 1")?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection.clear();
    }
    Ok(query)
}

/// INSERT on the named columns; with ON CONFLICT also SELECT on those of the key, and UPDATE on
/// those that are assigned (manual: sql-insert).
fn needs(relation: &Arc<Relation>, insert: &Insert, named: &[String]) -> Result<Vec<Need>> {
    let given = if insert.source.is_some() { named } else { &[] };
    let mut needs = vec![Need::on(relation, 'a', given.iter().map(String::as_str))];
    let Some(OnInsert::OnConflict(conflict)) = &insert.on else { return Ok(needs) };
    if let Some(target) = &conflict.conflict_target {
        let keys = arbiters(relation, Some(target))?;
        let columns = |key: &Constraint| match &key.kind {
            ConstraintKind::PrimaryKey { columns }
            | ConstraintKind::Unique { columns }
            | ConstraintKind::UniqueIndex { columns, .. } => columns.clone(),
            _ => Vec::new(),
        };
        let numbers: Vec<i16> = keys.iter().flat_map(columns).collect();
        let watched = numbers.iter().filter_map(|number| relation.column_by_number(*number));
        needs.push(Need::on(relation, 'r', watched.map(|column| column.name.as_str())));
    }
    if let OnConflictAction::DoUpdate(update) = &conflict.action {
        needs.push(super::update::need(relation, &update.assignments)?);
    }
    Ok(needs)
}

fn insert_columns(relation: &Relation, insert: &Insert) -> Result<Vec<String>> {
    if insert.columns.is_empty() {
        let filled = relation.live_columns().filter(|column| column.generated.is_none());
        return Ok(filled.map(|column| column.name.clone()).collect());
    }
    let mut names: Vec<String> = Vec::with_capacity(insert.columns.len());
    for name in &insert.columns {
        let part = name.0.last().and_then(|part| part.as_ident());
        let place = part.map(|part| (part.span.start.line, part.span.start.column));
        let name = name_parts(name).pop().unwrap_or_default();
        if relation.column(&name).is_none() {
            let text =
                format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            let mut error = Error::new("42703", text);
            error.object.location = place;
            return Err(error);
        }
        if names.contains(&name) {
            return Err(Error::new("42701", format!("column \"{name}\" specified more than once")));
        }
        names.push(name);
    }
    Ok(names)
}

/// Takes out generated columns for which every row says DEFAULT (manual: sql-insert).
fn generated_by_default(
    relation: &Relation,
    named: &mut Vec<String>,
    (values, all): (&mut ast::Values, bool),
) {
    let width = values.rows.first().map_or(0, |row| row.len());
    let mut columns: Vec<String> = match all {
        true => relation.live_columns().map(|column| column.name.clone()).collect(),
        false => named.clone(),
    };
    if all && width <= named.len() || width > columns.len() {
        return;
    }
    for place in (0..columns.len().min(width)).rev() {
        let generated =
            relation.column(&columns[place]).is_some_and(|column| column.generated.is_some());
        let default = |row: &ast::Parens<Vec<Expr>>| row.get(place).is_some_and(is_default);
        if generated && values.rows.iter().all(default) {
            columns.remove(place);
            values.rows.iter_mut().for_each(|row| drop(row.remove(place)));
        }
    }
    *named = columns;
}

/// Refuses values for identity columns that are GENERATED ALWAYS (manual: sql-insert, OVERRIDING).
fn refuse_identities(
    relation: &Relation,
    named: &[String],
    (source, overriding): (&ast::Query, bool),
) -> Result<()> {
    let always =
        |name: &String| relation.column(name).is_some_and(|column| column.identity == Some('a'));
    for (place, name) in named.iter().enumerate().filter(|(_, name)| !overriding && always(name)) {
        let given = match source.body.as_ref() {
            SetExpr::Values(values) => {
                values.rows.iter().any(|row| row.get(place).is_some_and(|value| !is_default(value)))
            }
            _ => true,
        };
        if given {
            let text = format!("cannot insert a non-DEFAULT value into column \"{name}\"");
            let detail =
                format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS.");
            return Err(Error::new("428C9", text)
                .with_detail(detail)
                .with_hint("Use OVERRIDING SYSTEM VALUE to override."));
        }
    }
    Ok(())
}

fn is_default(value: &Expr) -> bool {
    matches!(value, Expr::Identifier(ident)
        if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"))
}

/// `SELECT source columns and defaults FROM (source)`: a value for every live column.
fn full_rows(
    context: &Arc<QueryContext>,
    relation: &Relation,
    (mut named, all): (Vec<String>, bool),
    mut source: ast::Query,
) -> Result<ast::Query> {
    let width = prepare_values(relation, &named, &mut source)?;
    if let Some(width) = width {
        if width > named.len() {
            return Err(Error::new("42601", "INSERT has more expressions than target columns"));
        }
        if width < named.len() && !all {
            return Err(Error::new("42601", "INSERT has more target columns than expressions"));
        }
        named.truncate(width.max(usize::from(named.is_empty())));
    }
    let label = Ident::with_quote('"', "source");
    let mut projection = Vec::new();
    for column in relation.live_columns() {
        let value = match named.iter().position(|name| *name == column.name) {
            Some(_) => rows::column_of(&label, &column.name),
            None => rows::default_of(column)?,
        };
        projection.push(rows::named(value, &column.name));
    }
    let columns: Vec<String> = named.iter().map(|name| rows::quoted(name).to_string()).collect();
    let from = match named.is_empty() {
        true => Vec::new(),
        false => {
            let shape = format!("SELECT 1 FROM (SELECT 1) AS source ({})", columns.join(", "));
            let mut from = from_of(sql::parse::query(&shape)?);
            if let Some(ast::TableFactor::Derived { subquery, .. }) =
                from.first_mut().map(|table| &mut table.relation)
            {
                **subquery = source;
            }
            from
        }
    };
    let _ = context;
    rows::select(SelectParts { projection, from, selection: None })
}

fn from_of(query: ast::Query) -> Vec<ast::TableWithJoins> {
    match *query.body {
        SetExpr::Select(select) => select.from,
        _ => Vec::new(),
    }
}

/// VALUES: DEFAULT becomes the column's default, and every value gets the column's type, so that
/// rows of different kinds of expressions fit under one another. Returns the width.
fn prepare_values(
    relation: &Relation,
    named: &[String],
    source: &mut ast::Query,
) -> Result<Option<usize>> {
    let SetExpr::Values(values) = source.body.as_mut() else { return Ok(None) };
    let mut width = None;
    for row in &mut values.rows {
        if *width.get_or_insert(row.len()) != row.len() {
            return Err(Error::new("42601", "VALUES lists must all be the same length"));
        }
        for (index, value) in row.iter_mut().enumerate() {
            let Some(column) = named.get(index).and_then(|name| relation.column(name)) else {
                continue;
            };
            if is_default(value) {
                *value = rows::default_of(column)?;
            }
            *value = rows::typed(value.clone(), column.pg_type)?;
        }
    }
    Ok(width)
}

/// The column that an assignment sets.
pub(super) fn assigned(assignment: &Assignment) -> Result<String> {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => Ok(name_parts(name).pop().unwrap_or_default()),
        AssignmentTarget::Tuple(_) => Err(Error::unsupported("assignment to a list of columns")),
    }
}
