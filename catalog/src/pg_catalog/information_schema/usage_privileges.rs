//! `usage_privileges`, `role_usage_grants`: who may use domains and sequences. PostgreSQL manual:
//! infoschema-usage-privileges.

use super::super::context::Context;
use super::super::facts::grants::{Access, Rights};
use super::super::relations::pg_sequence::sequences;
use super::super::system_relation::relation;
use crate::definition::Oid;

relation! { (context) row in rows(context) => {
    grantor: context.role_name(row.grantor),
    grantee: super::grantee(context, row.grantee),
    object_catalog: &context.database.name,
    object_schema: context.schema_name(row.schema),
    object_name: row.name,
    object_type: row.kind,
    privilege_type: "USAGE",
    is_grantable: super::yes_or_no(row.grantable),
} }

struct Row<'a> {
    schema: Oid,
    name: &'a str,
    kind: &'static str,
    grantor: Oid,
    grantee: Oid,
    grantable: bool,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let rights = Rights::current(context);
    let domains = context.catalog.domains().map(|domain| Row {
        schema: domain.schema,
        name: &domain.name,
        kind: "DOMAIN",
        grantor: domain.owner,
        grantee: 0,
        grantable: false,
    });
    let mut rows: Vec<Row<'_>> = domains.collect();
    for (relation, _) in sequences(context) {
        let grants = Access::relation(relation).entries().into_iter();
        let usage = grants
            .filter(|grant| grant.privileges.contains('U') && super::concerns(&rights, grant));
        rows.extend(usage.map(|grant| Row {
            schema: relation.schema,
            name: &relation.name,
            kind: "SEQUENCE",
            grantor: grant.grantor,
            grantee: grant.grantee,
            grantable: grant.grantee == relation.owner || grant.grantable.contains('U'),
        }));
    }
    rows
}
