//! `pg_stat_database`: databases with their sessions. PostgreSQL manual:
//! monitoring-pg-stat-database-view.

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::Oid;

relation! { (context) database in &context.databases => {
    datid: database.oid,
    datname: &database.name,
    numbackends: sessions(context, database.oid),
} }

fn sessions(context: &Context, database: Oid) -> i64 {
    context.sessions.iter().filter(|session| session.database == database).count() as i64
}
