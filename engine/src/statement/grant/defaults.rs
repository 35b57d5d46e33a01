//! `ALTER DEFAULT PRIVILEGES` (manual: sql-alterdefaultprivileges).

use std::sync::Arc;

use clientele_catalog::definition::{
    DefaultPrivileges, Grant, Object, Oid, Relation, RelationKind,
};
use clientele_catalog::privileges::Kind;
use sqlparser::ast::{GrantObjects, ObjectName};

use super::acl::{self, Target};
use super::{Request, owner};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::sql;
use crate::sql::place::name_parts;

/// Runs an ALTER DEFAULT PRIVILEGES.
pub(in crate::statement) async fn default_privileges(
    session: &mut Session,
    statement: &sql::DefaultPrivileges,
) -> Result<String> {
    const TAG: &str = "ALTER DEFAULT PRIVILEGES";
    session.writable(TAG)?;
    let context = session.context().await?;
    let (request, objects) = Request::of(&context, &statement.change)?;
    let (letter, kind) = kind(objects)?;
    let roles = match statement.roles.as_slice() {
        [] => vec![context.role.oid],
        names => names
            .iter()
            .map(|name| owner::role_named(&context, name).map(|role| role.oid))
            .collect::<Result<_>>()?,
    };
    let schemas = match statement.schemas.as_slice() {
        [] => vec![0],
        _ if letter == 'n' => {
            let text = "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS";
            return Err(Error::new("0LP01", text));
        }
        names => names.iter().map(|name| context.schema(name)).collect::<Result<_>>()?,
    };
    for role in roles {
        if !context.rights.owns(role) {
            return Err(Error::new("42501", "permission denied to change default privileges"));
        }
        for schema in &schemas {
            change(session, &context, (role, *schema, letter, kind), &request).await?;
        }
    }
    Ok(TAG.to_owned())
}

/// `TABLES`, `SEQUENCES` …, which the parser takes for the name of a table.
fn kind(objects: Option<&GrantObjects>) -> Result<(char, Kind)> {
    let words = |names: &[ObjectName]| names.iter().flat_map(name_parts).collect::<Vec<_>>();
    let words = match objects {
        Some(GrantObjects::Tables(names)) => words(names),
        _ => Vec::new(),
    };
    match words.first().map(String::as_str) {
        Some("tables") => Ok(('r', Kind::Table)),
        Some("sequences") => Ok(('S', Kind::Sequence)),
        Some("functions" | "routines") => Ok(('f', Kind::Function)),
        Some("types") => Ok(('T', Kind::Type)),
        Some("schemas") => Ok(('n', Kind::Schema)),
        _ => Err(Error::new(
            "42601",
            "syntax error: TABLES, SEQUENCES, FUNCTIONS, TYPES or SCHEMAS is expected after ON",
        )),
    }
}

async fn change(
    session: &mut Session,
    context: &QueryContext,
    (role, schema, letter, kind): (Oid, Oid, char, Kind),
    request: &Request,
) -> Result<()> {
    let (letters, _) = request.changes(kind)?;
    let same = |one: &&Arc<DefaultPrivileges>| {
        one.role == role && one.schema == schema && one.kind == letter
    };
    let known = context.catalog().default_privileges().find(same);
    let known = known.map(|one| one.as_ref().clone());
    let mut defaults = known.unwrap_or_else(|| DefaultPrivileges {
        oid: session.store.allocate_oid(),
        role,
        schema,
        kind: letter,
        grants: if schema == 0 { built_in(kind, role) } else { Vec::new() },
    });
    let target = Target { kind, name: "", owner: role };
    let before = std::mem::take(&mut defaults.grants);
    defaults.grants = acl::changed(before, &target, role, &request.change(&letters))?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    let none_left = match schema {
        0 => defaults.grants == built_in(kind, role),
        _ => defaults.grants.is_empty(),
    };
    match none_left {
        true => transaction.drop_object(defaults.oid),
        false => transaction.put(Object::DefaultPrivileges(defaults)),
    }
    Ok(())
}

/// What `ALTER DEFAULT PRIVILEGES` gives a new relation.
pub(in crate::statement) fn grants_of_new(
    context: &QueryContext,
    relation: &Relation,
) -> Option<Vec<Grant>> {
    let (letter, kind) = match relation.kind {
        RelationKind::Sequence(_) => ('S', Kind::Sequence),
        _ => ('r', Kind::Table),
    };
    let built_in = built_in(kind, relation.owner);
    context.catalog().grants_of_new((relation.owner, relation.schema, letter), built_in)
}

/// What PUBLIC has on new objects when nothing is said.
pub(in crate::statement) fn built_in(kind: Kind, owner: Oid) -> Vec<Grant> {
    match kind.of_public() {
        "" => Vec::new(),
        letters => vec![Grant {
            grantee: 0,
            grantor: owner,
            privileges: letters.to_owned(),
            grantable: String::new(),
        }],
    }
}
