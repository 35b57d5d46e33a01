//! `MERGE` (manual: sql-merge): one query joins source and target and says for each pair which
//! WHEN clause it meets and what the new row is; then rows go and come in one transaction.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_catalog::definition::{Column, Relation};
use clientele_catalog::storage::RowAddress;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{Int32Type, Int64Type};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{
    self, CaseWhen, Expr, Ident, Merge, MergeAction, MergeClause, MergeClauseKind, MergeInsertExpr,
    MergeInsertKind, SelectItem, TableFactor, TableWithJoins,
};

use super::insert::assigned;
use super::referential::{Event, settle};
use super::rows::{self, SelectParts};
use super::update::{new_values, table_of};
use super::{Described, check};
use crate::api::Outcome;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::needs::Need;
use crate::planning::{self, Changed, Planned};
use crate::session::{Prepared, Session};
use crate::sql;
use crate::sql::place::name_parts;

/// Output column that tells the WHEN clause; no table has a column of that name by accident.
const CLAUSE: &str = "merge clause";

/// Parameters; a MERGE returns no rows.
pub(super) fn describe(
    context: &Arc<QueryContext>,
    merge: &Merge,
    declared: &[Option<PgType>],
) -> Result<Described> {
    let (relation, planned) = plan(context, merge, declared)?;
    Ok(Described { planned: Some(planned), target: Some(relation), ..Described::default() })
}

/// Runs a MERGE.
pub(super) async fn execute(
    session: &mut Session,
    merge: &Merge,
    (prepared, parameters): (&Prepared, Vec<ScalarValue>),
) -> Result<Outcome> {
    session.writable("MERGE")?;
    let context = session.context().await?;
    let kept = session.kept(prepared, &context).await?;
    let relation = kept.written_to()?;
    let mut changes = Changes::new(merge);
    for batch in session.rows(&context, &kept, parameters).await? {
        changes.take(&relation, &batch)?;
    }
    for batch in &mut changes.new {
        *batch = check::kept_rows(&context, &kept.conditions, &relation, batch.clone())?;
    }
    check::policies(&context, &relation, 'w', &changes.new)?;
    check::policies(&context, &relation, 'a', &changes.new)?;
    let work = session.work().await?;
    work.lock().await.delete(relation.oid, &changes.deleted)?;
    settle(session, &context, Event::Delete).await?;
    work.lock().await.update(relation.oid, &changes.replaced, &changes.new)?;
    settle(session, &context, Event::Update).await?;
    Ok(Outcome::Done(format!("MERGE {}", changes.count)))
}

/// What the joined rows come to.
struct Changes<'a> {
    merge: &'a Merge,
    seen: HashSet<i64>,
    /// Old rows that go, and old rows that new ones take the place of.
    deleted: Vec<RowAddress>,
    replaced: Vec<RowAddress>,
    new: Vec<RecordBatch>,
    count: usize,
}

impl<'a> Changes<'a> {
    fn new(merge: &'a Merge) -> Self {
        Self {
            merge,
            seen: HashSet::new(),
            deleted: Vec::new(),
            replaced: Vec::new(),
            new: Vec::new(),
            count: 0,
        }
    }

    fn take(&mut self, relation: &Relation, batch: &RecordBatch) -> Result<()> {
        let addresses = batch.column(0).as_primitive_opt::<Int64Type>();
        let clauses = batch.column(1).as_primitive_opt::<Int32Type>();
        let (Some(addresses), Some(clauses)) = (addresses, clauses) else {
            return Err(Error::internal("the rows of a MERGE are not marked"));
        };
        let mut comes = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            if clauses.is_null(row) {
                comes.push(false);
                continue;
            }
            let clause = usize::try_from(clauses.value(row))
                .ok()
                .and_then(|index| self.merge.clauses.get(index));
            let clause = clause.ok_or_else(|| Error::internal("a MERGE without that clause"))?;
            if matches!(&clause.action, MergeAction::Update(update) if update.assignments.is_empty())
            {
                comes.push(false);
                continue;
            }
            self.count += 1;
            let deletes = matches!(clause.action, MergeAction::Delete { .. });
            comes.push(!deletes);
            if matches!(clause.action, MergeAction::Insert(_)) {
                continue;
            }
            if !self.seen.insert(addresses.value(row)) {
                return Err(Error::new("21000", "MERGE command cannot affect row a second time")
                    .with_hint(
                        "Ensure that not more than one source row matches any one target row.",
                    ));
            }
            let gone = if deletes { &mut self.deleted } else { &mut self.replaced };
            gone.push(RowAddress::from_i64(addresses.value(row)));
        }
        let new =
            filter_record_batch(batch, &BooleanArray::from(comes)).map_err(Error::internal)?;
        if new.num_rows() > 0 {
            self.new.push(rows::shaped(&new, &rows::schema(relation), 2)?);
        }
        Ok(())
    }
}

/// The query, with columns `ctid`, the clause, and a value for each live column.
fn plan(
    context: &Arc<QueryContext>,
    merge: &Merge,
    declared: &[Option<PgType>],
) -> Result<(Arc<Relation>, Planned)> {
    if merge.output.is_some() {
        return Err(Error::unsupported("MERGE … RETURNING"));
    }
    let target = TableWithJoins { relation: merge.table.clone(), joins: Vec::new() };
    let (name, alias) = table_of(&target)?;
    let relation = rows::target(context, &name, rows::MERGE)?;
    let label = alias.unwrap_or_else(|| rows::quoted(&relation.name));
    let source = Source::new(merge)?;
    let conditions: Vec<Expr> = merge
        .clauses
        .iter()
        .map(|clause| condition(clause, &label, &source))
        .collect::<Result<_>>()?;
    let mut projection = vec![rows::named(rows::column_of(&label, "ctid"), "ctid")];
    let numbers = (0..conditions.len()).map(|index| sql::parse::expression(&index.to_string()));
    projection.push(rows::named(
        case(conditions.iter().cloned().zip(numbers.collect::<Result<Vec<_>>>()?))?,
        CLAUSE,
    ));
    projection.extend(values(&relation, &label, merge, &conditions)?);
    let written = projection.len();
    let (read, needs) = written_values(&relation, merge)?;
    projection.extend(read);
    let from = source.joined(&merge.table, &merge.on)?;
    let query = rows::select(SelectParts { projection, from, selection: None })?;
    let own = |place| place == 0 || (2..written).contains(&place);
    let changed = Changed { target: relation.oid, command: 'w', own: &own };
    let mut planned = planning::plan_for_target(context, query, declared, &changed)?;
    planned.needs.extend(needs);
    let mut targets = vec![("ctid".to_owned(), PgType::TID), (CLAUSE.to_owned(), PgType::INT4)];
    targets.extend(rows::assignment(&relation));
    let plan = planning::project_for_assignment(planned.plan, &targets, context)?;
    Ok((relation, Planned { plan, ..planned }))
}

/// The source, and how it is joined.
struct Source {
    factor: TableFactor,
    /// Its name in the query, and the column that is true where it has a row: only
    /// `WHEN NOT MATCHED BY SOURCE` needs to know.
    present: Option<Expr>,
}

impl Source {
    fn new(merge: &Merge) -> Result<Self> {
        let by_source =
            |clause: &MergeClause| clause.clause_kind == MergeClauseKind::NotMatchedBySource;
        if !merge.clauses.iter().any(by_source) {
            return Ok(Self { factor: merge.source.clone(), present: None });
        }
        let label = match &merge.source {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. } => alias.name.clone(),
            TableFactor::Table { name, .. } => {
                rows::quoted(&name_parts(name).pop().unwrap_or_default())
            }
            _ => return Err(Error::unsupported("WHEN NOT MATCHED BY SOURCE with such a source")),
        };
        let mut shape = parsed_from(&format!("(SELECT *, true AS \"merge source\") AS {label}"))?;
        if let Some(TableFactor::Derived { subquery, .. }) =
            shape.first_mut().map(|table| &mut table.relation)
            && let ast::SetExpr::Select(select) = subquery.body.as_mut()
        {
            select.from =
                vec![TableWithJoins { relation: merge.source.clone(), joins: Vec::new() }];
        }
        let factor = shape.pop().map(|table| table.relation);
        let factor = factor.ok_or_else(|| Error::internal("a MERGE without a source"))?;
        Ok(Self { factor, present: Some(rows::column_of(&label, "merge source")) })
    }

    fn joined(self, target: &TableFactor, on: &Expr) -> Result<Vec<TableWithJoins>> {
        let join = if self.present.is_some() { "FULL" } else { "LEFT" };
        let mut from = parsed_from(&format!("a {join} JOIN b ON true"))?;
        if let Some(table) = from.first_mut() {
            table.relation = self.factor;
            if let Some(join) = table.joins.first_mut() {
                join.relation = target.clone();
                if let ast::JoinOperator::Left(constraint)
                | ast::JoinOperator::LeftOuter(constraint)
                | ast::JoinOperator::FullOuter(constraint) = &mut join.join_operator
                {
                    *constraint = ast::JoinConstraint::On(on.clone());
                }
            }
        }
        Ok(from)
    }
}

fn parsed_from(text: &str) -> Result<Vec<TableWithJoins>> {
    match *sql::parse::query(&format!("SELECT 1 FROM {text}"))?.body {
        ast::SetExpr::Select(select) => Ok(select.from),
        _ => Err(Error::internal("a FROM without SELECT")),
    }
}

/// When a clause applies, earlier ones aside.
fn condition(clause: &MergeClause, target: &Ident, source: &Source) -> Result<Expr> {
    let address = Box::new(rows::column_of(target, "ctid"));
    let has_source = source.present.clone().map(|present| Expr::IsNotNull(Box::new(present)));
    let kind = match clause.clause_kind {
        MergeClauseKind::Matched => all(Some(Expr::IsNotNull(address)), has_source),
        MergeClauseKind::NotMatched | MergeClauseKind::NotMatchedByTarget => {
            Some(Expr::IsNull(address))
        }
        MergeClauseKind::NotMatchedBySource => {
            source.present.clone().map(|present| Expr::IsNull(Box::new(present)))
        }
    };
    let predicate = clause.predicate.clone().map(|one| Expr::Nested(Box::new(one)));
    all(kind, predicate).ok_or_else(|| Error::internal("a WHEN clause without condition"))
}

fn all(left: Option<Expr>, right: Option<Expr>) -> Option<Expr> {
    match (left, right) {
        (Some(left), Some(right)) => Some(Expr::BinaryOp {
            left: Box::new(left),
            op: ast::BinaryOperator::And,
            right: Box::new(right),
        }),
        (left, right) => left.or(right),
    }
}

/// `CASE WHEN … THEN … END`: the first clause that applies wins.
fn case(branches: impl Iterator<Item = (Expr, Expr)>) -> Result<Expr> {
    let mut shape = sql::parse::expression("CASE WHEN true THEN NULL END")?;
    if let Expr::Case { conditions, .. } = &mut shape {
        *conditions = branches.map(|(condition, result)| CaseWhen { condition, result }).collect();
    }
    Ok(shape)
}

/// The new value of each live column.
fn values(
    relation: &Relation,
    label: &Ident,
    merge: &Merge,
    conditions: &[Expr],
) -> Result<Vec<SelectItem>> {
    let per_clause: Vec<Option<Vec<Expr>>> = merge
        .clauses
        .iter()
        .map(|clause| clause_values(relation, label, clause))
        .collect::<Result<_>>()?;
    let mut items = Vec::new();
    for (index, column) in relation.live_columns().enumerate() {
        let mut branches = Vec::new();
        for (condition, values) in conditions.iter().zip(&per_clause) {
            // A clause that deletes must still keep later ones from their turn.
            let value = match values.as_ref().and_then(|values| values.get(index)) {
                Some(value) => value.clone(),
                None => null(),
            };
            branches.push((condition.clone(), rows::typed(value, column.pg_type)?));
        }
        items.push(rows::named(case(branches.into_iter())?, &column.name));
    }
    Ok(items)
}

/// What the clauses write, each value once more as it stands: the columns that they refer to are
/// read, unlike those that only stay as they are. And what the clauses need beside.
fn written_values(relation: &Arc<Relation>, merge: &Merge) -> Result<(Vec<SelectItem>, Vec<Need>)> {
    let (mut items, mut needs) = (Vec::new(), Vec::new());
    for clause in &merge.clauses {
        let pairs: Vec<(String, &Expr)> = match &clause.action {
            MergeAction::Delete { .. } => {
                needs.push(Need::on(relation, 'd', []));
                Vec::new()
            }
            MergeAction::Update(update) => {
                needs.push(super::update::need(relation, &update.assignments)?);
                let names = update.assignments.iter().map(assigned).collect::<Result<Vec<_>>>()?;
                names.into_iter().zip(update.assignments.iter().map(|one| &one.value)).collect()
            }
            MergeAction::Insert(insert) => {
                let names = insert_names(relation, insert)?;
                needs.push(Need::on(relation, 'a', names.iter().map(String::as_str)));
                names.into_iter().zip(insert_row(insert)?).collect()
            }
        };
        for (name, value) in pairs.into_iter().filter(|(_, value)| !is_default(value)) {
            let Some(column) = relation.column(&name) else { continue };
            let label = format!("merge value {}", items.len());
            items.push(rows::named(rows::typed(value.clone(), column.pg_type)?, &label));
        }
    }
    Ok((items, needs))
}

fn clause_values(
    relation: &Relation,
    label: &Ident,
    clause: &MergeClause,
) -> Result<Option<Vec<Expr>>> {
    match &clause.action {
        MergeAction::Delete { .. } => Ok(None),
        MergeAction::Insert(insert) => inserted(relation, insert).map(Some),
        MergeAction::Update(update) => {
            let items = new_values(relation, label, &update.assignments)?;
            let value = |item| match item {
                SelectItem::ExprWithAlias { expr, .. } | SelectItem::UnnamedExpr(expr) => expr,
                _ => null(),
            };
            Ok(Some(items.into_iter().map(value).collect()))
        }
    }
}

/// The values of WHEN … THEN INSERT.
fn insert_row(insert: &MergeInsertExpr) -> Result<&Vec<Expr>> {
    let MergeInsertKind::Values(values) = &insert.kind else {
        return Err(Error::new("42601", "syntax error at or near \"ROW\""));
    };
    match values.rows.as_slice() {
        [row] => Ok(&row.content),
        _ => Err(Error::new("42601", "MERGE inserts one row of values")),
    }
}

/// The columns that they are for; not all of them need exist.
fn insert_names(relation: &Relation, insert: &MergeInsertExpr) -> Result<Vec<String>> {
    let width = insert_row(insert)?.len();
    let live = relation.live_columns().map(|column| column.name.clone());
    Ok(match insert.columns.as_slice() {
        [] => live.take(width).collect(),
        some => some.iter().map(|name| name_parts(name).pop().unwrap_or_default()).collect(),
    })
}

fn inserted(relation: &Relation, insert: &MergeInsertExpr) -> Result<Vec<Expr>> {
    let (row, names) = (insert_row(insert)?, insert_names(relation, insert)?);
    for (index, name) in names.iter().enumerate() {
        if relation.column(name).is_none() {
            let text =
                format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            return Err(Error::new("42703", text));
        }
        if names.iter().take(index).any(|one| one == name) {
            return Err(Error::new("42701", format!("column \"{name}\" specified more than once")));
        }
    }
    match row.len() {
        width if width > names.len() => {
            return Err(Error::new("42601", "INSERT has more expressions than target columns"));
        }
        width if width < names.len() => {
            return Err(Error::new("42601", "INSERT has more target columns than expressions"));
        }
        _ => {}
    }
    let value = |column: &Column| match names.iter().position(|name| *name == column.name) {
        Some(place) => match row.get(place) {
            Some(value) if !is_default(value) => Ok(value.clone()),
            _ => rows::default_of(column),
        },
        None => rows::default_of(column),
    };
    relation.live_columns().map(value).collect()
}

fn is_default(value: &Expr) -> bool {
    matches!(value, Expr::Identifier(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("default"))
}

fn null() -> Expr {
    Expr::Value(ast::Value::Null.with_empty_span())
}
