//! `pg_roles`: roles, passwords hidden. PostgreSQL manual: view-pg-roles.

use super::super::system_relation::relation;

relation! { (context) role in &context.roles => {
    rolname: &role.name,
    rolsuper: role.superuser,
    rolinherit: role.inherit,
    rolcreaterole: role.create_role,
    rolcreatedb: role.create_database,
    rolcanlogin: role.login,
    rolreplication: false,
    rolconnlimit: role.connection_limit,
    rolpassword: "********",
    rolbypassrls: role.superuser,
    oid: role.oid,
} }
