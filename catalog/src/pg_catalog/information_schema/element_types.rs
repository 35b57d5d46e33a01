//! `element_types`: element types of array columns. PostgreSQL manual: infoschema-element-types.

use super::super::facts::sql_types::sql_type;
use super::super::system_relation::relation;
use super::tables::tables_and_views;

relation! { (context) (table, number, facts) in tables_and_views(context).flat_map(|table| {
    let arrays: Vec<_> = table.columns().iter()
        .filter_map(|column| Some((column.number, sql_type(column.pg_type.element()?))))
        .collect();
    let name = (table.schema_name().to_owned(), table.name().to_owned());
    arrays.into_iter().map(move |(number, facts)| (name.clone(), number, facts))
}) => {
    object_catalog: &context.database.name,
    object_schema: table.0,
    object_name: table.1,
    object_type: "TABLE",
    collection_type_identifier: number.to_string(),
    data_type: facts.data_type,
    udt_catalog: &context.database.name,
    udt_schema: "pg_catalog",
    udt_name: facts.udt_name,
    dtd_identifier: format!("a{number}"),
} }
