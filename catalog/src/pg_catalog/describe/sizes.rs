//! Sizes: `pg_relation_size`, `pg_table_size`, `pg_total_relation_size`, `pg_database_size`.

use super::super::context::Context;
use super::names::relation_by_oid;
use crate::definition::Oid;

/// Bytes of a relation's files, for the whole family of table sizes; 0 for what stores nothing,
/// `None` (NULL) when there is no such relation.
pub fn relation_size(context: &Context, relation: Oid) -> Option<i64> {
    relation_by_oid(context, relation)?;
    let stored = context.catalog.relation_by_oid(relation).filter(|one| one.stores_rows());
    let bytes = stored.map_or(0, |one| (context.row_counts)(one.oid).bytes);
    Some(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// `pg_indexes_size(oid)`: indexes live in the table's files (page index, bloom filters).
pub fn indexes_size(context: &Context, relation: Oid) -> Option<i64> {
    relation_by_oid(context, relation).map(|_| 0)
}

/// `pg_database_size` of the current database: the sum of its relations.
pub fn database_size(context: &Context) -> i64 {
    context
        .relations()
        .filter_map(|one| relation_size(context, one.oid))
        .fold(0, i64::saturating_add)
}
