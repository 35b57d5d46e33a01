//! `pg_prepared_statements`: the session's prepared statements. PostgreSQL manual:
//! view-pg-prepared-statements.

use super::super::system_relation::relation;

relation! { (context) prepared in &context.prepared => {
    name: &prepared.name,
    statement: &prepared.statement,
    prepare_time: prepared.prepared_at,
    parameter_types: prepared.parameters.iter().map(|one| one.oid).collect::<Vec<_>>(),
    from_sql: prepared.from_sql,
    generic_plans: 0,
    custom_plans: 0,
} }
