//! `foreign_tables`: foreign tables. PostgreSQL manual: infoschema-foreign-tables.

use super::super::facts::foreign;
use super::super::system_relation::relation;

relation! { (context) (schema, table, _, server) in foreign::visible_tables(context) => {
    foreign_table_catalog: &context.database.name,
    foreign_table_schema: &schema.name,
    foreign_table_name: &table.name,
    foreign_server_catalog: &context.database.name,
    foreign_server_name: server,
} }
