//! `pg_user`: roles that may log in, passwords hidden. PostgreSQL manual: view-pg-user.

use super::super::system_relation::relation;

relation! { (context) role in context.roles.iter().filter(|role| role.login) => {
    usename: &role.name,
    usesysid: role.oid,
    usecreatedb: role.create_database,
    usesuper: role.superuser,
    userepl: false,
    usebypassrls: role.superuser || role.bypasses_row_security,
    passwd: "********",
} }
