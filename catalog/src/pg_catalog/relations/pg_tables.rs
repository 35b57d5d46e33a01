//! `pg_tables`: tables by name. PostgreSQL manual: view-pg-tables.

use super::super::facts::columns::Table;
use super::super::facts::indexes;
use super::super::system_relation::{self, relation};
use crate::catalog::BOOTSTRAP_ROLE_OID;

relation! { (context) table in context.placed_relations()
    .map(|(schema, relation)| Table::User(schema, relation))
    .chain(system_relation::all().iter().map(Table::System))
    .filter(|table| table.kind() == 'r') => {
    schemaname: table.schema_name(),
    tablename: table.name(),
    tableowner: context.role_name(table.user().map_or(BOOTSTRAP_ROLE_OID, |relation| relation.owner)),
    hasindexes: table.user().is_some_and(|relation| indexes::of(relation).next().is_some()),
    hasrules: false,
    hastriggers: false,
    rowsecurity: false,
} }
