//! `pg_stat_progress_create_index`: how far each unique index is, in blocks of 8 kB; other indexes
//! are there at once. PostgreSQL manual: create-index-progress-reporting.

use super::super::context::{JobKind, count};
use super::super::system_relation::relation;
use super::pg_stat_activity::database_name;

relation! { (context) (session, job) in context.jobs(JobKind::CreateIndex) => {
    pid: session.pid,
    datid: session.database,
    datname: database_name(context, session),
    relid: job.relation,
    index_relid: job.index,
    command: job.kind.command(),
    phase: if job.done.phase.is_empty() { "initializing" } else { job.done.phase },
    lockers_total: 0,
    lockers_done: 0,
    current_locker_pid: 0,
    blocks_total: job.blocks_total(),
    blocks_done: job.blocks(),
    tuples_total: 0,
    tuples_done: count(job.done.rows),
    partitions_total: 0,
    partitions_done: 0,
} }
