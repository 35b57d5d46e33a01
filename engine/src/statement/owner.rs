//! Roles that statements name, and whom an object may be given to.

use clientele_catalog::definition::{Oid, Role};
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::sql::place::folded;

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
    match may_become(context, role.oid) {
        true => Ok(role),
        false => Err(Error::new("42501", format!("must be able to SET ROLE \"{}\"", role.name))),
    }
}

/// Whether the current role may `SET ROLE` to another: it is that role, a member of it over any
/// number of steps, or a superuser.
pub(super) fn may_become(context: &QueryContext, other: Oid) -> bool {
    context.role.superuser || context.engine.cluster.is_member(context.role.oid, other)
}
