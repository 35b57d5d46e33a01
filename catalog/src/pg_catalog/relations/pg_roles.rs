//! `pg_roles`: roles, passwords hidden. PostgreSQL manual: view-pg-roles.

use super::super::system_relation::relation;
use crate::definition::Role;

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
    rolvaliduntil: role.valid_until,
    rolconfig: config(role),
    rolbypassrls: role.superuser || role.bypasses_row_security,
    oid: role.oid,
} }

/// What sessions of the role begin with in every database; NULL when nothing was said.
fn config(role: &Role) -> Option<Vec<String>> {
    let everywhere = role.settings.iter().filter(|one| one.database == 0);
    let config: Vec<String> = everywhere.map(|one| format!("{}={}", one.name, one.value)).collect();
    (!config.is_empty()).then_some(config)
}
