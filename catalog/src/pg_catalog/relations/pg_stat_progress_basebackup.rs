//! `pg_stat_progress_basebackup`: how far each `CALL clientele.backup` is; the size is known once
//! all is copied and being checked. PostgreSQL manual: basebackup-progress-reporting.

use super::super::context::JobKind;
use super::super::system_relation::relation;

relation! { (context) (session, job) in context.jobs(JobKind::Backup) => {
    pid: session.pid,
    phase: match job.bytes_total {
        0 => "waiting for checkpoint to finish",
        _ => "streaming database files",
    },
    backup_total: (job.bytes_total > 0).then(|| i64::try_from(job.bytes_total).unwrap_or(i64::MAX)),
    backup_streamed: i64::try_from(job.bytes).unwrap_or(i64::MAX),
    tablespaces_total: 1,
    tablespaces_streamed: 0,
} }
