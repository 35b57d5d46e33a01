//! `domains`: domains, the built-in ones included. PostgreSQL manual: infoschema-domains.

use super::super::facts::expressions;
use super::super::facts::sql_types::sql_type;
use super::super::system_relation::relation;

relation! { (context) (domain, facts) in context.catalog.domains()
    .filter(|domain| domain.labels.is_empty())
    .map(|domain| (domain, sql_type(domain.pg_type))) => {
    domain_catalog: &context.database.name,
    domain_schema: context.schema_name(domain.schema),
    domain_name: &domain.name,
    data_type: facts.data_type,
    character_maximum_length: facts.character_maximum_length,
    character_octet_length: facts.character_octet_length,
    numeric_precision: facts.numeric_precision,
    numeric_precision_radix: facts.numeric_precision_radix,
    numeric_scale: facts.numeric_scale,
    datetime_precision: facts.datetime_precision,
    domain_default: domain.default.as_ref()
        .map(|text| expressions::domain_default(text, domain.pg_type)),
    udt_catalog: &context.database.name,
    udt_schema: "pg_catalog",
    udt_name: facts.udt_name,
    dtd_identifier: "1",
} }
