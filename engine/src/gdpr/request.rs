//! Requests: every right that is exercised is a row of `gdpr.requests`. One that was received before
//! is answered by the call that does what it asks for.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Months, Utc};
use clientele_catalog::features::oids::REQUESTS;
use clientele_catalog::storage::{RowAddress, Transaction};
use datafusion::arrow::array::RecordBatch;
use datafusion::scalar::ScalarValue;

use super::officer::must_be_officer;
use super::rows;
use super::subject;
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::planning::context::QueryContext;
use crate::session::Session;

/// Months within which a request has to be answered (GDPR art. 12(3)).
const MONTHS: Months = Months::new(1);

/// What was asked for, and what became of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    /// Number.
    pub(super) id: i64,
    /// `erasure`, `access` …
    pub(super) kind: &'static str,
    /// Keyed hash of the one who asked.
    pub(super) subject: Option<String>,
    /// When it came.
    pub(super) received_at: DateTime<Utc>,
    /// `completed` …
    pub(super) state: &'static str,
    /// The role.
    pub(super) decided_by: String,
    /// Why.
    pub(super) reason: Option<String>,
    /// The receipt of an erasure.
    pub(super) receipt: Option<i64>,
    /// JSON.
    pub(super) details: Option<String>,
}

/// What can be asked for.
const KINDS: &[&str] =
    &["access", "portability", "rectification", "erasure", "restriction", "objection"];

/// Adds requests that are answered; they take the place of those that were received before.
///
/// # Errors
/// A file cannot be read.
pub(super) fn file(
    context: &QueryContext,
    transaction: &mut Transaction,
    mut all: Vec<Request>,
) -> Result<()> {
    let snapshot = Arc::clone(transaction.snapshot());
    let mut open: HashMap<(String, String), (i64, i64, RowAddress)> = HashMap::new();
    for (row, address) in &rows::stored(&context.store, &snapshot, REQUESTS)? {
        let text = |name: &str| rows::text(row, name, 0).unwrap_or_default().to_owned();
        if text("state") == "received" {
            let id = rows::number(row, "request_id", 0).unwrap_or(0);
            let at = rows::instant(row, "received_at", 0).unwrap_or(0);
            open.insert((text("kind"), text("subject")), (id, at, *address));
        }
    }
    let mut answered = Vec::new();
    for one in &mut all {
        let key = (one.kind.to_owned(), one.subject.clone().unwrap_or_default());
        if let Some((id, at, address)) = open.remove(&key) {
            one.id = id;
            one.received_at = DateTime::from_timestamp_micros(at).unwrap_or(one.received_at);
            answered.push(address);
        }
    }
    transaction.delete(REQUESTS, &answered)?;
    transaction.insert(REQUESTS, batch(&all)?)?;
    Ok(())
}

/// `gdpr.receive(kind, subject, received_at)`: notes a request that waits for its answer.
pub(super) async fn receive(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.receive")?;
    let needs = |name: &str| Error::new("22004", format!("{name} must not be null"));
    let kind = text(&arguments, 0).ok_or_else(|| needs("kind"))?;
    let kind = KINDS.iter().find(|one| **one == kind).ok_or_else(|| {
        Error::new("22023", format!("unrecognized kind of request \"{kind}\""))
            .with_hint(format!("Kinds are {}.", KINDS.join(", ")))
    })?;
    let named = text(&arguments, 1).ok_or_else(|| needs("subject"))?;
    let received_at = match arguments.get(2) {
        Some(ScalarValue::TimestampMicrosecond(Some(at), _)) => {
            DateTime::from_timestamp_micros(*at)
        }
        _ => None,
    };
    if received_at.is_some_and(|at| at > Utc::now()) {
        return Err(Error::new("22023", "received_at must not be in the future"));
    }
    let context = session.context().await?;
    let id = i64::from(session.store.allocate_oid());
    let request = Request {
        id,
        kind,
        subject: Some(subject::name(&context, named)?),
        received_at: received_at.unwrap_or_else(Utc::now),
        state: "received",
        decided_by: context.role.name.clone(),
        ..Request::default()
    };
    let rows = batch(&[request])?;
    let work = session.work().await?;
    work.lock().await.insert(REQUESTS, rows)?;
    let reply = [("request_id", numbers([Some(id)]))];
    Ok(Some(RecordBatch::try_from_iter(reply).map_err(Error::internal)?))
}

/// `gdpr.refuse(request_id, reason)` (GDPR art. 12(4), 12(5), 17(3)).
pub(super) async fn refuse(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.refuse")?;
    let Some(ScalarValue::Int64(Some(id))) = arguments.first() else {
        return Err(Error::new("22004", "request_id must not be null"));
    };
    let reason = text(&arguments, 1);
    let reason = reason.ok_or_else(|| Error::new("22004", "reason must not be null"))?;
    let context = session.context().await?;
    let stored = rows::stored(&context.store, &context.snapshot, REQUESTS)?;
    let is_open = |row: &RecordBatch| {
        rows::number(row, "request_id", 0) == Some(*id)
            && rows::text(row, "state", 0) == Some("received")
    };
    let (row, address) = stored.iter().find(|(row, _)| is_open(row)).ok_or_else(|| {
        Error::new("P0002", format!("no request {id} waits for an answer"))
            .with_hint("SELECT * FROM gdpr.open_requests shows those that do.")
    })?;
    let kind = rows::text(row, "kind", 0).unwrap_or_default();
    let at = rows::instant(row, "received_at", 0).and_then(DateTime::from_timestamp_micros);
    let refused = Request {
        id: *id,
        kind: KINDS.iter().find(|one| **one == kind).copied().unwrap_or_default(),
        subject: rows::text(row, "subject", 0).map(str::to_owned),
        received_at: at.unwrap_or_else(Utc::now),
        state: "refused",
        decided_by: context.role.name.clone(),
        reason: Some(reason.to_owned()),
        ..Request::default()
    };
    let rows = batch(&[refused])?;
    let work = session.work().await?;
    work.lock().await.update(REQUESTS, &[*address], &[rows])?;
    Ok(None)
}

/// Requests as rows.
pub(super) fn batch(all: &[Request]) -> Result<RecordBatch> {
    let due = |one: &Request| {
        let due = one.received_at.checked_add_months(MONTHS);
        due.map(|due| due.timestamp_micros())
    };
    let now = Utc::now().timestamp_micros();
    let done = |one: &Request| (one.state == "completed").then_some(now);
    builtin::batch(
        REQUESTS,
        &[
            numbers(all.iter().map(|one| Some(one.id))),
            texts(all.iter().map(|one| Some(one.kind))),
            texts(all.iter().map(|one| one.subject.as_deref())),
            times(all.iter().map(|one| Some(one.received_at.timestamp_micros()))),
            times(all.iter().map(due)),
            texts(all.iter().map(|one| Some(one.state))),
            texts(all.iter().map(|one| Some(one.decided_by.as_str()))),
            texts(all.iter().map(|one| one.reason.as_deref())),
            times(all.iter().map(done)),
            numbers(all.iter().map(|one| one.receipt)),
            texts(all.iter().map(|one| one.details.as_deref())),
        ],
    )
}
