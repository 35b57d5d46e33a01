//! `CREATE SCHEMA` (manual: sql-createschema).

use clientele_catalog::definition::{Object, Schema};
use clientele_catalog::privileges::Kind;
use sqlparser::ast::SchemaName;

use super::grant;
use super::owner::{may_become, role_named};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::sql::place::{folded, name_parts};

/// Runs a CREATE SCHEMA.
pub(super) async fn execute(
    session: &mut Session,
    name: &SchemaName,
    if_not_exists: bool,
) -> Result<String> {
    const TAG: &str = "CREATE SCHEMA";
    session.writable(TAG)?;
    let (name, owner) = match name {
        SchemaName::Simple(name) => (name_parts(name).pop().unwrap_or_default(), None),
        SchemaName::UnnamedAuthorization(role) => (folded(role), Some(folded(role))),
        SchemaName::NamedAuthorization(name, role) => {
            (name_parts(name).pop().unwrap_or_default(), Some(folded(role)))
        }
    };
    if name.starts_with("pg_") {
        return Err(Error::new("42939", format!("unacceptable schema name \"{name}\""))
            .with_detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    let context = session.context().await?;
    context.must_have_on_database('C')?;
    if context.catalog().schema(&name).is_some() {
        if if_not_exists {
            session.notice(
                "NOTICE",
                "42P06",
                format!("schema \"{name}\" already exists, skipping"),
            );
            return Ok(TAG.to_owned());
        }
        return Err(Error::new("42P06", format!("schema \"{name}\" already exists")));
    }
    let owner = match owner {
        Some(role) => {
            let role = role_named(&context, &role)?;
            if !may_become(&context, role.oid) {
                let text = format!("must be member of role \"{}\"", role.name);
                return Err(Error::new("42501", text));
            }
            role.oid
        }
        None => context.role.oid,
    };
    let oid = session.store.allocate_oid();
    let work = session.work().await?;
    let built_in = grant::built_in(Kind::Schema, owner);
    let grants = context.catalog().grants_of_new((owner, 0, 'n'), built_in);
    work.lock().await.put(Object::Schema(Schema { oid, name, owner, comment: None, grants }));
    Ok(TAG.to_owned())
}
