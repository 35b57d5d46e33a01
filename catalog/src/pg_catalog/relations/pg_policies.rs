//! `pg_policies`: row-level security, readable. PostgreSQL manual: view-pg-policies.

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::{Oid, Policy, Relation};

relation! { (context) (table, policy) in all(context) => {
    schemaname: context.schema_name(table.schema),
    tablename: &table.name,
    policyname: &policy.name,
    permissive: if policy.permissive { "PERMISSIVE" } else { "RESTRICTIVE" },
    roles: policy.roles.iter().map(|role| role_name(context, *role)).collect::<Vec<_>>(),
    cmd: match policy.command {
        'r' => "SELECT",
        'a' => "INSERT",
        'w' => "UPDATE",
        'd' => "DELETE",
        _ => "ALL",
    },
    qual: policy.using.as_deref(),
    with_check: policy.with_check.as_deref(),
} }

fn all(context: &Context) -> impl Iterator<Item = (&Relation, &Policy)> {
    context.catalog.relations().flat_map(|relation| {
        relation.row_security.policies.iter().map(|policy| (relation.as_ref(), policy))
    })
}

fn role_name(context: &Context, role: Oid) -> String {
    let found = context.roles.iter().find(|one| one.oid == role);
    found.map_or_else(|| "public".to_owned(), |one| one.name.clone())
}
