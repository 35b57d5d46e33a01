//! `constraint_column_usage`: columns that constraints speak of; for a foreign key those it
//! refers to.
//! PostgreSQL manual: infoschema-constraint-column-usage.

use super::super::context::Context;
use super::super::system_relation::relation;
use super::table_constraints::visible_constraints;
use crate::definition::{Oid, Relation};

relation! { (context) row in rows(context) => {
    table_catalog: &context.database.name,
    table_schema: context.schema_name(row.table.schema),
    table_name: &row.table.name,
    column_name: row.column,
    constraint_catalog: &context.database.name,
    constraint_schema: context.schema_name(row.constraint_schema),
    constraint_name: row.constraint,
} }

struct Row<'a> {
    table: &'a Relation,
    column: &'a str,
    constraint_schema: Oid,
    constraint: String,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (relation, constraint) in visible_constraints(context) {
        let (table, columns) = match &constraint.foreign {
            Some(foreign) => (
                context.catalog.relation_by_oid(foreign.relation).map(AsRef::as_ref),
                foreign.columns,
            ),
            None => (Some(relation), constraint.columns.as_slice()),
        };
        let Some(table) = table else { continue };
        rows.extend(columns.iter().filter_map(|number| table.column_by_number(*number)).map(
            |column| Row {
                table,
                column: &column.name,
                constraint_schema: relation.schema,
                constraint: constraint.name.clone(),
            },
        ));
    }
    rows
}
