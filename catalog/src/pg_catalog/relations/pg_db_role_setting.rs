//! `pg_db_role_setting`: what `ALTER ROLE … SET` and `ALTER DATABASE … SET` left. PostgreSQL manual:
//! catalog-pg-db-role-setting.

use std::collections::BTreeMap;

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::Oid;

relation! { (context) ((database, role), settings) in rows(context) => {
    setdatabase: database,
    setrole: role,
    setconfig: settings,
} }

fn rows(context: &Context) -> BTreeMap<(Oid, Oid), Vec<String>> {
    let mut rows: BTreeMap<(Oid, Oid), Vec<String>> = BTreeMap::new();
    for database in &context.databases {
        for (name, value) in &database.settings {
            rows.entry((database.oid, 0)).or_default().push(format!("{name}={value}"));
        }
    }
    for role in &context.roles {
        for one in &role.settings {
            let row = rows.entry((one.database, role.oid)).or_default();
            row.push(format!("{}={}", one.name, one.value));
        }
    }
    rows
}
