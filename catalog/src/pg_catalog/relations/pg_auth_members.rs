//! `pg_auth_members`: who is a member of which role. PostgreSQL manual: catalog-pg-auth-members.

use super::super::facts::oids;
use super::super::system_relation::relation;
use crate::catalog::BOOTSTRAP_ROLE_OID;

relation! { (context) (role, (place, group)) in context.roles.iter().flat_map(|role| {
    role.member_of.iter().enumerate().map(move |member| (role, member))
}) => {
    roleid: *group,
    member: role.oid,
    grantor: BOOTSTRAP_ROLE_OID,
    oid: oids::part(role.oid, place),
    inherit_option: role.inherit,
    set_option: true,
} }
