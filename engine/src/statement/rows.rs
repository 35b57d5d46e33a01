//! What INSERT, UPDATE, DELETE and MERGE share: the target, its constraints, RETURNING.

use std::sync::Arc;

use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::storage::RowAddress;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    Array, AsArray, Int64Array, RecordBatch, RecordBatchOptions, new_null_array,
};
use datafusion::arrow::datatypes::{FieldRef, Int64Type, Schema, SchemaRef};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{self, Ident, ObjectName, SelectItem};

use super::Described;
use super::returning::others;
use crate::api::{BatchStream, Outcome, Rows, RowsTag};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::{self, Planned};
use crate::session::{Kept, Session};
use crate::sql;

/// The table that is written to; `verb` says how: `insert into`, `delete from` …
///
/// # Errors
/// 42P01, 42809 for a view, 42501 for what the role may not change, 0A000 for a foreign table.
pub(super) fn target(
    context: &QueryContext,
    name: &ObjectName,
    verb: &str,
) -> Result<Arc<Relation>> {
    let relation = context.relation(name).map_err(|error| placed(error, name))?;
    planning::rights::features_are_closed(&relation)?;
    match relation.kind {
        RelationKind::Table => Ok(relation),
        RelationKind::View { .. } => {
            Err(Error::new("55000", format!("cannot change view \"{}\"", relation.name))
                .with_hint("Change the tables that it is over."))
        }
        RelationKind::MaterializedView { .. } => Err(Error::new(
            "42809",
            format!("cannot change materialized view \"{}\"", relation.name),
        )),
        RelationKind::Sequence(_) => {
            Err(Error::new("42809", format!("cannot change sequence \"{}\"", relation.name)))
        }
        RelationKind::ForeignTable(_) => Err(foreign_target(&relation.name, verb)),
    }
}

/// Nobody writes to files of others.
fn foreign_target(name: &str, verb: &str) -> Error {
    if verb == MERGE {
        let text = format!("cannot execute MERGE on relation \"{name}\"");
        return Error::new("0A000", text)
            .with_detail("This operation is not supported for foreign tables.");
    }
    Error::new("0A000", format!("cannot {verb} foreign table \"{name}\""))
}

/// How MERGE writes.
pub(super) const MERGE: &str = "merge into";

/// Points at the name that an error is about.
pub(super) fn placed(mut error: Error, name: &ObjectName) -> Error {
    let first = name.0.first().and_then(|part| part.as_ident());
    error.object.location = first.map(|ident| (ident.span.start.line, ident.span.start.column));
    error
}

/// Arrow schema of a relation's rows: live columns in order.
pub(crate) fn schema(relation: &Relation) -> SchemaRef {
    let fields = relation.live_columns().map(|column| column.pg_type.field(&column.name, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Names and types of the live columns, for assignment.
pub(crate) fn assignment(relation: &Relation) -> Vec<(String, PgType)> {
    relation.live_columns().map(|column| (column.name.clone(), column.pg_type)).collect()
}

/// Gives a batch the schema of the relation's rows.
pub(super) fn shaped(batch: &RecordBatch, schema: &SchemaRef, first: usize) -> Result<RecordBatch> {
    let columns = batch.columns().iter().skip(first).take(schema.fields().len()).cloned().collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|error| Error::internal(format!("rows do not fit the table: {error}")))
}

/// The same for a batch that may end before the columns that storage fills.
pub(crate) fn padded(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let missing = schema.fields().iter().skip(batch.num_columns());
    let missing = missing.map(|field| new_null_array(field.data_type(), batch.num_rows()));
    let columns = batch.columns().iter().cloned().chain(missing).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|error| Error::internal(format!("rows do not fit the table: {error}")))
}

/// Row addresses in the first column; rows whose address came before are left out, as PostgreSQL
/// updates a row once even if it joins twice. Returns the addresses and the rows that stay.
pub(super) fn addresses(
    batch: &RecordBatch,
    seen: &mut std::collections::HashSet<i64>,
) -> Result<(Vec<RowAddress>, RecordBatch)> {
    let column = batch.column(0).as_primitive_opt::<Int64Type>();
    let column = column.ok_or_else(|| Error::internal("row addresses are missing"))?;
    let keep: datafusion::arrow::array::BooleanArray = (0..column.len())
        .map(|row| Some(column.is_valid(row) && seen.insert(column.value(row))))
        .collect();
    let batch =
        datafusion::arrow::compute::filter_record_batch(batch, &keep).map_err(Error::internal)?;
    let kept = batch.column(0).as_primitive::<Int64Type>();
    Ok((kept.values().iter().map(|value| RowAddress::from_i64(*value)).collect(), batch))
}

/// An identifier that is never folded.
pub(crate) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// A query of one SELECT.
pub(super) struct SelectParts {
    pub(super) projection: Vec<SelectItem>,
    pub(super) from: Vec<ast::TableWithJoins>,
    pub(super) selection: Option<ast::Expr>,
}

/// Builds a query from its parts.
pub(super) fn select(parts: SelectParts) -> Result<ast::Query> {
    let mut query = sql::parse::query("SELECT 1")?;
    if let ast::SetExpr::Select(select) = query.body.as_mut() {
        select.projection = parts.projection;
        select.from = parts.from;
        select.selection = parts.selection;
    }
    Ok(query)
}

/// `expr AS "name"`.
pub(super) fn named(expr: ast::Expr, name: &str) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias: quoted(name) }
}

/// `table."column"`.
pub(super) fn column_of(table: &Ident, column: &str) -> ast::Expr {
    ast::Expr::CompoundIdentifier(vec![table.clone(), quoted(column)])
}

/// A default expression of a column; NULL when it has none.
pub(super) fn default_of(column: &clientele_catalog::definition::Column) -> Result<ast::Expr> {
    match &column.default {
        Some(text) => sql::parse::expression(text),
        None => Ok(ast::Expr::Value(ast::Value::Null.with_empty_span())),
    }
}

/// A value with the type of its column. The modifier is left to the assignment, which refuses what
/// a cast would cut.
pub(super) fn typed(value: ast::Expr, pg_type: PgType) -> Result<ast::Expr> {
    let numeric = pg_type.facts().oid == PgType::NUMERIC.oid;
    let modifier = if numeric && pg_type.element().is_none() { pg_type.modifier } else { -1 };
    let name = PgType { oid: pg_type.oid, modifier }.cast_name();
    match sql::parse::expression(&format!("CAST(1 AS {name})"))? {
        ast::Expr::Cast { kind, data_type, array, format, .. } => {
            Ok(ast::Expr::Cast { kind, expr: Box::new(value), data_type, array, format })
        }
        _ => Ok(value),
    }
}

/// A statement that writes rows of a relation, and what it returns of them.
pub(super) fn describe(
    context: &Arc<QueryContext>,
    mut planned: Planned,
    relation: &Arc<Relation>,
    alias: Option<&Ident>,
    returning: Option<&Vec<SelectItem>>,
) -> Result<Described> {
    let others = others(&planned.plan, relation);
    let returning = returning
        .map(|items| {
            plan_returning(context, relation, alias, (items, vec![none(relation, others)]))
        })
        .transpose()?;
    let columns = returning.as_ref().map(|planned| planned.columns.clone());
    // Refused before anything is written, whichever road RETURNING takes.
    planned.needs.extend(returning.iter().flat_map(|planned| planned.needs.clone()));
    let target = Some(Arc::clone(relation));
    Ok(Described { columns, planned: Some(planned), target, returning, through: None })
}

fn plan_returning(
    context: &Arc<QueryContext>,
    relation: &Arc<Relation>,
    alias: Option<&Ident>,
    (items, rows): (&[SelectItem], Vec<RecordBatch>),
) -> Result<Planned> {
    let rows = with_xmax(rows, Some(items), 0)?;
    let name = alias.map_or_else(|| quoted(&relation.name), Clone::clone);
    let mut query = sql::parse::query(&format!("SELECT 1 FROM {name}"))?;
    if let ast::SetExpr::Select(select) = query.body.as_mut() {
        select.projection = items.to_vec();
    }
    planning::plan_over_rows(context, query, (sql::place::folded(&name), relation.oid, rows))
}

/// No rows of a relation, with the columns of other tables that RETURNING names.
fn none(relation: &Relation, others: Vec<FieldRef>) -> RecordBatch {
    let own = schema(relation);
    let fields: Vec<FieldRef> = own.fields().iter().cloned().chain(others).collect();
    RecordBatch::new_empty(Arc::new(Schema::new(fields)))
}

/// The rows with `xmax`, where RETURNING asks for it: 0 is that of a row that no version went
/// before, by which clients tell what ON CONFLICT has inserted.
pub(super) fn with_xmax(
    rows: Vec<RecordBatch>,
    returning: Option<&[SelectItem]>,
    xmax: i64,
) -> Result<Vec<RecordBatch>> {
    let items = returning.unwrap_or_default();
    let asked = items.iter().any(|item| sql::place::of_identifier(item, XMAX).is_some());
    let whole = |item: &SelectItem| {
        matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
    };
    if !asked || items.iter().any(whole) {
        return Ok(rows);
    }
    let add = |batch: RecordBatch| {
        if batch.schema().column_with_name(XMAX).is_some() {
            return Ok(batch);
        }
        let mut fields = batch.schema().fields().to_vec();
        fields.push(PgType::XID.field(XMAX, true));
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(Int64Array::from(vec![xmax; batch.num_rows()])));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(Error::internal)
    };
    rows.into_iter().map(add).collect()
}

const XMAX: &str = "xmax";

/// Rows as RETURNING shows them: with the customers that a commit at this instant would give them.
///
/// # Errors
/// A column is not of its domain's type.
pub(super) async fn recognised(
    session: &mut Session,
    relation: &Relation,
    returning: Option<&Vec<SelectItem>>,
    rows: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>> {
    let mut subjects = relation.live_columns().filter(|column| column.subject.is_some());
    let asked = |items: &Vec<SelectItem>| {
        subjects.any(|column| items.iter().any(|item| names(item, &column.name)))
    };
    if !returning.is_some_and(asked) {
        return Ok(rows);
    }
    let work = session.work().await?;
    let transaction = work.lock().await;
    Ok(transaction.recognised(relation.oid, &rows)?)
}

fn names(item: &SelectItem, column: &str) -> bool {
    match item {
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
        item => sql::place::of_identifier(item, column).is_some(),
    }
}

/// The outcome of a write: rows for RETURNING, else the tag.
pub(super) async fn outcome(
    session: &Session,
    context: &Arc<QueryContext>,
    written: Written<'_>,
) -> Result<Outcome> {
    let Some(items) = written.returning else { return Ok(Outcome::Done(written.tag)) };
    let written = Written { rows: with_xmax(written.rows, Some(items.as_slice()), 0)?, ..written };
    if let Some((columns, rows)) = session.returned(context, written.kept, &written.rows).await? {
        let stream: BatchStream = Box::pin(futures::stream::iter(rows.into_iter().map(Ok)));
        return Ok(Outcome::Rows(Rows { columns, stream, tag: RowsTag::Fixed(written.tag) }));
    }
    let mut rows = written.rows;
    if rows.is_empty() {
        let others = others(&written.kept.planned.plan, written.relation);
        rows.push(none(written.relation, others));
    }
    let planned = plan_returning(context, written.relation, written.alias, (items, rows))?;
    let planned = planned.allowed(context)?;
    let plan = planning::bind(planned.plan, written.parameters)?;
    let stream: BatchStream = session.stream(context, plan).await?;
    Ok(Outcome::Rows(Rows { columns: planned.columns, stream, tag: RowsTag::Fixed(written.tag) }))
}

/// What a statement has written.
pub(super) struct Written<'a> {
    pub(super) kept: &'a Kept,
    pub(super) relation: &'a Arc<Relation>,
    pub(super) alias: Option<&'a Ident>,
    pub(super) returning: Option<&'a Vec<SelectItem>>,
    pub(super) rows: Vec<RecordBatch>,
    pub(super) parameters: Vec<ScalarValue>,
    pub(super) tag: String,
}
