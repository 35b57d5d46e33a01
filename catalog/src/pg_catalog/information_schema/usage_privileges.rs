//! `usage_privileges`, `role_usage_grants`: who may use domains and sequences. PostgreSQL manual:
//! infoschema-usage-privileges.

use super::super::context::Context;
use super::super::relations::pg_sequence::sequences;
use super::super::system_relation::relation;
use crate::definition::Oid;
use crate::privileges::Access;

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
    let rights = context.own_rights();
    let domains = context
        .catalog
        .domains()
        .map(|one| (one.schema, one.name.as_str(), "DOMAIN", (one.owner, Access::domain(one))));
    let sequences = sequences(context).map(|(one, _)| {
        (one.schema, one.name.as_str(), "SEQUENCE", (one.owner, Access::relation(one)))
    });
    let servers = context.catalog.servers();
    let servers = servers
        .map(|one| (0, one.name.as_str(), "FOREIGN SERVER", (one.owner, Access::server(one))));
    let mut rows = Vec::new();
    for (schema, name, kind, (owner, access)) in domains.chain(sequences).chain(servers) {
        let grants = access.entries().into_iter();
        let usage = grants
            .filter(|grant| grant.privileges.contains('U') && super::concerns(&rights, grant));
        rows.extend(usage.map(|grant| Row {
            schema,
            name,
            kind,
            grantor: grant.grantor,
            grantee: grant.grantee,
            grantable: grant.grantee == owner || grant.grantable.contains('U'),
        }));
    }
    rows
}
