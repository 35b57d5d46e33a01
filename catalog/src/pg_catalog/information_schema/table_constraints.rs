//! `table_constraints`: constraints of tables, NOT NULL as checks as PostgreSQL has it.
//! PostgreSQL manual: infoschema-table-constraints.

use super::super::context::Context;
use super::super::facts::constraints::{self, ConstraintRow};
use super::super::system_relation::relation;
use crate::definition::{Column, Relation};

relation! { (context) (relation, name, kind, deferrable) in rows(context) => {
    constraint_catalog: &context.database.name,
    constraint_schema: context.schema_name(relation.schema),
    constraint_name: name,
    table_catalog: &context.database.name,
    table_schema: context.schema_name(relation.schema),
    table_name: &relation.name,
    constraint_type: kind,
    is_deferrable: yes(deferrable.is_some()),
    initially_deferred: yes(deferrable == Some(true)),
    enforced: "YES",
    nulls_distinct: (kind == "UNIQUE").then_some("YES"),
} }

fn yes(is_so: bool) -> &'static str {
    if is_so { "YES" } else { "NO" }
}

type Row<'a> = (&'a Relation, String, &'static str, Option<bool>);

fn rows(context: &Context) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for relation in visible(context) {
        let row = |one: ConstraintRow<'_>| {
            let kind = type_name(one.kind);
            (relation, one.name, kind, one.deferrable)
        };
        rows.extend(constraints::of_relation(relation).map(row));
        rows.extend(not_null(relation).map(|(_, name)| (relation, name, "CHECK", None)));
    }
    rows
}

fn type_name(kind: char) -> &'static str {
    match kind {
        'p' => "PRIMARY KEY",
        'u' => "UNIQUE",
        'f' => "FOREIGN KEY",
        _ => "CHECK",
    }
}

/// Relations whose constraints the current role is shown: those it may do anything with.
pub(crate) fn visible(context: &Context) -> impl Iterator<Item = &Relation> {
    let rights = context.own_rights();
    context.relations().map(AsRef::as_ref).filter(move |relation| rights.sees(relation))
}

/// Constraints of those relations.
pub(crate) fn visible_constraints(
    context: &Context,
) -> impl Iterator<Item = (&Relation, ConstraintRow<'_>)> {
    visible(context)
        .flat_map(|relation| constraints::of_relation(relation).map(move |one| (relation, one)))
}

/// The NOT NULL columns with the constraint name that PostgreSQL makes up for each.
pub(crate) fn not_null(relation: &Relation) -> impl Iterator<Item = (&Column, String)> {
    let name = |column: &Column| {
        format!("{}_{}_{}_not_null", relation.schema, relation.oid, column.number)
    };
    relation
        .live_columns()
        .filter(|column| column.not_null)
        .map(move |column| (column, name(column)))
}
