//! What a session reports to the audit log when a statement ends: its reads. Decisions are part of
//! the transaction that they are made in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Prepared, Session};
use crate::api::{Outcome, Rows};
use crate::error::Result;
use crate::privacy::audit::{Key, Reading, Target, watch};
use crate::sql::Body;
use crate::sql::normalised::normalised;

impl Session {
    /// The outcome of a statement; its reads of closed columns are in the log before its end, but for
    /// those of a superuser that the same statement read a moment ago.
    pub(super) async fn audited(
        &mut self,
        outcome: Outcome,
        prepared: &Prepared,
    ) -> Result<Outcome> {
        let reads = std::mem::take(&mut self.shared.noted.lock().reads);
        // What superusers let the engine do for itself shows them nothing.
        if reads.is_empty() || self.role.superuser && is_own_work(&prepared.statement.body) {
            return Ok(outcome);
        }
        let key = self.read(reads, prepared);
        let target = self.audit_target();
        let again = self.role.superuser && self.engine.auditor.repeated.is_known(&target, &key);
        match outcome {
            Outcome::Rows(rows) => {
                let reading = if again { Reading::Again(key) } else { Reading::One(key.entry()) };
                let stream = watch(rows.stream, reading, target);
                Ok(Outcome::Rows(Rows { stream, ..rows }))
            }
            other if again => {
                self.engine.auditor.repeated.add(&target, &key, None);
                Ok(other)
            }
            other => {
                target.append(&[key.entry()]).await?;
                Ok(other)
            }
        }
    }

    fn read(&mut self, reads: BTreeSet<Arc<str>>, prepared: &Prepared) -> Key {
        let text = &prepared.statement.text;
        let statement = match &self.last_read {
            Some((raw, shown)) if Arc::ptr_eq(raw, text) => Arc::clone(shown),
            _ => Arc::from(normalised(prepared.text())),
        };
        self.last_read = Some((Arc::clone(text), Arc::clone(&statement)));
        let purpose = self.shared.settings.lock().raw("clientele.purpose").to_owned();
        Key {
            role: self.role.name.clone(),
            statement,
            columns: reads.into_iter().collect(),
            purpose: (!purpose.is_empty()).then_some(purpose),
        }
    }

    fn audit_target(&self) -> Target {
        Target {
            engine: Arc::clone(&self.engine),
            store: Arc::clone(&self.store),
            database: self.database.oid,
        }
    }
}

/// Whether the engine computes something that it gives to nobody.
fn is_own_work(body: &Body) -> bool {
    match body {
        Body::Refresh { .. }
        | Body::Call(_)
        | Body::Maintenance(_)
        | Body::Definition(_)
        | Body::Explain(_) => true,
        Body::Other(other) => matches!(
            other.as_ref(),
            sqlparser::ast::Statement::CreateView(_)
                | sqlparser::ast::Statement::AlterTable(_)
                | sqlparser::ast::Statement::CreateIndex(_)
        ),
        _ => false,
    }
}
