//! `enabled_roles`: the roles whose rights the current role has. PostgreSQL manual:
//! infoschema-enabled-roles.

use super::super::facts::grants::Rights;
use super::super::system_relation::relation;

relation! { (context) role in {
    let rights = Rights::current(context);
    context.roles.iter().filter(move |role| rights.owns(role.oid))
} => {
    role_name: &role.name,
} }
