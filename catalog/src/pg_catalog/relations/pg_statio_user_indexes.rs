//! `pg_statio_user_indexes`, `pg_statio_all_indexes`: block reads are not counted.
//! PostgreSQL manual: monitoring-pg-statio-all-indexes-view.

use super::super::facts::indexes;
use super::super::system_relation::relation;

relation! { (context) index in indexes::all(context) => {
    relid: index.relation.oid,
    indexrelid: index.oid,
    schemaname: context.schema_name(index.relation.schema),
    relname: &index.relation.name,
    indexrelname: index.name,
    idx_blks_read: 0,
    idx_blks_hit: 0,
} }
