//! `tables`: tables and views. PostgreSQL manual: infoschema-tables.

use super::super::context::Context;
use super::super::facts::columns::{self, Table};
use super::super::system_relation::relation;

relation! { (context) table in tables_and_views(context) => {
    table_catalog: &context.database.name,
    table_schema: table.schema_name(),
    table_name: table.name(),
    table_type: match &table {
        Table::User(_, relation) if relation.temporary => "LOCAL TEMPORARY",
        _ if table.kind() == 'v' => "VIEW",
        _ if table.kind() == 'f' => "FOREIGN",
        _ => "BASE TABLE",
    },
    is_insertable_into: super::yes_or_no(table.kind() == 'r'),
    is_typed: "NO",
    commit_action: table.user().is_some_and(|relation| relation.temporary).then_some("PRESERVE"),
} }

/// What the standard calls a table: materialized views are none, as in PostgreSQL.
pub(crate) fn tables_and_views(context: &Context) -> impl Iterator<Item = Table<'_>> {
    columns::visible_tables(context).into_iter().filter(|table| table.kind() != 'm')
}
