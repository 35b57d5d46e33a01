//! `table_privileges`, `role_table_grants`: grants on tables. PostgreSQL manual:
//! infoschema-table-privileges.

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::{Grant, Relation, RelationKind};
use crate::privileges::{self, Access, Kind};

relation! { (context) row in rows(context) => {
    grantor: context.role_name(row.grant.grantor),
    grantee: super::grantee(context, row.grant.grantee),
    table_catalog: &context.database.name,
    table_schema: context.schema_name(row.relation.schema),
    table_name: &row.relation.name,
    privilege_type: privileges::name(row.letter),
    is_grantable: super::yes_or_no(row.grantable),
    with_hierarchy: super::yes_or_no(row.letter == 'r'),
} }

struct Row<'a> {
    relation: &'a Relation,
    grant: Grant,
    letter: char,
    grantable: bool,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let rights = context.own_rights();
    let mut rows = Vec::new();
    for relation in context.relations().filter(|one| !matches!(one.kind, RelationKind::Sequence(_)))
    {
        for grant in Access::relation(relation).entries() {
            if !super::concerns(&rights, &grant) {
                continue;
            }
            let letters: Vec<char> = Kind::Table
                .all()
                .chars()
                .filter(|letter| grant.privileges.contains(*letter))
                .collect();
            rows.extend(letters.into_iter().map(|letter| Row {
                relation,
                grantable: grant.grantee == relation.owner || grant.grantable.contains(letter),
                grant: grant.clone(),
                letter,
            }));
        }
    }
    rows
}
