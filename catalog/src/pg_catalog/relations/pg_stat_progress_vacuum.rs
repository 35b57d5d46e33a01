//! `pg_stat_progress_vacuum`: how far each VACUUM is, in blocks of 8 kB. PostgreSQL manual:
//! vacuum-progress-reporting.

use super::super::context::JobKind;
use super::super::system_relation::relation;
use super::pg_stat_activity::database_name;

relation! { (context) (session, job) in context.jobs(JobKind::Vacuum) => {
    pid: session.pid,
    datid: session.database,
    datname: database_name(context, session),
    relid: job.relation,
    phase: "vacuuming heap",
    heap_blks_total: job.blocks_total(),
    heap_blks_scanned: job.blocks(),
    heap_blks_vacuumed: job.blocks(),
    index_vacuum_count: 0,
    max_dead_tuples: 0,
    num_dead_tuples: 0,
} }
