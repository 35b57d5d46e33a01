//! `pg_group`: roles that may not log in, with their members. PostgreSQL manual: view-pg-group.

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::Oid;

relation! { (context) role in context.roles.iter().filter(|role| !role.login) => {
    groname: &role.name,
    grosysid: role.oid,
    grolist: members(context, role.oid),
} }

fn members(context: &Context, group: Oid) -> Vec<Oid> {
    context
        .roles
        .iter()
        .filter(|role| role.member_of.contains(&group))
        .map(|role| role.oid)
        .collect()
}
