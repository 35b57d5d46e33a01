//! `pg_stat_user_indexes`, `pg_stat_all_indexes`: how often indexes were used since the server
//! started.
//! PostgreSQL manual: monitoring-pg-stat-all-indexes-view.

use super::super::facts::indexes;
use super::super::system_relation::relation;

relation! { (context) (index, used) in indexes::all(context)
    .map(|index| { let used = (context.index_uses)(index.oid); (index, used) }) => {
    relid: index.relation.oid,
    indexrelid: index.oid,
    schemaname: context.schema_name(index.relation.schema),
    relname: &index.relation.name,
    indexrelname: index.name,
    idx_scan: shown(used.scans),
    idx_tup_read: shown(used.rows),
    idx_tup_fetch: shown(used.rows),
} }

fn shown(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
