//! Constraints: ADD, DROP, VALIDATE, RENAME. A new one must hold for the rows that are there.

use std::collections::BTreeSet;

use clientele_catalog::definition::{Constraint, ConstraintKind, Object, Oid};
use sqlparser::ast::{self, DropBehavior, Expr, Ident, TableConstraint};

use super::super::create_index::name_taken;
use super::super::create_table::Builder;
use super::super::dependency::blocked;
use super::super::{drop as drop_statement, foreign, rows};
use super::{Target, existing_rows, put};
use crate::error::{Error, Result};
use crate::privacy::hide;
use crate::session::Session;
use crate::sql;
use crate::sql::place::{folded, refuse_query};

/// `ADD CONSTRAINT`.
pub(super) async fn add(
    session: &mut Session,
    target: &Target,
    constraint: &TableConstraint,
    not_valid: bool,
) -> Result<()> {
    let known: BTreeSet<Oid> = target.relation.constraints.iter().map(|one| one.oid).collect();
    let mut builder = Builder {
        context: &target.context,
        store: &session.store,
        relation: target.relation.as_ref().clone(),
        sequences: Vec::new(),
    };
    let is_foreign = target.relation.foreign().is_some();
    if is_foreign {
        foreign::enforced_elsewhere(constraint)?;
    }
    builder.constraint(constraint)?;
    let relation = builder.relation;
    let new: Vec<Constraint> =
        relation.constraints.iter().filter(|one| !known.contains(&one.oid)).cloned().collect();
    for one in &new {
        let key =
            matches!(one.kind, ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. });
        if key && name_taken(target.context.catalog(), relation.schema, &one.name) {
            return Err(Error::new("42P07", format!("relation \"{}\" already exists", one.name)));
        }
    }
    for one in &new {
        // Also one that is not valid yet is tried by every UPDATE.
        if let ConstraintKind::Check { expression } = &one.kind {
            let expression = sql::parse::expression(expression)?;
            refuse_query(&expression, "check constraint")?;
            hide::refuse_hidden(&target.context, &relation, &expression, None)?;
        }
    }
    // Once the columns are known to hold no NULL, nobody looks for one.
    for one in &new {
        if let ConstraintKind::PrimaryKey { columns } = &one.kind {
            hold_no_null(session, target, columns).await?;
        }
    }
    put(session, [Object::Relation(relation.clone())]).await?;
    if not_valid || is_foreign {
        return Ok(());
    }
    let after = Target::fresh(session, relation.oid).await?;
    hold(session, &after, &new).await
}

/// Refuses constraints that some row breaks.
pub(super) async fn hold(
    session: &mut Session,
    target: &Target,
    constraints: &[Constraint],
) -> Result<()> {
    let relation = &target.relation;
    for constraint in constraints {
        match &constraint.kind {
            ConstraintKind::Check { expression } => {
                let broken = negated(expression)?;
                hide::refuse_hidden(&target.context, relation, &broken, None)?;
                if existing_rows::meets(session, &target.context, relation, broken).await? {
                    let text = format!(
                        "check constraint \"{}\" of relation \"{}\" is violated by some row",
                        constraint.name, relation.name
                    );
                    return Err(concerning(
                        Error::new("23514", text),
                        target,
                        Some(&constraint.name),
                        None,
                    ));
                }
            }
            ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. } => {
                existing_rows::are_unique(session, relation, constraint.oid).await?;
            }
            ConstraintKind::ForeignKey { .. } => {
                let work = session.work().await?;
                let mut transaction = work.lock().await;
                transaction.refer_all(relation, constraint.oid)?;
                transaction.check_references()?;
            }
            ConstraintKind::UniqueIndex { .. } => {
                existing_rows::are_unique(session, relation, constraint.oid).await?;
            }
        }
    }
    Ok(())
}

/// Refuses a key whose columns are NULL in some row.
async fn hold_no_null(session: &mut Session, target: &Target, columns: &[i16]) -> Result<()> {
    let relation = &target.relation;
    for column in columns.iter().filter_map(|number| relation.column_by_number(*number)) {
        let condition = Expr::IsNull(Box::new(Expr::Identifier(rows::quoted(&column.name))));
        if existing_rows::meets(session, &target.context, relation, condition).await? {
            let text = format!(
                "column \"{}\" of relation \"{}\" contains null values",
                column.name, relation.name
            );
            return Err(concerning(Error::new("23502", text), target, None, Some(&column.name)));
        }
    }
    Ok(())
}

/// True for rows that a check refuses: those for which it is false, not those for which it is
/// unknown.
fn negated(expression: &str) -> Result<Expr> {
    let inner = Expr::Nested(Box::new(sql::parse::expression(expression)?));
    Ok(Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: Box::new(inner) })
}

fn concerning(
    mut error: Error,
    target: &Target,
    constraint: Option<&str>,
    column: Option<&str>,
) -> Error {
    let schema = target.context.catalog().schema_by_oid(target.relation.schema);
    error.object.schema = schema.map(|schema| schema.name.clone());
    error.object.table = Some(target.relation.name.clone());
    error.object.constraint = constraint.map(str::to_owned);
    error.object.column = column.map(str::to_owned);
    error
}

fn undefined(target: &Target, name: &str) -> Error {
    let text =
        format!("constraint \"{name}\" of relation \"{}\" does not exist", target.relation.name);
    Error::new("42704", text)
}

/// `DROP CONSTRAINT`.
pub(super) async fn drop(
    session: &mut Session,
    target: &Target,
    name: &Ident,
    (if_exists, behavior): (bool, Option<DropBehavior>),
) -> Result<()> {
    let name = folded(name);
    let mut relation = target.relation.as_ref().clone();
    let found = relation.constraints.iter().find(|one| one.name == name && !one.of_index);
    let Some(constraint) = found.cloned() else {
        let error = undefined(target, &name);
        if if_exists {
            session.notice("NOTICE", "00000", format!("{}, skipping", error.message));
            return Ok(());
        }
        return Err(error);
    };
    let mut others = Vec::new();
    let mut dependents = Vec::new();
    if let ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns } =
        &constraint.kind
    {
        for table in target.context.catalog().relations() {
            let (gone, kept): (Vec<Constraint>, Vec<Constraint>) = table
                .constraints
                .iter()
                .cloned()
                .partition(|one| refers(one, relation.oid, columns));
            if gone.is_empty() {
                continue;
            }
            dependents.extend(
                gone.iter().map(|one| format!("constraint {} on table {}", one.name, table.name)),
            );
            match table.oid == relation.oid {
                true => relation.constraints = kept,
                false => {
                    let mut table = table.as_ref().clone();
                    table.constraints = kept;
                    others.push(Object::Relation(table));
                }
            }
        }
    }
    if !dependents.is_empty() && behavior != Some(DropBehavior::Cascade) {
        let what = format!("constraint {name} on {}", target.shown());
        return Err(blocked(&what, &format!("index {name}"), &dependents));
    }
    relation.constraints.retain(|one| one.oid != constraint.oid);
    drop_statement::notice_cascade(session, &dependents);
    others.push(Object::Relation(relation));
    put(session, others).await
}

fn refers(constraint: &Constraint, table: Oid, key: &[i16]) -> bool {
    match &constraint.kind {
        ConstraintKind::ForeignKey { references, referenced, .. } => {
            *references == table && referenced == key
        }
        _ => false,
    }
}

/// `VALIDATE CONSTRAINT`.
pub(super) async fn validate(session: &mut Session, target: &Target, name: &Ident) -> Result<()> {
    let name = folded(name);
    let found = target.relation.constraints.iter().find(|one| one.name == name).cloned();
    let constraint = found.ok_or_else(|| undefined(target, &name))?;
    hold(session, target, &[constraint]).await
}

/// `RENAME CONSTRAINT`.
pub(super) async fn rename(
    session: &mut Session,
    target: &Target,
    name: &Ident,
    to: &Ident,
) -> Result<()> {
    let (name, to) = (folded(name), folded(to));
    let mut relation = target.relation.as_ref().clone();
    if relation.constraints.iter().any(|one| one.name == to) {
        let text = format!("constraint \"{to}\" for relation \"{}\" already exists", relation.name);
        return Err(Error::new("42710", text));
    }
    let is_key = relation.unique_constraints().any(|one| one.name == name);
    if is_key && name_taken(target.context.catalog(), relation.schema, &to) {
        return Err(Error::new("42P07", format!("relation \"{to}\" already exists")));
    }
    let shown = relation.name.clone();
    let constraint = relation.constraints.iter_mut().find(|one| one.name == name);
    let constraint = constraint.ok_or_else(|| {
        Error::new("42704", format!("constraint \"{name}\" for table \"{shown}\" does not exist"))
    })?;
    constraint.name = to;
    put(session, [Object::Relation(relation)]).await
}
