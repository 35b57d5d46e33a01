//! `pg_stat_user_tables`, `pg_stat_all_tables`: tables with their rows and what was written to them
//! since the server started; what is not counted is zero. PostgreSQL manual:
//! monitoring-pg-stat-all-tables-view.

use super::super::system_relation::relation;

relation! { (context) (schema, relation, facts) in context.placed_relations()
    .filter(|(_, relation)| relation.stores_rows())
    .map(|(schema, relation)| (schema, relation, (context.row_counts)(relation.oid))) => {
    relid: relation.oid,
    schemaname: &schema.name,
    relname: &relation.name,
    seq_scan: 0,
    seq_tup_read: 0,
    n_tup_ins: shown(facts.written.inserted),
    n_tup_upd: shown(facts.written.updated),
    n_tup_del: shown(facts.written.deleted),
    n_tup_hot_upd: 0,
    n_live_tup: shown(facts.rows),
    n_dead_tup: shown(facts.dead_rows),
    n_mod_since_analyze: 0,
    n_ins_since_vacuum: 0,
    vacuum_count: 0,
    autovacuum_count: 0,
    analyze_count: 0,
    autoanalyze_count: 0,
} }

fn shown(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
