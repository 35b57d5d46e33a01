//! `pg_depend`: what would go or stand in the way when an object is dropped. PostgreSQL manual:
//! catalog-pg-depend. Views to what they read, sequences to their columns, indexes to constraints.

use super::super::context::Context;
use super::super::facts::{constraints, dependencies, oids};
use super::super::system_relation::relation;
use super::pg_sequence::sequences;
use crate::definition::Oid;

const PG_CLASS: Oid = 1259;
const PG_CONSTRAINT: Oid = 2606;
const PG_REWRITE: Oid = 2618;

relation! { (context) row in rows(context) => {
    classid: row.catalog,
    objid: row.object,
    refclassid: row.needed_catalog,
    refobjid: row.needed,
    refobjsubid: row.needed_column,
    deptype: row.kind,
} }

struct Row {
    catalog: Oid,
    object: Oid,
    needed_catalog: Oid,
    needed: Oid,
    needed_column: i32,
    /// `n` normal, `a` automatic, `i` internal.
    kind: char,
}

fn rows(context: &Context) -> Vec<Row> {
    let mut rows: Vec<Row> = sequences(context)
        .filter_map(|(relation, sequence)| {
            let (owner, column) = sequence.owned_by?;
            let owner_column = context.catalog.relation_by_oid(owner)?.column_by_number(column)?;
            let kind = if owner_column.identity.is_some() { 'i' } else { 'a' };
            Some(Row {
                catalog: PG_CLASS,
                object: relation.oid,
                needed_catalog: PG_CLASS,
                needed: owner,
                needed_column: column.into(),
                kind,
            })
        })
        .collect();
    for constraint in context.relations().flat_map(|relation| constraints::of_relation(relation)) {
        rows.extend(of_constraint(&constraint));
    }
    for (view, read) in dependencies::of_views(context) {
        let rule = oids::part(view.oid, 0);
        let row = |needed, kind| Row {
            catalog: PG_REWRITE,
            object: rule,
            needed_catalog: PG_CLASS,
            needed,
            needed_column: 0,
            kind,
        };
        rows.push(row(view.oid, 'i'));
        rows.extend(read.into_iter().map(|needed| row(needed, 'n')));
    }
    rows
}

fn of_constraint(constraint: &constraints::ConstraintRow<'_>) -> Vec<Row> {
    let Some(relation) = constraint.relation else { return Vec::new() };
    let row = |needed, needed_column: i16, kind| Row {
        catalog: PG_CONSTRAINT,
        object: constraint.oid,
        needed_catalog: PG_CLASS,
        needed,
        needed_column: needed_column.into(),
        kind,
    };
    let mut rows: Vec<Row> =
        constraint.columns.iter().map(|column| row(relation.oid, *column, 'a')).collect();
    if let Some(foreign) = &constraint.foreign {
        rows.extend(foreign.columns.iter().map(|column| row(foreign.relation, *column, 'n')));
    }
    if "pu".contains(constraint.kind) {
        rows.push(Row {
            catalog: PG_CLASS,
            object: constraint.oid,
            needed_catalog: PG_CONSTRAINT,
            needed: constraint.oid,
            needed_column: 0,
            kind: 'i',
        });
    }
    rows
}
