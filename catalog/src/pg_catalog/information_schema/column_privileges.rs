//! `column_privileges`, `role_column_grants`: grants on columns, by the table or by themselves.
//! PostgreSQL manual: infoschema-column-privileges.

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::{Column, Grant, Relation, RelationKind};
use crate::privileges::{self, Access};

/// Privileges that columns have.
const LETTERS: &str = "arwx";

relation! { (context) row in rows(context) => {
    grantor: context.role_name(row.grantor),
    grantee: super::grantee(context, row.grantee),
    table_catalog: &context.database.name,
    table_schema: context.schema_name(row.relation.schema),
    table_name: &row.relation.name,
    column_name: &row.column.name,
    privilege_type: privileges::name(row.letter),
    is_grantable: super::yes_or_no(row.grantable),
} }

struct Row<'a> {
    relation: &'a Relation,
    column: &'a Column,
    grantor: u32,
    grantee: u32,
    letter: char,
    grantable: bool,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let rights = context.own_rights();
    let mut rows = Vec::new();
    for relation in context.relations().filter(|one| !matches!(one.kind, RelationKind::Sequence(_)))
    {
        let on_table = Access::relation(relation).entries();
        for column in relation.live_columns() {
            let grants = on_table
                .iter()
                .chain(&column.grants)
                .filter(|grant| super::concerns(&rights, grant));
            grants.for_each(|grant| rows.extend(of_grant(relation, column, grant)));
        }
    }
    rows
}

fn of_grant<'a>(relation: &'a Relation, column: &'a Column, grant: &Grant) -> Vec<Row<'a>> {
    let row = |letter: char| Row {
        relation,
        column,
        grantor: grant.grantor,
        grantee: grant.grantee,
        letter,
        grantable: grant.grantee == relation.owner || grant.grantable.contains(letter),
    };
    LETTERS.chars().filter(|letter| grant.privileges.contains(*letter)).map(row).collect()
}
