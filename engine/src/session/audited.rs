//! What a session reports to the audit log when a statement ends: its reads. Decisions are part of
//! the transaction that they are made in.

use std::sync::Arc;

use super::{Prepared, Session};
use crate::api::{Outcome, Rows};
use crate::error::Result;
use crate::privacy::audit::{Entry, Target, watch};
use crate::sql::normalised::normalised;

impl Session {
    /// The outcome of a statement; its reads of opened columns are in the log before its end.
    pub(super) async fn audited(&self, outcome: Outcome, prepared: &Prepared) -> Result<Outcome> {
        let reads = std::mem::take(&mut self.shared.noted.lock().reads);
        if reads.is_empty() {
            return Ok(outcome);
        }
        let purpose = self.shared.settings.lock().raw("clientele.purpose").to_owned();
        let entry = Entry {
            kind: "read",
            role: self.role.name.clone(),
            columns: reads.into_iter().collect(),
            statement: Some(normalised(prepared.text())),
            row_count: None,
            purpose: (!purpose.is_empty()).then_some(purpose),
            reason: None,
        };
        match outcome {
            Outcome::Rows(rows) => {
                let stream = watch(rows.stream, entry, self.audit_target());
                Ok(Outcome::Rows(Rows { stream, ..rows }))
            }
            other => {
                self.audit_target().append(&[entry]).await?;
                Ok(other)
            }
        }
    }

    fn audit_target(&self) -> Target {
        Target {
            engine: Arc::clone(&self.engine),
            store: Arc::clone(&self.store),
            temporary: Arc::clone(&self.temporary),
            database: self.database.oid,
        }
    }
}
