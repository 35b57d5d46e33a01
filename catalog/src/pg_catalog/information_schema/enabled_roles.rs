//! `enabled_roles`: the roles whose rights the current role has. PostgreSQL manual:
//! infoschema-enabled-roles.

use super::super::system_relation::relation;

relation! { (context) role in {
    let rights = context.own_rights();
    context.roles.iter().filter(move |role| rights.owns(role.oid))
} => {
    role_name: &role.name,
} }
