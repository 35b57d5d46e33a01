//! `ON_ERROR ignore`: rows that are left out, and how many may be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::progress::CopyProgress;
use super::shortened;
use crate::api::Notice;
use crate::error::{Error, Result};
use crate::session::shared::SessionShared;
use crate::sql::CopyOptions;

/// Notices about single rows at most: they wait in memory for the end of the statement.
const NOTICES_MAX: u64 = 10_000;

/// Rows that one COPY has left out.
pub(crate) struct Rejects {
    session: Arc<SessionShared>,
    relation: String,
    limit: Option<u64>,
    verbose: bool,
    progress: Arc<CopyProgress>,
}

impl Rejects {
    /// For a statement that ignores errors; `None` for one that does not.
    pub(crate) fn of(
        options: &CopyOptions,
        (session, progress): (&Arc<SessionShared>, &Arc<CopyProgress>),
        relation: &str,
    ) -> Option<Arc<Self>> {
        options.ignore_errors.then(|| {
            Arc::new(Self {
                session: Arc::clone(session),
                relation: relation.to_owned(),
                limit: options.reject_limit,
                verbose: options.verbose,
                progress: Arc::clone(progress),
            })
        })
    }

    /// A row is left out.
    ///
    /// # Errors
    /// 22P02 when there are too many.
    pub(crate) fn reject(&self, line: u64, column: &str, value: Option<&str>) -> Result<()> {
        let count = self.progress.tuples_skipped.fetch_add(1, Ordering::Relaxed) + 1;
        if self.verbose && count <= NOTICES_MAX {
            let shown = match value {
                Some(value) => format!("\"{}\"", shortened(value)),
                None => "null input".to_owned(),
            };
            let text = format!(
                "skipping row due to data type incompatibility at line {line} for column \"{column}\": {shown}"
            );
            self.tell(text);
        }
        match self.limit {
            Some(limit) if count > limit => Err(Error::new(
                "22P02",
                format!(
                    "skipped more than REJECT_LIMIT ({limit}) rows due to data type incompatibility"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.progress.tuples_skipped.load(Ordering::Relaxed)
    }

    /// Tells the client how many rows were left out.
    pub(crate) fn tell_count(&self) {
        match self.count() {
            0 => {}
            1 => self.tell("1 row was skipped due to data type incompatibility".to_owned()),
            count => {
                self.tell(format!("{count} rows were skipped due to data type incompatibility"))
            }
        }
    }

    fn tell(&self, message: String) {
        let error = Error { severity: "NOTICE", ..Error::new("00000", message) };
        let notice = error.with_context(format!("COPY {}", self.relation));
        self.session.notices.lock().push(Notice::Message(notice));
    }
}
