//! `pg_sequence`: sequences. PostgreSQL manual: catalog-pg-sequence.

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::{Relation, RelationKind, Sequence};

relation! { (context) (relation, sequence) in sequences(context) => {
    seqrelid: relation.oid,
    seqtypid: sequence.pg_type.oid,
    seqstart: sequence.start,
    seqincrement: sequence.increment,
    seqmax: sequence.maximum,
    seqmin: sequence.minimum,
    seqcache: 1,
    seqcycle: sequence.cycle,
} }

/// Every sequence with its state.
pub(crate) fn sequences(context: &Context) -> impl Iterator<Item = (&Relation, &Sequence)> {
    context.relations().filter_map(|relation| match &relation.kind {
        RelationKind::Sequence(sequence) => Some((relation.as_ref(), sequence)),
        _ => None,
    })
}
