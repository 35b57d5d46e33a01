//! `domain_constraints`: checks of domains. PostgreSQL manual: infoschema-domain-constraints.

use super::super::facts::constraints;
use super::super::system_relation::relation;

relation! { (context) (domain, constraint) in context.catalog.domains()
    .flat_map(|domain| constraints::of_domain(domain).map(move |one| (domain, one))) => {
    constraint_catalog: &context.database.name,
    constraint_schema: context.schema_name(domain.schema),
    constraint_name: constraint.name,
    domain_catalog: &context.database.name,
    domain_schema: context.schema_name(domain.schema),
    domain_name: &domain.name,
    is_deferrable: "NO",
    initially_deferred: "NO",
} }
