//! `views`: views with their queries. PostgreSQL manual: infoschema-views.

use super::super::describe::definitions::view_text;
use super::super::system_relation::relation;
use super::tables::tables_and_views;

relation! { (context) view in tables_and_views(context).filter(|table| table.kind() == 'v') => {
    table_catalog: &context.database.name,
    table_schema: view.schema_name(),
    table_name: view.name(),
    view_definition: view.user().and_then(view_text),
    check_option: "NONE",
    is_updatable: "NO",
    is_insertable_into: "NO",
    is_trigger_updatable: "NO",
    is_trigger_deletable: "NO",
    is_trigger_insertable_into: "NO",
} }
