//! `pg_authid`: roles with their password verifiers, for superusers. PostgreSQL manual:
//! catalog-pg-authid.

use super::super::system_relation::relation;

relation! { (context) (role, privileged) in {
    let privileged = context.own_rights().superuser;
    context.roles.iter().map(move |role| (role, privileged))
} => {
    oid: role.oid,
    rolname: &role.name,
    rolsuper: role.superuser,
    rolinherit: role.inherit,
    rolcreaterole: role.create_role,
    rolcreatedb: role.create_database,
    rolcanlogin: role.login,
    rolbypassrls: role.superuser || role.bypasses_row_security,
    rolconnlimit: role.connection_limit,
    rolvaliduntil: role.valid_until,
    rolpassword: role.password.as_deref().filter(|_| privileged),
} }
