//! `pg_statio_user_tables`, `pg_statio_all_tables`: block reads are not counted.
//! PostgreSQL manual: monitoring-pg-statio-all-tables-view.

use super::super::system_relation::relation;

relation! { (context) (schema, relation) in context.placed_relations()
    .filter(|(_, relation)| relation.stores_rows()) => {
    relid: relation.oid,
    schemaname: &schema.name,
    relname: &relation.name,
    heap_blks_read: 0,
    heap_blks_hit: 0,
} }
