//! What a view must have to be a segment, and the versions of its definition.

use clientele_catalog::definition::{Oid, Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::features::oids;
use clientele_catalog::storage::{Snapshot, Store};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::Int32Type;

use crate::builtin::{numbers, texts, times, write};
use crate::error::{Error, Result};
use crate::session::Session;

/// Makes a view a segment: checks its columns, lets a materialized one show customers as they are
/// when it is read, and writes down its definition.
///
/// # Errors
/// 42P16 when no column says which customers belong to it, or one is not of type bigint.
pub(crate) async fn define(session: &mut Session, view: &mut Relation) -> Result<()> {
    check(view)?;
    if matches!(view.kind, RelationKind::MaterializedView { .. }) {
        for subject in Subject::ALL {
            let column = view.columns.iter_mut().find(|one| one.name == subject.column());
            if let Some(column) = column {
                column.subject = Some(subject);
            }
        }
    }
    write_down(session, view).await
}

fn check(view: &Relation) -> Result<()> {
    let name = &view.name;
    let found = Subject::ALL.into_iter().filter_map(|subject| view.column(subject.column()));
    let mut any = false;
    for column in found {
        any = true;
        if column.pg_type.oid != PgType::INT8.oid {
            let (column, found) = (&column.name, column.pg_type.sql_name());
            let text = format!("column \"{column}\" of segment \"{name}\" is of type {found}");
            return Err(Error::new("42P16", text)
                .with_detail(format!(
                    "Customers and accounts are numbers of type {}.",
                    PgType::INT8.sql_name()
                ))
                .with_hint(
                    "Tables with identifiers have a generated column customer_id or account_id.",
                ));
        }
    }
    match any {
        true => Ok(()),
        false => Err(Error::new("42P16", format!("segment \"{name}\" has no column \"customer_id\""))
            .with_detail("A view of schema segments says with its column customer_id, or account_id, who belongs to it.")
            .with_hint("Select that column, or create the view in another schema.")),
    }
}

/// The subject whose members a segment has: people, unless it is of companies alone.
pub(super) fn subject(view: &Relation) -> Subject {
    match view.column(Subject::Person.column()) {
        Some(_) => Subject::Person,
        None => Subject::Company,
    }
}

/// The version of a segment's present definition, and the definition; `None`: it has never had one.
pub(super) fn latest(
    store: &Store,
    snapshot: &Snapshot,
    segment: &str,
) -> Result<Option<(i32, String)>> {
    let Some(relation) = snapshot.catalog.relation_by_oid(oids::SEGMENT_DEFINITIONS) else {
        return Ok(None);
    };
    let mut latest: Option<(i32, String)> = None;
    store.node_rows(snapshot, relation, (Subject::Person, &[1, 2, 3]), |rows| {
        let [names, versions, definitions] = rows.columns.as_slice() else { return };
        let (Some(names), Some(definitions)) =
            (names.as_string_view_opt(), definitions.as_string_view_opt())
        else {
            return;
        };
        let Some(versions) = versions.as_primitive_opt::<Int32Type>() else { return };
        for row in (0..names.len()).filter(|row| names.value(*row) == segment) {
            let version = versions.value(row);
            if latest.as_ref().is_none_or(|(known, _)| *known < version) {
                latest = Some((version, definitions.value(row).to_owned()));
            }
        }
    })?;
    Ok(latest)
}

/// Adds a version, unless the definition is what it was.
async fn write_down(session: &mut Session, view: &Relation) -> Result<()> {
    let (RelationKind::View { query } | RelationKind::MaterializedView { query, .. }) = &view.kind
    else {
        return Ok(());
    };
    let context = session.context().await?;
    let latest = latest(&session.store, &context.snapshot, &view.name)?;
    if latest.as_ref().is_some_and(|(_, known)| known == query) {
        return Ok(());
    }
    let version = latest.map_or(1, |(version, _)| version + 1);
    let row: Vec<ArrayRef> = vec![
        texts([Some(view.name.as_str())]),
        numbers([Some(i64::from(version))]),
        texts([Some(query.as_str())]),
        texts([Some(context.role.name.as_str())]),
        times([Some(context.started_at.timestamp_micros())]),
    ];
    const DEFINITIONS: Oid = oids::SEGMENT_DEFINITIONS;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    write(&mut transaction, DEFINITIONS, &row).await
}
