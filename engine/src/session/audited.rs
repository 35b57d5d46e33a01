//! What a session reports to the audit log when a statement ends: its reads. Decisions are part of
//! the transaction that they are made in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Prepared, Session};
use crate::api::{Outcome, Rows};
use crate::error::Result;
use crate::privacy::audit::{Entry, Key, Reading, Target, watch, watch_counted};
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
        // A client may fetch row by row.
        let body = prepared.statement.body.as_ref();
        let together = self.role.superuser || matches!(body, Body::Fetch { .. });
        let again = together && self.engine.auditor.repeated.is_known(&target, &key);
        let reading = |key: Key| match again {
            true => Reading::Again(key),
            false => Reading::One(key.entry()),
        };
        match outcome {
            Outcome::Rows(rows) => {
                let stream = watch(rows.stream, reading(key), target);
                Ok(Outcome::Rows(Rows { stream, ..rows }))
            }
            Outcome::CopyOut { format, column_count, stream, rows } => {
                let read = (reading(key), target);
                let stream = Box::pin(watch_counted(stream, Arc::clone(&rows), read));
                Ok(Outcome::CopyOut { format, column_count, stream, rows })
            }
            other => {
                let rows = copied(body, &other);
                match again {
                    true => self.engine.auditor.repeated.add(&target, &key, rows),
                    false => {
                        let row_count = rows.and_then(|rows| i64::try_from(rows).ok());
                        target.append(&[Entry { row_count, ..key.entry() }]).await?;
                    }
                }
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

/// How many rows a COPY has written to a file of the server.
fn copied(body: &Body, outcome: &Outcome) -> Option<u64> {
    match (body, outcome) {
        (Body::CopyTo(_), Outcome::Done(tag)) => tag.strip_prefix("COPY ")?.parse().ok(),
        _ => None,
    }
}

/// Whether the engine computes something that it gives to nobody.
fn is_own_work(body: &Body) -> bool {
    match body {
        Body::Refresh { .. }
        | Body::Call(_)
        | Body::Maintenance(_)
        | Body::Definition(_)
        | Body::Foreign(_)
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
