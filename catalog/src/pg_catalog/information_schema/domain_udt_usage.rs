//! `domain_udt_usage`: the base type of each domain. PostgreSQL manual:
//! infoschema-domain-udt-usage.

use super::super::system_relation::relation;

relation! { (context) domain in context.catalog.domains().filter(|one| one.labels.is_empty()) => {
    udt_catalog: &context.database.name,
    udt_schema: "pg_catalog",
    udt_name: domain.pg_type.name(),
    domain_catalog: &context.database.name,
    domain_schema: context.schema_name(domain.schema),
    domain_name: &domain.name,
} }
