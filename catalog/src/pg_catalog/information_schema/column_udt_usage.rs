//! `column_udt_usage`: the base type of each column. PostgreSQL manual:
//! infoschema-column-udt-usage.

use super::super::system_relation::relation;
use super::table_constraints::visible;

relation! { (context) (relation, column) in visible(context)
    .flat_map(|relation| relation.live_columns().map(move |column| (relation, column))) => {
    udt_catalog: &context.database.name,
    udt_schema: "pg_catalog",
    udt_name: column.pg_type.name(),
    table_catalog: &context.database.name,
    table_schema: context.schema_name(relation.schema),
    table_name: &relation.name,
    column_name: &column.name,
} }
