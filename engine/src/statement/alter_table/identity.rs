//! `ALTER COLUMN … ADD GENERATED … AS IDENTITY`, `SET GENERATED`, `DROP IDENTITY`.

use clientele_catalog::definition::{Object, RelationKind};

use super::super::create_index::name_taken;
use super::super::create_table::Builder;
use super::columns::column_mut;
use super::{Target, put};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::sql::place::{folded, name_parts};
use crate::sql::sequences::{IdentityChange, SequenceChange};

/// Makes a column count, changes how it does, or lets it be.
///
/// # Errors
/// 42703 for no such column, 55000 for one that cannot be changed so.
pub(in crate::statement) async fn change(
    session: &mut Session,
    target: &Target,
    change: &IdentityChange,
) -> Result<()> {
    target.must_be_table("ALTER COLUMN ... ADD IDENTITY")?;
    let name = folded(&change.column);
    match (change.kind, &change.sequence) {
        (Some(kind), Some(sequence)) => add(session, target, (&name, kind), sequence).await,
        (Some(kind), None) => set(session, target, &name, kind).await,
        (None, _) => drop(session, target, &name, change.if_exists).await,
    }
}

fn refused(target: &Target, column: &str, what: &str) -> Error {
    let relation = &target.relation.name;
    Error::new("55000", format!("column \"{column}\" of relation \"{relation}\" {what}"))
}

async fn add(
    session: &mut Session,
    target: &Target,
    (name, kind): (&str, char),
    options: &SequenceChange,
) -> Result<()> {
    let mut relation = target.relation.as_ref().clone();
    let column = column_mut(&mut relation, name)?;
    if !column.not_null {
        let what = "must be declared NOT NULL before identity can be added";
        return Err(refused(target, name, what));
    }
    if column.identity.is_some() {
        return Err(refused(target, name, "is already an identity column"));
    }
    if column.default.is_some() {
        return Err(refused(target, name, "already has a default value"));
    }
    let number = column.number;
    let given = options.name.as_ref().and_then(|name| name_parts(name).pop());
    if let Some(given) = &given
        && name_taken(target.context.catalog(), relation.schema, given)
    {
        return Err(Error::new("42P07", format!("relation \"{given}\" already exists")));
    }
    let (context, store) = (&target.context, &session.store);
    let mut builder = Builder { context, store, relation, sequences: Vec::new() };
    builder.identity(number, kind, (given, &options.options))?;
    let Builder { relation, sequences, .. } = builder;
    let objects = sequences.into_iter().chain([relation]).map(Object::Relation);
    put(session, objects.collect::<Vec<_>>()).await
}

async fn set(session: &mut Session, target: &Target, name: &str, kind: char) -> Result<()> {
    let mut relation = target.relation.as_ref().clone();
    let column = column_mut(&mut relation, name)?;
    if column.identity.is_none() {
        return Err(refused(target, name, "is not an identity column"));
    }
    column.identity = Some(kind);
    put(session, [Object::Relation(relation)]).await
}

async fn drop(session: &mut Session, target: &Target, name: &str, if_exists: bool) -> Result<()> {
    let mut relation = target.relation.as_ref().clone();
    let column = column_mut(&mut relation, name)?;
    if column.identity.is_none() {
        let error = refused(target, name, "is not an identity column");
        if !if_exists {
            return Err(error);
        }
        session.notice("NOTICE", "00000", format!("{}, skipping", error.message));
        return Ok(());
    }
    column.identity = None;
    column.default = None;
    let number = column.number;
    let owner = (relation.oid, number);
    let owned = target.context.catalog().relations().filter(|one| match &one.kind {
        RelationKind::Sequence(sequence) => sequence.owned_by == Some(owner),
        _ => false,
    });
    let owned: Vec<_> = owned.map(|one| one.oid).collect();
    put(session, [Object::Relation(relation)]).await?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    for oid in owned {
        transaction.drop_object(oid);
    }
    Ok(())
}
