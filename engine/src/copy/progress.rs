//! How far a COPY is, for `pg_stat_progress_copy` (manual: progress-reporting).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clientele_catalog::definition::Oid;
use clientele_catalog::pg_catalog;

use crate::session::shared::SessionShared;

/// Counters of a running COPY.
#[derive(Debug, Default)]
pub struct CopyProgress {
    /// The table; 0 for a query.
    pub relation: Oid,
    /// `COPY FROM` or `COPY TO`.
    pub command: &'static str,
    /// `FILE` or `PIPE`.
    pub kind: &'static str,
    /// Size of the file that is read; 0 where it is not known.
    pub bytes_total: AtomicU64,
    /// Bytes read or written.
    pub bytes_processed: AtomicU64,
    /// Rows read or written.
    pub tuples_processed: AtomicU64,
    /// Rows that `ON_ERROR ignore` left out.
    pub tuples_skipped: AtomicU64,
}

impl CopyProgress {
    /// The counters as they stand.
    pub fn facts(&self) -> pg_catalog::CopyProgress {
        let count = |counter: &AtomicU64| {
            i64::try_from(counter.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
        };
        pg_catalog::CopyProgress {
            relation: self.relation,
            command: self.command.to_owned(),
            kind: self.kind.to_owned(),
            bytes: count(&self.bytes_processed),
            bytes_total: count(&self.bytes_total),
            rows: count(&self.tuples_processed),
            rows_excluded: count(&self.tuples_skipped),
        }
    }

    pub(crate) fn add_bytes(&self, count: usize) {
        self.bytes_processed.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn add_rows(&self, count: usize) {
        self.tuples_processed.fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// Shows a COPY to other sessions for as long as it lives.
pub(crate) struct Shown {
    session: Arc<SessionShared>,
    progress: Arc<CopyProgress>,
}

impl Shown {
    /// Shows a COPY of this session.
    pub(crate) fn new(session: &Arc<SessionShared>, progress: CopyProgress) -> Self {
        let progress = Arc::new(progress);
        *session.progress.lock() = Some(Arc::clone(&progress));
        Self { session: Arc::clone(session), progress }
    }

    /// The counters.
    pub(crate) fn progress(&self) -> &Arc<CopyProgress> {
        &self.progress
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let mut shown = self.session.progress.lock();
        if shown.as_ref().is_some_and(|one| Arc::ptr_eq(one, &self.progress)) {
            *shown = None;
        }
    }
}
