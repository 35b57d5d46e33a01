//! Requests: every right that is exercised is a row of `gdpr.requests`. One that was received before
//! is answered by the call that does what it asks for.

use chrono::{DateTime, Months, Utc};
use clientele_catalog::features::oids::REQUESTS;
use clientele_catalog::storage::{RowAddress, Snapshot, Transaction};
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
/// Where it is complex, or they are many: two more.
const MONTHS_EXTENDED: Months = Months::new(3);

/// What was asked for, and what became of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    /// Number.
    pub(super) id: i64,
    /// `erasure`, `access` …
    pub(super) kind: &'static str,
    /// Keyed hash of the one who asked.
    pub(super) subject: Option<String>,
    /// Whose it is: other identifiers of the customer name the same person.
    pub(super) customer: Option<u32>,
    /// When it came.
    pub(super) received_at: DateTime<Utc>,
    /// Until when it has to be answered, in microseconds since 1970; `None`: within a month.
    pub(super) due_at: Option<i64>,
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

/// A request that waits for its answer.
struct Open {
    kind: String,
    subject: String,
    id: i64,
    received_at: DateTime<Utc>,
    due_at: i64,
    address: RowAddress,
}

/// The requests that wait for an answer, the oldest first.
fn open(context: &QueryContext, snapshot: &Snapshot) -> Result<Vec<Open>> {
    let mut all = Vec::new();
    for (row, address) in &rows::stored(&context.store, snapshot, REQUESTS)? {
        let text = |name: &str| rows::text(row, name, 0).unwrap_or_default().to_owned();
        if text("state") != "received" {
            continue;
        }
        let at = rows::instant(row, "received_at", 0).and_then(DateTime::from_timestamp_micros);
        all.push(Open {
            kind: text("kind"),
            subject: text("subject"),
            id: rows::number(row, "request_id", 0).unwrap_or(0),
            received_at: at.unwrap_or_default(),
            due_at: rows::instant(row, "due_at", 0).unwrap_or(0),
            address: *address,
        });
    }
    all.sort_by_key(|one| (one.received_at, one.id));
    Ok(all)
}

/// Adds requests that are answered; they take the place of those that were received before, by
/// whichever identifier the person was named then.
///
/// # Errors
/// A file cannot be read.
pub(super) fn file(
    context: &QueryContext,
    transaction: &mut Transaction,
    all: Vec<Request>,
) -> Result<()> {
    let mut waiting = open(context, transaction.snapshot())?;
    waiting.retain(|open| all.iter().any(|one| one.kind == open.kind));
    let customers: Vec<u32> = match waiting.is_empty() {
        true => Vec::new(),
        false => all.iter().filter_map(|one| one.customer).collect(),
    };
    let names = subject::names(context, &customers)?;
    let answers = |one: &Request, open: &Open| {
        let customer = names.get(&open.subject);
        let is_theirs = customer.is_some() && customer == one.customer.as_ref();
        one.kind == open.kind && (is_theirs || one.subject.as_ref() == Some(&open.subject))
    };
    let (mut filed, mut answered) = (Vec::new(), Vec::new());
    for one in all {
        let before = filed.len();
        for open in waiting.extract_if(.., |open| answers(&one, open)) {
            answered.push(open.address);
            let subject = Some(open.subject);
            let (received_at, due_at) = (open.received_at, Some(open.due_at));
            filed.push(Request { id: open.id, subject, received_at, due_at, ..one.clone() });
        }
        if filed.len() == before {
            filed.push(one);
        }
    }
    transaction.delete(REQUESTS, &answered)?;
    transaction.insert(REQUESTS, batch(&filed)?)?;
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
    let context = session.context().await?;
    let (open, waiting) = waiting(&context, &arguments)?;
    let refused = Request { state: "refused", ..waiting };
    let rows = batch(&[refused])?;
    let work = session.work().await?;
    work.lock().await.update(REQUESTS, &[open.address], &[rows])?;
    Ok(None)
}

/// `gdpr.extend(request_id, reason)`: two months more for a complex request (GDPR art. 12(3)).
pub(super) async fn extend(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.extend")?;
    let context = session.context().await?;
    let (open, waiting) = waiting(&context, &arguments)?;
    let now = Utc::now().timestamp_micros();
    if after(open.received_at, MONTHS).is_none_or(|first| first < now) {
        let text = format!("the first month of request {} is over", open.id);
        return Err(Error::new("22023", text)
            .with_detail("An extension has to be told within one month (GDPR art. 12(3))."));
    }
    let due_at = after(open.received_at, MONTHS_EXTENDED);
    let extended = Request { due_at, ..waiting };
    let rows = batch(&[extended])?;
    let work = session.work().await?;
    work.lock().await.update(REQUESTS, &[open.address], &[rows])?;
    Ok(None)
}

/// The request of a call's first two arguments, its number and a reason, which waits for its answer.
///
/// # Errors
/// 22004; P0002 where none of that number waits.
fn waiting(context: &QueryContext, arguments: &[ScalarValue]) -> Result<(Open, Request)> {
    let needs = |name: &str| Error::new("22004", format!("{name} must not be null"));
    let Some(ScalarValue::Int64(Some(id))) = arguments.first() else {
        return Err(needs("request_id"));
    };
    let (id, reason) = (*id, text(arguments, 1).ok_or_else(|| needs("reason"))?);
    let all = open(context, &context.snapshot)?;
    let open = all.into_iter().find(|one| one.id == id).ok_or_else(|| {
        Error::new("P0002", format!("no request {id} waits for an answer"))
            .with_hint("SELECT * FROM gdpr.open_requests shows those that do.")
    })?;
    let request = Request {
        id,
        kind: KINDS.iter().find(|one| **one == open.kind).copied().unwrap_or_default(),
        subject: Some(open.subject.clone()),
        received_at: open.received_at,
        due_at: Some(open.due_at),
        state: "received",
        decided_by: context.role.name.clone(),
        reason: Some(reason.to_owned()),
        ..Request::default()
    };
    Ok((open, request))
}

/// An instant some months later.
fn after(at: DateTime<Utc>, months: Months) -> Option<i64> {
    at.checked_add_months(months).map(|at| at.timestamp_micros())
}

/// Requests as rows.
pub(super) fn batch(all: &[Request]) -> Result<RecordBatch> {
    let due = |one: &Request| one.due_at.or_else(|| after(one.received_at, MONTHS));
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
