//! `pg_stat_ssl`: how connections are encrypted. PostgreSQL manual: monitoring-pg-stat-ssl-view.

use super::super::system_relation::relation;

relation! { (context) session in &context.sessions => {
    pid: session.pid,
    ssl: session.tls_version.is_some(),
    version: session.tls_version.as_deref(),
    cipher: session.tls_cipher.as_deref(),
} }
