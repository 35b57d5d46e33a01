//! `constraint_table_usage`: tables that keys and foreign keys speak of. PostgreSQL manual:
//! infoschema-constraint-table-usage.

use super::super::system_relation::relation;
use super::table_constraints::visible_constraints;

relation! { (context) (table, relation, constraint) in visible_constraints(context)
    .filter(|(_, constraint)| constraint.kind != 'c')
    .filter_map(|(relation, constraint)| {
        let table = match &constraint.foreign {
            Some(foreign) => context.catalog.relation_by_oid(foreign.relation)?.as_ref(),
            None => relation,
        };
        Some((table, relation, constraint))
    }) => {
    table_catalog: &context.database.name,
    table_schema: context.schema_name(table.schema),
    table_name: &table.name,
    constraint_catalog: &context.database.name,
    constraint_schema: context.schema_name(relation.schema),
    constraint_name: constraint.name,
} }
