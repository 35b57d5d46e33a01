//! `foreign_table_options`: options of foreign tables. PostgreSQL manual: infoschema-foreign-table-options.

use super::super::facts::foreign;
use super::super::system_relation::relation;

relation! { (context) (schema, table, (name, value)) in foreign::visible_tables(context)
    .flat_map(|(schema, table, foreign, _)| {
        foreign.options.iter().map(move |option| (schema, table, option))
    }) => {
    foreign_table_catalog: &context.database.name,
    foreign_table_schema: &schema.name,
    foreign_table_name: &table.name,
    option_name: name,
    option_value: value,
} }
