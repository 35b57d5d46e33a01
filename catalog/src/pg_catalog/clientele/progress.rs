//! `clientele.progress`: how far each long job is, with those that PostgreSQL's
//! `pg_stat_progress_…` relations do not know. Bytes and rows are those of the phase.
//!
//! ```sql
//! SELECT command, relid::regclass, phase, bytes_done, bytes_total, rows_done FROM clientele.progress;
//! -- REFRESH MATERIALIZED VIEW | shop.best | writing rows | 0 | | 262144
//! ```

use super::super::context::{Context, Done, JobFacts, SessionFacts, count};
use super::super::relations::pg_stat_activity::database_name;
use super::super::system_relation::relation;
use crate::definition::Oid;

/// `COMMENT ON VIEW`.
pub(crate) const COMMENT: &str = "how far each long job is: bytes and rows of its present phase";

relation! { (context) row in rows(context) => {
    pid: row.session.map(|session| session.pid),
    datid: row.session.map_or(context.database.oid, |session| session.database),
    datname: match row.session {
        Some(session) => database_name(context, session),
        None => Some(context.database.name.as_str()),
    },
    relid: row.relation,
    command: row.command,
    phase: if row.done.phase.is_empty() { "initializing" } else { row.done.phase },
    bytes_total: count(row.done.bytes_total).filter(|total| *total > 0),
    bytes_done: count(row.done.bytes),
    rows_done: count(row.done.rows),
} }

struct Row<'a> {
    /// `None`: the server does it by itself.
    session: Option<&'a SessionFacts>,
    command: &'static str,
    relation: Option<Oid>,
    done: Done,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let upkeep = context.upkeep.map(|done| Row {
        session: None,
        command: "background upkeep",
        relation: None,
        done,
    });
    context.all_jobs().map(of_session).chain(upkeep).collect()
}

fn of_session<'a>((session, job): (&'a SessionFacts, &'a JobFacts)) -> Row<'a> {
    Row {
        session: Some(session),
        command: job.kind.command(),
        relation: (job.relation > 0).then_some(job.relation),
        done: job.done,
    }
}
