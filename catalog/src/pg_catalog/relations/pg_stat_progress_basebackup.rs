//! `pg_stat_progress_basebackup`: how far each `CALL clientele.backup` is; the size is known once
//! all is copied and being checked. PostgreSQL manual: basebackup-progress-reporting.

use super::super::context::{JobKind, count};
use super::super::system_relation::relation;

relation! { (context) (session, job) in context.jobs(JobKind::Backup) => {
    pid: session.pid,
    phase: match job.done.bytes_total {
        0 => "waiting for checkpoint to finish",
        _ => "streaming database files",
    },
    backup_total: count(job.done.bytes_total).filter(|total| *total > 0),
    backup_streamed: count(job.done.bytes),
    tablespaces_total: 1,
    tablespaces_streamed: 0,
} }
