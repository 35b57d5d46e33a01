//! `key_column_usage`: columns of keys and foreign keys. PostgreSQL manual:
//! infoschema-key-column-usage.

use super::super::context::Context;
use super::super::facts::constraints::{ConstraintRow, Foreign, referenced_key};
use super::super::system_relation::relation;
use super::table_constraints::visible_constraints;
use crate::definition::{ConstraintKind, Relation};

relation! { (context) row in rows(context) => {
    constraint_catalog: &context.database.name,
    constraint_schema: context.schema_name(row.relation.schema),
    constraint_name: row.constraint,
    table_catalog: &context.database.name,
    table_schema: context.schema_name(row.relation.schema),
    table_name: &row.relation.name,
    column_name: row.column,
    ordinal_position: row.place,
    position_in_unique_constraint: row.place_in_key,
} }

struct Row<'a> {
    relation: &'a Relation,
    constraint: String,
    column: &'a str,
    place: i32,
    place_in_key: Option<i32>,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let keys = visible_constraints(context).filter(|(_, one)| one.kind != 'c');
    keys.flat_map(|(relation, constraint)| of_constraint(context, relation, &constraint)).collect()
}

fn of_constraint<'a>(
    context: &Context,
    relation: &'a Relation,
    constraint: &ConstraintRow<'_>,
) -> Vec<Row<'a>> {
    let column = |(number, place): (&i16, i32)| {
        let place_in_key =
            constraint.foreign.as_ref().and_then(|foreign| place_in_key(context, foreign, place));
        Some(Row {
            relation,
            constraint: constraint.name.clone(),
            column: &relation.column_by_number(*number)?.name,
            place,
            place_in_key,
        })
    };
    constraint.columns.iter().zip(1..).filter_map(column).collect()
}

/// Where the column that the `place`-th column refers to stands in the key it belongs to.
fn place_in_key(context: &Context, foreign: &Foreign<'_>, place: i32) -> Option<i32> {
    let referred = foreign.columns.get(usize::try_from(place - 1).ok()?)?;
    let key = match &referenced_key(context, foreign)?.kind {
        ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns } => columns,
        _ => return None,
    };
    i32::try_from(key.iter().position(|one| one == referred)? + 1).ok()
}
