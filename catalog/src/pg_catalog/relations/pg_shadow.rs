//! `pg_shadow`: roles that may log in with their verifiers, for superusers. PostgreSQL manual:
//! view-pg-shadow.

use super::super::system_relation::relation;

relation! { (context) (role, privileged) in {
    let privileged = context.own_rights().superuser;
    context.roles.iter().filter(|role| role.login).map(move |role| (role, privileged))
} => {
    usename: &role.name,
    usesysid: role.oid,
    usecreatedb: role.create_database,
    usesuper: role.superuser,
    userepl: false,
    usebypassrls: role.superuser || role.bypasses_row_security,
    passwd: role.password.as_deref().filter(|_| privileged),
} }
