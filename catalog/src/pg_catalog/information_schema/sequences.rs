//! `sequences`: sequences, those of identity columns left out as in PostgreSQL.
//! PostgreSQL manual: infoschema-sequences.

use super::super::context::Context;
use super::super::facts::sql_types::sql_type;
use super::super::relations::pg_sequence;
use super::super::system_relation::relation;
use crate::definition::{Relation, Sequence};

relation! { (context) (relation, sequence, facts) in rows(context)
    .map(|(relation, sequence)| (relation, sequence, sql_type(sequence.pg_type))) => {
    sequence_catalog: &context.database.name,
    sequence_schema: context.schema_name(relation.schema),
    sequence_name: &relation.name,
    data_type: facts.data_type,
    numeric_precision: facts.numeric_precision,
    numeric_precision_radix: facts.numeric_precision_radix,
    numeric_scale: facts.numeric_scale,
    start_value: sequence.start.to_string(),
    minimum_value: sequence.minimum.to_string(),
    maximum_value: sequence.maximum.to_string(),
    increment: sequence.increment.to_string(),
    cycle_option: super::yes_or_no(sequence.cycle),
} }

fn rows(context: &Context) -> impl Iterator<Item = (&Relation, &Sequence)> {
    let rights = context.own_rights();
    let of_identity = |sequence: &Sequence| {
        let owner = sequence.owned_by.and_then(|(table, column)| {
            context.catalog.relation_by_oid(table)?.column_by_number(column)
        });
        owner.is_some_and(|column| column.identity.is_some())
    };
    pg_sequence::sequences(context)
        .filter(move |(relation, sequence)| rights.sees(relation) && !of_identity(sequence))
}
