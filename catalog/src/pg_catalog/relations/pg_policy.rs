//! `pg_policy`: row-level security. PostgreSQL manual: catalog-pg-policy.

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::{Oid, Policy};

relation! { (context) (table, policy) in all(context) => {
    oid: policy.oid,
    polname: &policy.name,
    polrelid: table,
    polcmd: policy.command,
    polpermissive: policy.permissive,
    polroles: policy.roles.clone(),
    polqual: policy.using.as_deref(),
    polwithcheck: policy.with_check.as_deref(),
} }

fn all(context: &Context) -> impl Iterator<Item = (Oid, &Policy)> {
    context.catalog.relations().flat_map(|relation| {
        relation.row_security.policies.iter().map(|policy| (relation.oid, policy))
    })
}
