//! `pg_stat_progress_copy`: how far each COPY is. PostgreSQL manual: copy-progress-reporting.

use super::super::system_relation::relation;
use super::pg_stat_activity::database_name;

relation! { (context) (session, copy) in context.sessions.iter()
    .filter_map(|session| Some((session, session.copy.as_ref()?))) => {
    pid: session.pid,
    datid: session.database,
    datname: database_name(context, session),
    relid: copy.relation,
    command: &copy.command,
    r#type: &copy.kind,
    bytes_processed: copy.bytes,
    bytes_total: copy.bytes_total,
    tuples_processed: copy.rows,
    tuples_excluded: copy.rows_excluded,
} }
