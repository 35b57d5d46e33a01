//! `view_table_usage`: tables that views read. PostgreSQL manual: infoschema-view-table-usage.

use super::super::facts::dependencies;
use super::super::system_relation::relation;

relation! { (context) (view, table) in dependencies::of_views(context).into_iter()
    .filter(|(view, _)| view.kind_letter() == 'v')
    .flat_map(|(view, read)| {
        read.into_iter().filter_map(move |oid| Some((view, context.catalog.relation_by_oid(oid)?)))
    }) => {
    view_catalog: &context.database.name,
    view_schema: context.schema_name(view.schema),
    view_name: &view.name,
    table_catalog: &context.database.name,
    table_schema: context.schema_name(table.schema),
    table_name: &table.name,
} }
