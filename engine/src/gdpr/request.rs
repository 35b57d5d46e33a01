//! Requests: every right that is exercised is a row of `gdpr.requests`.

use chrono::{DateTime, Months, Utc};
use clientele_catalog::features::oids::REQUESTS;
use datafusion::arrow::array::RecordBatch;

use super::rows::{self, numbers, texts, times};
use crate::error::Result;

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

/// Requests as rows.
pub(super) fn batch(all: &[Request]) -> Result<RecordBatch> {
    let due = |one: &Request| {
        let due = one.received_at.checked_add_months(MONTHS);
        due.map(|due| due.timestamp_micros())
    };
    let done =
        |one: &Request| (one.state == "completed").then(|| one.received_at.timestamp_micros());
    rows::batch(
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
