//! `CREATE DATABASE`, `DROP DATABASE`, `ALTER DATABASE`, `ALTER SCHEMA` (manual: managing-databases).
//!
//! A database is a brand: a directory of its own, and no query crosses. Databases are the data
//! directory's: they come and go at once, outside of transactions.

use std::sync::Arc;

use clientele_catalog::definition::{Database, Object, Schema};
use sqlparser::ast::{AlterSchema, AlterSchemaOperation, Owner, Statement};

use super::alter_table::with_sequence_renamed;
use super::owner::new_owner;
use super::{default_settings, dependency};
use crate::error::{Error, Result};
use crate::functions::publishing::{DELTA, file_name};
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::session::shared::StopReason;
use crate::sql::place::name_parts;
use crate::sql::roles::SettingDefault;

/// How often, and how long in between, `WITH (FORCE)` looks whether the sessions have ended.
const FORCE_TRIES: usize = 100;
const FORCE_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Runs a CREATE DATABASE or ALTER SCHEMA.
pub(super) async fn execute(session: &mut Session, statement: &Statement) -> Result<String> {
    match statement {
        Statement::CreateDatabase { db_name, if_not_exists, .. } => {
            create(session, &name_parts(db_name).join("."), *if_not_exists, None).await
        }
        Statement::AlterSchema(alter) => alter_schema(session, alter).await,
        other => Err(Error::internal(format!("not about a database: {other}"))),
    }
}

/// The database of that name.
///
/// # Errors
/// 3D000.
pub(super) fn named(context: &QueryContext, name: &str) -> Result<Database> {
    let found = context.engine.database(name);
    found.ok_or_else(|| Error::new("3D000", format!("database \"{name}\" does not exist")))
}

/// `CREATE DATABASE`.
pub(super) async fn create(
    session: &mut Session,
    name: &str,
    if_not_exists: bool,
    owner: Option<&Owner>,
) -> Result<String> {
    const TAG: &str = "CREATE DATABASE";
    session.writable(TAG)?;
    session.outside_block(TAG)?;
    let context = session.context().await?;
    if !context.role.superuser && !context.role.create_database {
        return Err(Error::new("42501", "permission denied to create database"));
    }
    if context.engine.database(name).is_some() {
        let text = format!("database \"{name}\" already exists");
        if if_not_exists {
            session.notice("NOTICE", "42P04", format!("{text}, skipping"));
            return Ok(TAG.to_owned());
        }
        return Err(Error::new("42P04", text));
    }
    let owner = match owner {
        Some(owner) => new_owner(&context, owner)?.oid,
        None => context.role.oid,
    };
    context.engine.cluster.create_database(name, owner)?;
    Ok(TAG.to_owned())
}

/// `DROP DATABASE [IF EXISTS]`.
pub(super) async fn drop(
    session: &mut Session,
    name: &str,
    if_exists: bool,
    force: bool,
) -> Result<String> {
    const TAG: &str = "DROP DATABASE";
    session.writable(TAG)?;
    session.outside_block(TAG)?;
    let context = session.context().await?;
    let database = match named(&context, name) {
        Ok(database) => database,
        Err(_) if if_exists => {
            session.notice(
                "NOTICE",
                "00000",
                format!("database \"{name}\" does not exist, skipping"),
            );
            return Ok(TAG.to_owned());
        }
        Err(error) => return Err(error),
    };
    context.must_own("database", name, database.owner)?;
    if database.oid == context.database.oid {
        return Err(Error::new("55006", "cannot drop the currently open database"));
    }
    if force {
        end_sessions(&context, &database).await;
    }
    unused(&context, &database)?;
    context.engine.cluster.drop_database(database.oid)?;
    context.engine.recommenders.forget(database.oid);
    // What was published of it below the data directory.
    let published = context.engine.cluster.directory().join(DELTA).join(file_name(&database.name));
    let _ = std::fs::remove_dir_all(published);
    Ok(TAG.to_owned())
}

/// Ends the sessions of a database, and waits a moment until they are gone.
async fn end_sessions(context: &QueryContext, database: &Database) {
    let inside = || {
        let all = context.engine.sessions().into_iter();
        all.filter(|session| session.database == database.oid).collect::<Vec<_>>()
    };
    inside().iter().for_each(|session| session.stop(StopReason::Termination));
    for _ in 0..FORCE_TRIES {
        if inside().is_empty() {
            return;
        }
        tokio::time::sleep(FORCE_PAUSE).await;
    }
}

/// Refuses a database that somebody is connected to.
fn unused(context: &QueryContext, database: &Database) -> Result<()> {
    let sessions = context.engine.sessions();
    let count = sessions.iter().filter(|session| session.database == database.oid).count();
    if count == 0 {
        return Ok(());
    }
    let detail = match count {
        1 => "There is 1 other session using the database.".to_owned(),
        many => format!("There are {many} other sessions using the database."),
    };
    let text = format!("database \"{}\" is being accessed by other users", database.name);
    Err(Error::new("55006", text).with_detail(detail))
}

/// `ALTER DATABASE name RENAME TO other`.
pub(super) async fn rename(session: &mut Session, name: &str, to: &str) -> Result<String> {
    const TAG: &str = "ALTER DATABASE";
    session.writable(TAG)?;
    session.outside_block(TAG)?;
    let context = session.context().await?;
    let mut database = named(&context, name)?;
    context.must_own("database", name, database.owner)?;
    if !context.role.superuser && !context.role.create_database {
        return Err(Error::new("42501", "permission denied to rename database"));
    }
    if context.engine.database(to).is_some() {
        return Err(Error::new("42P04", format!("database \"{to}\" already exists")));
    }
    if database.oid == context.database.oid {
        return Err(Error::new("0A000", "current database cannot be renamed"));
    }
    unused(&context, &database)?;
    to.clone_into(&mut database.name);
    context.engine.cluster.put_database(database)?;
    Ok(TAG.to_owned())
}

/// `ALTER DATABASE name OWNER TO role`.
pub(super) async fn give(session: &mut Session, name: &str, owner: &Owner) -> Result<String> {
    const TAG: &str = "ALTER DATABASE";
    session.writable(TAG)?;
    let context = session.context().await?;
    let mut database = named(&context, name)?;
    context.must_own("database", name, database.owner)?;
    database.owner = new_owner(&context, owner)?.oid;
    context.engine.cluster.put_database(database)?;
    Ok(TAG.to_owned())
}

/// `ALTER DATABASE name SET …`.
pub(super) async fn set(
    session: &mut Session,
    name: &str,
    change: &SettingDefault,
) -> Result<String> {
    const TAG: &str = "ALTER DATABASE";
    session.writable(TAG)?;
    let context = session.context().await?;
    let mut database = named(&context, name)?;
    context.must_own("database", name, database.owner)?;
    let settings = std::mem::take(&mut database.settings);
    database.settings = default_settings::changed(session, settings, change)?;
    context.engine.cluster.put_database(database)?;
    Ok(TAG.to_owned())
}

async fn alter_schema(session: &mut Session, alter: &AlterSchema) -> Result<String> {
    const TAG: &str = "ALTER SCHEMA";
    session.writable(TAG)?;
    let name = name_parts(&alter.name).join(".");
    for operation in &alter.operations {
        let context = session.context().await?;
        if alter.if_exists && context.catalog().schema(&name).is_none() {
            session.notice(
                "NOTICE",
                "00000",
                format!("schema \"{name}\" does not exist, skipping"),
            );
            return Ok(TAG.to_owned());
        }
        let oid = context.schema(&name)?;
        let schema = context.catalog().schema_by_oid(oid);
        let schema = schema.ok_or_else(|| Error::internal("a schema is gone"))?.as_ref().clone();
        context.must_own("schema", &name, schema.owner)?;
        let changed = match operation {
            AlterSchemaOperation::Rename { name: to } => {
                renamed_schema(&context, schema, name_parts(to).pop().unwrap_or_default())?
            }
            AlterSchemaOperation::OwnerTo { owner } => {
                vec![Object::Schema(Schema { owner: new_owner(&context, owner)?.oid, ..schema })]
            }
            other => return Err(Error::unsupported(format!("ALTER SCHEMA … {other}"))),
        };
        let work = session.work().await?;
        let mut transaction = work.lock().await;
        for object in changed {
            transaction.put(object);
        }
    }
    Ok(TAG.to_owned())
}

/// The schema under its new name, and the views whose queries name what is in it.
fn renamed_schema(context: &QueryContext, schema: Schema, to: String) -> Result<Vec<Object>> {
    if to.starts_with("pg_") {
        return Err(Error::new("42939", format!("unacceptable schema name \"{to}\""))
            .with_detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if context.catalog().schema(&to).is_some() {
        return Err(Error::new("42P06", format!("schema \"{to}\" already exists")));
    }
    // A view may name several relations of the schema: each rename starts from the one before.
    let mut catalog = context.catalog().as_ref().clone();
    let mut changed: Vec<Object> = Vec::new();
    for relation in context.catalog().relations().filter(|relation| relation.schema == schema.oid) {
        for view in dependency::renamed(&catalog, relation, (&to, &relation.name))? {
            catalog.put(Object::Relation(view.clone()));
            changed.retain(|object| object.oid() != view.oid);
            changed.push(Object::Relation(view));
        }
    }
    for sequence in context.catalog().relations().filter(|relation| relation.schema == schema.oid) {
        let from = [schema.name.clone(), sequence.name.clone()];
        let tables: Vec<_> = catalog.relations().map(Arc::clone).collect();
        for table in tables
            .iter()
            .filter_map(|table| with_sequence_renamed(table, &from, (&to, &sequence.name)))
        {
            catalog.put(Object::Relation(table.clone()));
            changed.retain(|object| object.oid() != table.oid);
            changed.push(Object::Relation(table));
        }
    }
    changed.push(Object::Schema(Schema { name: to, ..schema }));
    Ok(changed)
}
