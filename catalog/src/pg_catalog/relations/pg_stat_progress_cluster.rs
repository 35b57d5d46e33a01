//! `pg_stat_progress_cluster`: how far each CLUSTER is, in blocks of 8 kB. PostgreSQL manual:
//! cluster-progress-reporting.

use super::super::context::JobKind;
use super::super::system_relation::relation;
use super::pg_stat_activity::database_name;

relation! { (context) (session, job) in context.jobs(JobKind::Cluster) => {
    pid: session.pid,
    datid: session.database,
    datname: database_name(context, session),
    relid: job.relation,
    command: "CLUSTER",
    phase: "writing new heap",
    cluster_index_relid: 0,
    heap_tuples_scanned: 0,
    heap_tuples_written: 0,
    heap_blks_total: job.blocks_total(),
    heap_blks_scanned: job.blocks(),
    index_rebuild_count: 0,
} }
