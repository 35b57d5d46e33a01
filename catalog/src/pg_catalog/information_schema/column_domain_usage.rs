//! `column_domain_usage`: columns that have a domain for type, where a tool finds what a column
//! means. PostgreSQL manual: infoschema-column-domain-usage.

use super::super::system_relation::relation;
use super::table_constraints::visible;

relation! { (context) (relation, column, domain) in visible(context).flat_map(|relation| {
    relation.live_columns().filter_map(move |column| {
        Some((relation, column, context.catalog.domain_by_oid(column.domain?)?))
    })
}) => {
    domain_catalog: &context.database.name,
    domain_schema: context.schema_name(domain.schema),
    domain_name: &domain.name,
    table_catalog: &context.database.name,
    table_schema: context.schema_name(relation.schema),
    table_name: &relation.name,
    column_name: &column.name,
} }
