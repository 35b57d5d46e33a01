//! `CREATE`, `ALTER`, `DROP`, `COMMENT ON SERVER` (manual: sql-createserver).

use std::collections::BTreeSet;
use std::sync::Arc;

use clientele_catalog::definition::{ForeignServer, Object, Relation};
use clientele_catalog::foreign::PARQUET_WRAPPER;
use clientele_catalog::privileges::Access;

use super::options::{self, OF_SERVER};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::rights::denied;
use crate::session::Session;
use crate::sql::foreign::{CreateServer, Names, ServerChange};
use crate::statement::alter_table::put;
use crate::statement::drop as drop_statement;
use crate::statement::owner::new_owner;

/// The server of that name.
///
/// # Errors
/// 42704.
pub(in crate::statement) fn named<'a>(
    context: &'a QueryContext,
    name: &str,
) -> Result<&'a Arc<ForeignServer>> {
    let found = context.catalog().server(name);
    found.ok_or_else(|| Error::new("42704", format!("server \"{name}\" does not exist")))
}

/// The server that a role makes tables of.
///
/// # Errors
/// 42704, 42501.
pub(super) fn usable<'a>(context: &'a QueryContext, name: &str) -> Result<&'a Arc<ForeignServer>> {
    let server = named(context, name)?;
    match Access::server(server).permits(&context.rights, 'U', false) {
        true => Ok(server),
        false => Err(denied("foreign server", name)),
    }
}

/// `CREATE SERVER`.
pub(super) async fn create(session: &mut Session, create: &CreateServer) -> Result<&'static str> {
    const TAG: &str = "CREATE SERVER";
    session.writable(TAG)?;
    let context = session.context().await?;
    if context.catalog().server(&create.name).is_some() {
        let text = format!("server \"{}\" already exists", create.name);
        if !create.if_not_exists {
            return Err(Error::new("42710", text));
        }
        session.notice("NOTICE", "42710", format!("{text}, skipping"));
        return Ok(TAG);
    }
    if create.wrapper != PARQUET_WRAPPER {
        let text = format!("foreign-data wrapper \"{}\" does not exist", create.wrapper);
        return Err(Error::new("42704", text)
            .with_hint(format!("The foreign-data wrapper is {PARQUET_WRAPPER}.")));
    }
    // The wrapper belongs to the system, and nobody is granted its use.
    if !context.rights.superuser {
        return Err(denied("foreign-data wrapper", PARQUET_WRAPPER));
    }
    options::check(&create.options, OF_SERVER)?;
    let server = ForeignServer {
        oid: session.store.allocate_oid(),
        name: create.name.clone(),
        owner: context.role.oid,
        server_type: create.server_type.clone(),
        version: create.version.clone(),
        options: create.options.clone(),
        comment: None,
        grants: None,
    };
    put(session, [Object::ForeignServer(server)]).await?;
    Ok(TAG)
}

/// `ALTER SERVER`.
pub(super) async fn alter(
    session: &mut Session,
    name: &str,
    change: &ServerChange,
) -> Result<&'static str> {
    const TAG: &str = "ALTER SERVER";
    session.writable(TAG)?;
    let context = session.context().await?;
    let mut server = owned(&context, name)?;
    match change {
        ServerChange::Rename(to) => {
            if context.catalog().server(to).is_some() {
                return Err(Error::new("42710", format!("server \"{to}\" already exists")));
            }
            server.name.clone_from(to);
        }
        ServerChange::Owner(owner) => server.owner = new_owner(&context, owner)?.oid,
        ServerChange::Definition(version, changes) => {
            if version.is_some() {
                server.version.clone_from(version);
            }
            server.options = options::changed(&server.options, changes)?;
            options::check(&server.options, OF_SERVER)?;
        }
    }
    put(session, [Object::ForeignServer(server)]).await?;
    Ok(TAG)
}

/// `COMMENT ON SERVER`.
pub(super) async fn comment(
    session: &mut Session,
    name: &str,
    comment: Option<String>,
) -> Result<&'static str> {
    const TAG: &str = "COMMENT";
    session.writable(TAG)?;
    let context = session.context().await?;
    let server = ForeignServer { comment, ..owned(&context, name)? };
    put(session, [Object::ForeignServer(server)]).await?;
    Ok(TAG)
}

fn owned(context: &QueryContext, name: &str) -> Result<ForeignServer> {
    let server = named(context, name)?;
    context.must_own("foreign server", name, server.owner)?;
    Ok(server.as_ref().clone())
}

/// `DROP SERVER`.
pub(super) async fn drop(session: &mut Session, names: &Names<String>) -> Result<&'static str> {
    const TAG: &str = "DROP SERVER";
    session.writable(TAG)?;
    for name in &names.names {
        let context = session.context().await?;
        if names.if_exists && context.catalog().server(name).is_none() {
            let text = format!("server \"{name}\" does not exist, skipping");
            session.notice("NOTICE", "00000", text);
            continue;
        }
        let server = owned(&context, name)?;
        let is_of =
            |one: &&Arc<Relation>| one.foreign().is_some_and(|one| one.server == server.oid);
        let tables: Vec<_> = context.catalog().relations().filter(is_of).collect();
        let called: Vec<String> =
            tables.iter().map(|one| format!("foreign table {}", one.name)).collect();
        let what = format!("server {name}");
        if !called.is_empty() && !names.cascade {
            let lines = called.iter().map(|one| format!("{one} depends on {what}"));
            let text = format!("cannot drop {what} because other objects depend on it");
            return Err(Error::new("2BP01", text)
                .with_detail(lines.collect::<Vec<_>>().join("\n"))
                .with_hint("Use DROP ... CASCADE to drop the dependent objects too."));
        }
        drop_statement::notice_cascade(session, &called);
        let doomed: BTreeSet<_> = tables.iter().map(|one| one.oid).collect();
        drop_statement::drop_all(session, &context, doomed, (&what, true)).await?;
        let work = session.work().await?;
        work.lock().await.drop_object(server.oid);
    }
    Ok(TAG)
}
