//! `pg_stat_user_indexes`, `pg_stat_all_indexes`: index scans are not counted.
//! PostgreSQL manual: monitoring-pg-stat-all-indexes-view.

use super::super::facts::indexes;
use super::super::system_relation::relation;

relation! { (context) index in indexes::all(context) => {
    relid: index.relation.oid,
    indexrelid: index.oid,
    schemaname: context.schema_name(index.relation.schema),
    relname: &index.relation.name,
    indexrelname: index.name,
    idx_scan: 0,
    idx_tup_read: 0,
    idx_tup_fetch: 0,
} }
