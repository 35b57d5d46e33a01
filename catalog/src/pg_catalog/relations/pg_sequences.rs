//! `pg_sequences`: sequences by name. PostgreSQL manual: view-pg-sequences.

use super::super::system_relation::relation;
use super::pg_sequence::sequences;

relation! { (context) (relation, sequence) in sequences(context) => {
    schemaname: context.schema_name(relation.schema),
    sequencename: &relation.name,
    sequenceowner: context.role_name(relation.owner),
    data_type: sequence.pg_type.oid,
    start_value: sequence.start,
    min_value: sequence.minimum,
    max_value: sequence.maximum,
    increment_by: sequence.increment,
    cycle: sequence.cycle,
    cache_size: 1,
    last_value: sequence.last_value,
} }
