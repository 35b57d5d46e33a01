//! What `membership.runs` tells of refreshes.

use chrono::Utc;
use clientele_catalog::definition::Relation;
use clientele_catalog::features::oids;
use datafusion::arrow::array::ArrayRef;

use super::definition;
use crate::builtin::{numbers, texts, times, write};
use crate::error::{Error, Result};
use crate::refresh::{How, Run};
use crate::session::Session;

/// What a refresh came to.
#[derive(Debug, Default)]
pub(super) struct Outcome<'a> {
    pub(super) members: Option<u64>,
    pub(super) entered: Option<u64>,
    pub(super) left: Option<u64>,
    pub(super) error: Option<&'a str>,
}

/// Writes down a refresh of a segment.
///
/// # Errors
/// The disk is full.
pub(super) async fn write_down(
    session: &mut Session,
    view: &Relation,
    (run, how): (&Run, &How),
    (version, result): (i32, &Outcome<'_>),
) -> Result<()> {
    let count = |count: Option<u64>| numbers([count.and_then(|one| i64::try_from(one).ok())]);
    let row: Vec<ArrayRef> = vec![
        numbers([Some(run.number)]),
        texts([Some(view.name.as_str())]),
        texts([Some(run.cause.name())]),
        texts([Some(how.mode())]),
        texts([Some(how.reason.as_str())]),
        times([Some(run.started_at.timestamp_micros())]),
        times([Some(Utc::now().timestamp_micros())]),
        numbers([Some(i64::from(version))]),
        count(result.members),
        count(result.entered),
        count(result.left),
        texts([result.error]),
    ];
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    write(&mut transaction, oids::SEGMENT_RUNS, &row).await
}

/// Writes down that a refresh of a segment has failed. What values rows have is not told.
///
/// # Errors
/// The disk is full.
pub(crate) async fn failed(
    session: &mut Session,
    view: &Relation,
    (run, error): (&Run, &Error),
) -> Result<()> {
    let refreshes = session.engine.workers.of(session.database.oid);
    if refreshes.state(view.oid).error.as_ref() == Some(&error.message) {
        return Ok(());
    }
    let context = session.context().await?;
    let version = definition::latest(&session.store, &context.snapshot, &view.name)?;
    let result = Outcome { error: Some(&error.message), ..Outcome::default() };
    let how = How::full("the refresh has failed");
    let version = version.map_or(0, |(version, _)| version);
    write_down(session, view, (run, &how), (version, &result)).await
}
