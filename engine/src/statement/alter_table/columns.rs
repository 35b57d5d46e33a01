//! Columns: ADD, DROP, SET DEFAULT, SET NOT NULL.

use std::collections::BTreeSet;
use std::sync::Arc;

use clientele_catalog::definition::{
    Column, Constraint, ConstraintKind, Object, Oid, Relation, RelationKind,
};
use clientele_udfs::output;
use datafusion::arrow::array::{Array, AsArray};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr as PlannedExpr, LogicalPlan};
use sqlparser::ast::{ColumnDef, DropBehavior, Expr, Ident};

use super::super::create_table::Builder;
use super::super::dependency::{self, blocked};
use super::super::{check, drop as drop_statement, foreign, rows};
use super::{Target, existing_rows, put, rewrite};
use crate::error::{Error, Result};
use crate::planning;
use crate::planning::context::QueryContext;
use crate::planning::rights::kind_of;
use crate::privacy::lineage;
use crate::session::Session;
use crate::sql;
use crate::sql::place::{folded, of_identifier};

/// `ADD COLUMN`.
pub(super) async fn add(
    session: &mut Session,
    target: &Target,
    definition: &ColumnDef,
    if_not_exists: bool,
) -> Result<()> {
    let name = folded(&definition.name);
    if target.relation.column(&name).is_some() {
        let text =
            format!("column \"{name}\" of relation \"{}\" already exists", target.relation.name);
        if if_not_exists {
            session.notice("NOTICE", "42701", format!("{text}, skipping"));
            return Ok(());
        }
        return Err(Error::new("42701", text));
    }
    let before = target.relation.as_ref().clone();
    let known: BTreeSet<Oid> = before.constraints.iter().map(|one| one.oid).collect();
    let mut builder = Builder {
        context: &target.context,
        store: &session.store,
        relation: before,
        sequences: Vec::new(),
    };
    if target.relation.foreign().is_some() {
        definition.options.iter().try_for_each(|one| foreign::supported(&one.option))?;
    }
    builder.column(definition)?;
    let Builder { mut relation, sequences, .. } = builder;
    if relation.foreign().is_some() {
        // No row is there that could get a value.
        return put(session, [Object::Relation(relation)]).await;
    }
    let place = relation.columns.len().saturating_sub(1);
    let column = relation.columns.get(place).cloned();
    let column = column.ok_or_else(|| Error::internal("a new column is missing"))?;
    put(session, sequences.iter().cloned().map(Object::Relation)).await?;
    check::kept_expressions(&target.context, &relation)?;
    lineage::generated(&target.context, &mut relation)?;
    let volatile = match &column.default {
        None if column.generated.is_some() => true,
        Some(default) => is_volatile(&target.context, &column, default)?,
        None => false,
    };
    if !volatile {
        let missing = constant_default(session, &target.context, &column).await?;
        if column.not_null
            && missing.is_none()
            && existing_rows::any(session, &target.context, &target.relation).await?
        {
            return Err(contains_nulls(&target.context, &relation, &column.name));
        }
        if let Some(column) = relation.columns.get_mut(place) {
            column.missing = missing;
        }
    }
    let new: Vec<Constraint> =
        relation.constraints.iter().filter(|one| !known.contains(&one.oid)).cloned().collect();
    if volatile {
        rewrite::with_new_column(
            session,
            target,
            &relation,
            (&column, sequences.into_iter().next()),
        )
        .await?;
    } else {
        put(session, [Object::Relation(relation.clone())]).await?;
    }
    let after = Target::fresh(session, relation.oid).await?;
    super::constraints::hold(session, &after, &new).await
}

/// Whether each row gets another value: `nextval`, `random`, `gen_random_uuid` …
fn is_volatile(context: &Arc<QueryContext>, column: &Column, default: &str) -> Result<bool> {
    if default.starts_with("nextval(") {
        // Its sequence may not be there before the statement is done.
        return Ok(true);
    }
    let planned = planning::plan_scalar(context, &sql::parse::expression(default)?)?;
    let target = [(column.name.clone(), column.pg_type)];
    let plan = planning::project_for_assignment(planned.plan, &target, context)?;
    let mut volatile = false;
    plan.apply(|node: &LogicalPlan| {
        volatile |= node.expressions().iter().any(PlannedExpr::is_volatile);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(volatile)
}

/// The default's value as text of the column's type: what rows have that are older than it.
async fn constant_default(
    session: &Session,
    context: &Arc<QueryContext>,
    column: &Column,
) -> Result<Option<String>> {
    let Some(default) = &column.default else { return Ok(None) };
    let planned = planning::plan_scalar(context, &sql::parse::expression(default)?)?;
    let target = [(column.name.clone(), column.pg_type)];
    let plan = planning::project_for_assignment(planned.plan, &target, context)?;
    let batches = session.collect(context, plan).await?;
    let value = super::first_value(&batches)?.to_array()?;
    if let Some(domain) = column.domain.and_then(|oid| context.catalog().domain_by_oid(oid)) {
        check::of_domain(context, domain, &value)?;
    }
    let text = output::to_text_array(&value, column.pg_type, &output::Style::default())?;
    let text = text.as_string_view();
    Ok(text.is_valid(0).then(|| text.value(0).to_owned()))
}

/// `column "a" of relation "t" contains null values` (23502).
fn contains_nulls(context: &QueryContext, relation: &Relation, column: &str) -> Error {
    let text =
        format!("column \"{column}\" of relation \"{}\" contains null values", relation.name);
    let mut error = Error::new("23502", text);
    error.object.schema =
        context.catalog().schema_by_oid(relation.schema).map(|one| one.name.clone());
    error.object.table = Some(relation.name.clone());
    error.object.column = Some(column.to_owned());
    error
}

/// The column of that name, to change it.
pub(super) fn column_mut<'a>(relation: &'a mut Relation, name: &str) -> Result<&'a mut Column> {
    let text = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
    let found = relation.columns.iter_mut().find(|column| !column.dropped && column.name == name);
    found.ok_or_else(|| Error::new("42703", text))
}

/// `DROP COLUMN`.
pub(super) async fn drop(
    session: &mut Session,
    target: &Target,
    names: &[Ident],
    (if_exists, behavior): (bool, Option<DropBehavior>),
) -> Result<()> {
    for name in names {
        let name = folded(name);
        let target = Target::fresh(session, target.relation.oid).await?;
        let relation = &target.relation;
        let Some(column) = relation.column(&name) else {
            let text =
                format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            if if_exists {
                session.notice("NOTICE", "00000", format!("{text}, skipping"));
                continue;
            }
            return Err(Error::new("42703", text));
        };
        let cascade = behavior == Some(DropBehavior::Cascade);
        drop_one(session, &target, column, cascade).await?;
    }
    Ok(())
}

async fn drop_one(
    session: &mut Session,
    target: &Target,
    column: &Column,
    cascade: bool,
) -> Result<()> {
    let catalog = target.context.catalog();
    let (name, number) = (&column.name, column.number);
    let mut relation = target.relation.as_ref().clone();
    let mut dependents: Vec<String> = Vec::new();
    let views = dependency::users_of_column(catalog, &relation, name);
    dependents.extend(views.iter().map(|view| format!("{} {}", kind_of(view), view.name)));
    let generated: Vec<String> = users_generated(&relation, name);
    dependents
        .extend(generated.iter().map(|other| format!("column {other} of {}", target.shown())));
    let keys = referring_keys(&target.context, &relation, number);
    dependents.extend(
        keys.iter().map(|(table, key)| format!("constraint {key} on table {}", table.name)),
    );
    if !dependents.is_empty() && !cascade {
        let what = format!("column {name} of {}", target.shown());
        return Err(blocked(&what, &what, &dependents));
    }
    relation.constraints.retain(|constraint| !is_over(constraint, column));
    let uses = |text: &String| {
        sql::parse::expression(text).is_ok_and(|expr| of_identifier(&expr, name).is_some())
    };
    relation.indexes.retain(|index| {
        !index.columns.contains(&number)
            && !index.expressions.iter().chain(&index.predicate).any(uses)
    });
    relation.sort_columns.retain(|one| *one != number);
    for column in &mut relation.columns {
        column.dropped |= column.number == number || generated.contains(&column.name);
    }
    let mut objects = vec![Object::Relation(relation)];
    for (table, key) in keys {
        let mut table = table.as_ref().clone();
        table.constraints.retain(|constraint| constraint.name != key);
        objects.push(Object::Relation(table));
    }
    let mut doomed: Vec<Oid> = sequences_of(&target.context, target.relation.oid, number);
    for view in views {
        doomed.push(view.oid);
        doomed.extend(dependency::all_dependents(catalog, view.oid).iter().map(|one| one.oid));
    }
    drop_statement::notice_cascade(session, &dependents);
    put(session, objects).await?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    for oid in doomed {
        transaction.drop_object(oid);
    }
    Ok(())
}

/// Generated columns whose expressions use a column.
fn users_generated(relation: &Relation, name: &str) -> Vec<String> {
    let uses = |column: &&Column| {
        let text = column.generated.as_deref().and_then(|text| sql::parse::expression(text).ok());
        text.is_some_and(|expr| of_identifier(&expr, name).is_some())
    };
    // What says whose row it is follows the identifiers that are left.
    let columns = relation.live_columns().filter(|column| column.subject.is_none());
    columns.filter(uses).map(|column| column.name.clone()).collect()
}

/// Foreign keys of other tables that refer to a column.
fn referring_keys(
    context: &QueryContext,
    relation: &Relation,
    number: i16,
) -> Vec<(Arc<Relation>, String)> {
    let mut keys = Vec::new();
    for other in context.catalog().relations().filter(|other| other.oid != relation.oid) {
        for constraint in &other.constraints {
            if let ConstraintKind::ForeignKey { references, referenced, .. } = &constraint.kind
                && *references == relation.oid
                && referenced.contains(&number)
            {
                keys.push((Arc::clone(other), constraint.name.clone()));
            }
        }
    }
    keys
}

/// Whether a constraint goes with a column.
fn is_over(constraint: &Constraint, column: &Column) -> bool {
    match &constraint.kind {
        ConstraintKind::PrimaryKey { columns }
        | ConstraintKind::Unique { columns }
        | ConstraintKind::ForeignKey { columns, .. } => columns.contains(&column.number),
        ConstraintKind::UniqueIndex { columns, expressions, predicate } => {
            let names = |text: &String| {
                sql::parse::expression(text)
                    .is_ok_and(|expr| of_identifier(&expr, &column.name).is_some())
            };
            columns.contains(&column.number) || expressions.iter().chain(predicate).any(names)
        }
        ConstraintKind::Check { expression } => sql::parse::expression(expression)
            .is_ok_and(|expr| of_identifier(&expr, &column.name).is_some()),
    }
}

fn sequences_of(context: &QueryContext, table: Oid, number: i16) -> Vec<Oid> {
    let owned = |relation: &&Arc<Relation>| match &relation.kind {
        RelationKind::Sequence(sequence) => sequence.owned_by == Some((table, number)),
        _ => false,
    };
    context.catalog().relations().filter(owned).map(|relation| relation.oid).collect()
}

/// `ALTER COLUMN SET | DROP NOT NULL`.
pub(super) async fn set_not_null(
    session: &mut Session,
    target: &Target,
    name: &Ident,
    not_null: bool,
) -> Result<()> {
    let name = folded(name);
    let mut relation = target.relation.as_ref().clone();
    let number = column_mut(&mut relation, &name)?.number;
    // Files of others promise nothing (manual: sql-alterforeigntable, Notes).
    if not_null && relation.foreign().is_none() {
        let condition = Expr::IsNull(Box::new(Expr::Identifier(rows::quoted(&name))));
        if existing_rows::meets(session, &target.context, &relation, condition).await? {
            return Err(contains_nulls(&target.context, &relation, &name));
        }
    }
    let key = relation.primary_key().map(|constraint| &constraint.kind);
    if let (false, Some(ConstraintKind::PrimaryKey { columns })) = (not_null, key)
        && columns.contains(&number)
    {
        return Err(Error::new("42P16", format!("column \"{name}\" is in a primary key")));
    }
    let column = column_mut(&mut relation, &name)?;
    if !not_null && column.identity.is_some() {
        let text = format!(
            "column \"{name}\" of relation \"{}\" is an identity column",
            target.relation.name
        );
        return Err(Error::new("42601", text));
    }
    column.not_null = not_null;
    put(session, [Object::Relation(relation)]).await
}

/// `ALTER COLUMN SET DEFAULT`, `DROP DEFAULT`: for rows to come.
pub(super) async fn set_default(
    session: &mut Session,
    target: &Target,
    name: &Ident,
    value: Option<&Expr>,
) -> Result<()> {
    let name = folded(name);
    let mut relation = target.relation.as_ref().clone();
    let column = column_mut(&mut relation, &name)?;
    if column.identity.is_some() || column.generated.is_some() {
        let kind = if column.identity.is_some() { "an identity" } else { "a generated" };
        let text =
            format!("column \"{name}\" of relation \"{}\" is {kind} column", target.relation.name);
        return Err(Error::new("42601", text));
    }
    if let Some(value) = value {
        let plan = check::default_value(&target.context, (&name, column.pg_type), value)?;
        if matches!(value, Expr::Value(_)) {
            // A constant is right or wrong for every row: it is wrong now.
            session.collect(&target.context, plan).await?;
        }
    }
    column.default = value.map(ToString::to_string);
    put(session, [Object::Relation(relation)]).await
}
