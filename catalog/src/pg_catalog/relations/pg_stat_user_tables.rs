//! `pg_stat_user_tables`, `pg_stat_all_tables`: tables with their live rows; what is not counted is
//! zero. PostgreSQL manual: monitoring-pg-stat-all-tables-view.

use super::super::system_relation::relation;

relation! { (context) (schema, relation) in context.placed_relations()
    .filter(|(_, relation)| relation.stores_rows()) => {
    relid: relation.oid,
    schemaname: &schema.name,
    relname: &relation.name,
    seq_scan: 0,
    seq_tup_read: 0,
    n_tup_ins: 0,
    n_tup_upd: 0,
    n_tup_del: 0,
    n_tup_hot_upd: 0,
    n_live_tup: i64::try_from((context.row_counts)(relation.oid).rows).unwrap_or(i64::MAX),
    n_dead_tup: 0,
    n_mod_since_analyze: 0,
    n_ins_since_vacuum: 0,
    vacuum_count: 0,
    autovacuum_count: 0,
    analyze_count: 0,
    autoanalyze_count: 0,
} }
