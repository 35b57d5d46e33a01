//! GRANT and REVOKE on each kind of object.

use std::sync::Arc;

use clientele_catalog::definition::{Column, Function, Grant, Object, Relation};
use clientele_catalog::features::is_feature_schema;
use clientele_catalog::privileges::{Access, Kind};
use sqlparser::ast::ObjectName;

use super::super::foreign::server_named;
use super::Request;
use super::acl::{self, Target};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::privacy::{audit, decision, grants};
use crate::session::Session;
use crate::sql::place::name_parts;

/// A table, view, materialized view or sequence, and its columns.
pub(super) async fn relation(
    session: &mut Session,
    context: &QueryContext,
    (relation, kind): (&Arc<Relation>, Kind),
    request: &Request,
) -> Result<()> {
    let (letters, of_columns) = request.changes(kind)?;
    let mut changed = relation.as_ref().clone();
    let target = Target { kind, name: &relation.name, owner: relation.owner };
    if !letters.is_empty() {
        let before = changed.grants.take();
        let after = list(
            session,
            context,
            (&target, before.clone().unwrap_or_default(), &letters),
            request,
        )?;
        changed.grants = if after.is_empty() && before.is_none() { None } else { Some(after) };
    }
    // REVOKE on the table revokes on its columns, too (manual: sql-revoke).
    let whole = if request.grant { "" } else { letters.as_str() };
    for column in
        changed.columns.iter_mut().filter(|column| !column.dropped && !column.grants.is_empty())
    {
        let target = Target { kind: Kind::Column, name: &relation.name, owner: relation.owner };
        let before = std::mem::take(&mut column.grants);
        column.grants = match whole {
            "" => before,
            letters => list(session, context, (&target, before, letters), request)?,
        };
        if whole.contains('r') {
            closed(context, relation, column, request);
        }
    }
    for (name, letter) in of_columns {
        let column =
            changed.columns.iter_mut().find(|column| !column.dropped && column.name == name);
        let column = column.ok_or_else(|| {
            Error::new(
                "42703",
                format!("column \"{name}\" of relation \"{}\" does not exist", relation.name),
            )
        })?;
        let opening = match request.grant && letter == 'r' {
            true => grants::opening(context, relation, column)?,
            false => None,
        };
        let target = Target { kind: Kind::Column, name: &name, owner: relation.owner };
        let before = std::mem::take(&mut column.grants);
        column.grants = list(session, context, (&target, before, &letter.to_string()), request)?;
        match opening {
            Some(decision) => {
                let name = audit::full_name(context, relation, column);
                audit::note_decision(context, "open", vec![name], &decision);
                grants::open(column, &request.grantees, &decision);
            }
            None if !request.grant && letter == 'r' => {
                closed(context, relation, column, request);
            }
            None => {}
        }
    }
    put(session, Object::Relation(changed)).await
}

/// Closes a column to those it is revoked from, and says so if it was open to one of them.
fn closed(context: &QueryContext, relation: &Relation, column: &mut Column, request: &Request) {
    let open = column.privacy.iter().flat_map(|one| &one.openings);
    let was_open = open.into_iter().any(|one| request.grantees.contains(&one.role));
    if was_open {
        let name = audit::full_name(context, relation, column);
        audit::note_decision(context, "close", vec![name], &decision::now(context, None));
    }
    grants::close(column, &request.grantees);
}

/// `ALL TABLES IN SCHEMA`, `ALL SEQUENCES IN SCHEMA`: those that are there now.
pub(super) async fn all_in_schemas(
    session: &mut Session,
    context: &QueryContext,
    (schemas, kind): (&[ObjectName], Kind),
    request: &Request,
) -> Result<()> {
    for schema in schemas {
        let name = name_parts(schema).join(".");
        let of_feature = context.catalog().schema(&name).filter(|one| is_feature_schema(one.oid));
        let oid = of_feature.map_or_else(|| context.schema(&name), |schema| Ok(schema.oid))?;
        let inside =
            context.catalog().relations().filter(|one| one.schema == oid && Kind::of(one) == kind);
        for one in inside {
            relation(session, context, (one, kind), request).await?;
        }
    }
    Ok(())
}

/// A function.
pub(super) async fn function(
    session: &mut Session,
    context: &QueryContext,
    function: &Function,
    request: &Request,
) -> Result<()> {
    let (letters, _) = request.changes(Kind::Function)?;
    let mut function = function.clone();
    let name = function.name.clone();
    let target = Target { kind: Kind::Function, name: &name, owner: function.owner };
    let default = Access::function(&function).public_entry();
    let before = function.grants.take().unwrap_or(default);
    function.grants = Some(list(session, context, (&target, before, &letters), request)?);
    put(session, Object::Function(function)).await
}

/// A foreign server.
pub(super) async fn server(
    session: &mut Session,
    context: &QueryContext,
    name: &str,
    request: &Request,
) -> Result<()> {
    let mut server = server_named(context, name)?.as_ref().clone();
    let (letters, _) = request.changes(Kind::Server)?;
    let target = Target { kind: Kind::Server, name, owner: server.owner };
    let before = server.grants.take().unwrap_or_default();
    server.grants = Some(list(session, context, (&target, before, &letters), request)?);
    put(session, Object::ForeignServer(server)).await
}

/// A schema.
pub(super) async fn schema(
    session: &mut Session,
    context: &QueryContext,
    name: &str,
    request: &Request,
) -> Result<()> {
    // Nobody changes the schemas of features, but who may look into them is for their owner to say.
    let of_feature = context.catalog().schema(name).filter(|one| is_feature_schema(one.oid));
    let schema = match of_feature {
        Some(schema) => Some(schema),
        None => context.catalog().schema_by_oid(context.schema(name)?),
    };
    let mut schema = schema.ok_or_else(|| Error::internal("a schema is gone"))?.as_ref().clone();
    let (letters, _) = request.changes(Kind::Schema)?;
    let target = Target { kind: Kind::Schema, name, owner: schema.owner };
    let default = Access::schema(&schema).public_entry();
    let before = schema.grants.take().unwrap_or(default);
    schema.grants = Some(list(session, context, (&target, before, &letters), request)?);
    put(session, Object::Schema(schema)).await
}

/// A database; at once, as all that is the data directory's.
pub(super) fn database(
    session: &Session,
    context: &QueryContext,
    name: &str,
    request: &Request,
) -> Result<()> {
    let mut database = super::super::database::named(context, name)?;
    let (letters, _) = request.changes(Kind::Database)?;
    let target = Target { kind: Kind::Database, name, owner: database.owner };
    let default = Access::database(&database).public_entry();
    let before = database.grants.take().unwrap_or(default);
    database.grants = Some(list(session, context, (&target, before, &letters), request)?);
    context.engine.cluster.put_database(database)?;
    Ok(())
}

/// A list after the request, as far as the current role may carry it out.
fn list(
    session: &Session,
    context: &QueryContext,
    (target, before, letters): (&Target<'_>, Vec<Grant>, &str),
    request: &Request,
) -> Result<Vec<Grant>> {
    let (grantor, allowed) = acl::authority(context, target, &before, letters)?;
    if allowed.len() < letters.len() {
        let how_many = if allowed.is_empty() { "no" } else { "not all" };
        let (done, sqlstate) = match request.grant {
            true => ("were granted", "01007"),
            false => ("could be revoked", "01006"),
        };
        let text = format!("{how_many} privileges {done} for \"{}\"", target.name);
        session.notice("WARNING", sqlstate, text);
    }
    acl::changed(before, target, grantor, &request.change(&allowed))
}

async fn put(session: &mut Session, object: Object) -> Result<()> {
    let work = session.work().await?;
    work.lock().await.put(object);
    Ok(())
}
