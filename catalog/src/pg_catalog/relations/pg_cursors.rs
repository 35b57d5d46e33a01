//! `pg_cursors`: the session's cursors. PostgreSQL manual: view-pg-cursors.

use super::super::system_relation::relation;

relation! { (context) cursor in &context.cursors => {
    name: &cursor.name,
    statement: &cursor.statement,
    is_holdable: cursor.holdable,
    is_binary: cursor.binary,
    is_scrollable: cursor.scrollable,
    creation_time: cursor.created_at,
} }
