//! `applicable_roles`: memberships of the current role. PostgreSQL manual:
//! infoschema-applicable-roles.

use super::super::system_relation::relation;

relation! { (context) (member, group) in {
    let rights = context.own_rights();
    context.roles.iter()
        .filter(move |role| rights.owns(role.oid))
        .flat_map(|role| role.member_of.iter().map(move |group| (role, *group)))
} => {
    grantee: &member.name,
    role_name: context.role_name(group),
    is_grantable: "NO",
} }
