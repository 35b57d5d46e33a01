//! `views`: views with their queries. PostgreSQL manual: infoschema-views.

use super::super::describe::definitions::view_text;
use super::super::system_relation::relation;
use super::tables::tables_and_views;
use crate::definition::Relation;

relation! { (context) view in tables_and_views(context).filter(|table| table.kind() == 'v') => {
    table_catalog: &context.database.name,
    table_schema: view.schema_name(),
    table_name: view.name(),
    view_definition: view.user().and_then(view_text),
    check_option: view.user().map_or("NONE", check_option),
    is_updatable: "NO",
    is_insertable_into: "NO",
    is_trigger_updatable: "NO",
    is_trigger_deletable: "NO",
    is_trigger_insertable_into: "NO",
} }

fn check_option(view: &Relation) -> &'static str {
    let option = view.options.iter().find(|(name, _)| name == "check_option");
    match option.map(|(_, value)| value.as_str()) {
        Some("local") => "LOCAL",
        Some(_) => "CASCADED",
        None => "NONE",
    }
}
