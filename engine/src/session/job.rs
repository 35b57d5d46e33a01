//! What a session works on for long, for `clientele.progress`, `pg_stat_progress_vacuum` and its
//! neighbours (manual: progress-reporting).

use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::pg_catalog::{Done, JobFacts, JobKind};
use clientele_catalog::progress::Progress;

use super::shared::SessionShared;

/// Shows a job to other sessions for as long as it lives.
pub(crate) struct Job {
    session: Arc<SessionShared>,
    progress: Arc<Progress>,
}

impl Job {
    /// Shows a job of this session; 0: it is not about one relation.
    pub(crate) fn new(session: &Arc<SessionShared>, kind: JobKind, relation: Oid) -> Self {
        Self::of_index(session, kind, (relation, 0))
    }

    /// Shows work on an index of a relation.
    pub(crate) fn of_index(
        session: &Arc<SessionShared>,
        kind: JobKind,
        (relation, index): (Oid, Oid),
    ) -> Self {
        let progress = Arc::new(Progress::default());
        let shown = Arc::clone(&progress);
        *session.job.lock() = Some(Running { kind, relation, index, progress: shown });
        Self { session: Arc::clone(session), progress }
    }

    /// What the work tells of itself.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        *self.session.job.lock() = None;
    }
}

/// A job under way.
#[derive(Debug)]
pub(crate) struct Running {
    kind: JobKind,
    relation: Oid,
    index: Oid,
    progress: Arc<Progress>,
}

impl Running {
    /// Where it stands.
    pub(crate) fn facts(&self) -> JobFacts {
        JobFacts {
            kind: self.kind,
            relation: self.relation,
            index: self.index,
            done: Done::from(self.progress.as_ref()),
        }
    }
}
