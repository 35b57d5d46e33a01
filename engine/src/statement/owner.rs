//! Who may change a definition (manual: ddl-priv): its owner, the members of the owner's role,
//! superusers. Privileges never give that right.

use clientele_catalog::definition::{Oid, Relation, RelationKind, Role};
use sqlparser::ast;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::sql::place::folded;

/// Refuses who may not change an object of that kind (`table`, `view` … as messages say it).
///
/// # Errors
/// 42501 `must be owner of table t`.
pub(super) fn must_own(context: &QueryContext, kind: &str, name: &str, owner: Oid) -> Result<()> {
    match acts_as(&context.engine, &context.role, owner) {
        true => Ok(()),
        false => Err(Error::new("42501", format!("must be owner of {kind} {name}"))),
    }
}

/// [`must_own`] for a table, view, materialized view or sequence.
///
/// # Errors
/// 42501.
pub(crate) fn must_own_relation(context: &QueryContext, relation: &Relation) -> Result<()> {
    must_own(context, kind_of(relation), &relation.name, relation.owner)
}

/// Refuses who lacks a privilege on a relation, given by its letter (manual: table 5.1).
///
/// # Errors
/// 42501 `permission denied for table t`.
pub(crate) fn must_have(context: &QueryContext, relation: &Relation, letter: char) -> Result<()> {
    let role = &context.role;
    let grants = relation.grants.as_deref().unwrap_or_default();
    let of_owner = grants.iter().find(|grant| grant.grantee == relation.owner);
    let owner_has = of_owner.is_none_or(|grant| grant.privileges.contains(letter));
    let granted = grants.iter().any(|grant| {
        grant.privileges.contains(letter)
            && (grant.grantee == 0 || is_member(&context.engine, role.oid, grant.grantee))
    });
    let owns = || owner_has && is_member(&context.engine, role.oid, relation.owner);
    match role.superuser || granted || owns() {
        true => Ok(()),
        false => {
            let text = format!("permission denied for {} {}", kind_of(relation), relation.name);
            Err(Error::new("42501", text))
        }
    }
}

/// Whether a role has the rights of another: it is that role, a member of it, or a superuser.
pub(super) fn acts_as(engine: &Engine, role: &Role, other: Oid) -> bool {
    role.superuser || is_member(engine, role.oid, other)
}

/// Whether a role is another role or, over any number of steps, a member of it.
pub(super) fn is_member(engine: &Engine, role: Oid, other: Oid) -> bool {
    let roles = engine.cluster.roles();
    let mut seen = vec![role];
    let mut next = 0;
    while let Some(oid) = seen.get(next).copied() {
        next += 1;
        if oid == other {
            return true;
        }
        let found = roles.iter().find(|one| one.oid == oid);
        for parent in found.into_iter().flat_map(|one| &one.member_of) {
            if !seen.contains(parent) {
                seen.push(*parent);
            }
        }
    }
    false
}

/// What messages call a relation.
pub(super) fn kind_of(relation: &Relation) -> &'static str {
    match relation.kind {
        RelationKind::Table => "table",
        RelationKind::View { .. } => "view",
        RelationKind::MaterializedView { .. } => "materialized view",
        RelationKind::Sequence(_) => "sequence",
    }
}

/// The role of that name.
///
/// # Errors
/// 42704 `role "x" does not exist`.
pub(super) fn role_named(context: &QueryContext, name: &str) -> Result<Role> {
    let found = match name {
        "current_user" | "current_role" => Some(context.role.as_ref().clone()),
        "session_user" => context.engine.cluster.role(context.session.role),
        name => context.engine.role(name),
    };
    found.ok_or_else(|| Error::new("42704", format!("role \"{name}\" does not exist")))
}

/// The role that `OWNER TO` names, if the current role may give something to it.
///
/// # Errors
/// 42704 when there is no such role, 42501 when the current role is not a member of it.
pub(super) fn new_owner(context: &QueryContext, owner: &ast::Owner) -> Result<Role> {
    let role = match owner {
        ast::Owner::Ident(name) => role_named(context, &folded(name))?,
        ast::Owner::CurrentRole | ast::Owner::CurrentUser => role_named(context, "current_user")?,
        ast::Owner::SessionUser => role_named(context, "session_user")?,
    };
    match acts_as(&context.engine, &context.role, role.oid) {
        true => Ok(role),
        false => Err(Error::new("42501", format!("must be able to SET ROLE \"{}\"", role.name))),
    }
}
