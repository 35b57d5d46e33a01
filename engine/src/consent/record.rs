//! `CALL consent.record(...)`: an event, with its proof.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::domains::Subject;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::scalar::ScalarValue;

use super::EVENTS;
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::{Parameter, Procedure, text};
use crate::handle;
use crate::planning::context::QueryContext;
use crate::session::Session;

const fn parameter(name: &'static str, default: Option<&'static str>) -> Parameter {
    Parameter { name, pg_type: PgType::TEXT, default }
}

/// The procedure.
pub(super) const PROCEDURE: Procedure = Procedure {
    schema: "consent",
    name: "record",
    parameters: &[
        parameter("subject", None),
        parameter("purpose", None),
        Parameter { name: "granted", pg_type: PgType::BOOL, default: Some("true") },
        parameter("channel", Some("NULL")),
        parameter("text_version_hash", Some("NULL")),
        parameter("source", Some("NULL")),
        parameter("evidence", Some("NULL")),
        Parameter { name: "occurred_at", pg_type: PgType::TIMESTAMPTZ, default: Some("now()") },
    ],
    columns: &[],
    comment: "records that somebody agrees to a purpose, or (granted => false) withdraws",
    kernel: |session, arguments| {
        Box::pin(async move {
            record(session, &arguments).await?;
            Ok(None)
        })
    },
};

async fn record(session: &mut Session, arguments: &[ScalarValue]) -> Result<()> {
    session.writable("CALL")?;
    let context = session.context().await?;
    allowed(&context)?;
    let missing = || Error::new("22004", "consent.record needs a subject and a purpose");
    let (subject, purpose) = text(arguments, 0).zip(text(arguments, 1)).ok_or_else(missing)?;
    let granted = match arguments.get(2) {
        Some(ScalarValue::Boolean(Some(granted))) => *granted,
        _ => return Err(Error::new("22004", "granted must be true or false")),
    };
    let occurred = match arguments.get(7) {
        Some(ScalarValue::TimestampMicrosecond(Some(at), _)) => *at,
        _ => Utc::now().timestamp_micros(),
    };
    let found = handle::find(&context, subject)?;
    if found.subject != Subject::Person {
        return Err(Error::new("22023", "companies do not consent"));
    }
    let texts = [3, 4, 5, 6].map(|at| text(arguments, at).map(str::to_owned));
    let purpose = purpose.to_owned();
    let event = Event { node: found.node, purpose, granted, texts, occurred_at: occurred };
    insert(session, &context.role.name, &[event]).await
}

/// What somebody said.
pub(super) struct Event {
    /// The node of whom it is about.
    pub(super) node: u32,
    pub(super) purpose: String,
    pub(super) granted: bool,
    /// Channel, hash of the text's version, source, evidence.
    pub(super) texts: [Option<String>; 4],
    /// Microseconds since 1970.
    pub(super) occurred_at: i64,
}

/// Adds events, recorded by a role, in the session's transaction.
///
/// # Errors
/// A file cannot be read.
pub(super) async fn insert(session: &mut Session, role: &str, events: &[Event]) -> Result<()> {
    let told = |at: usize| texts(events.iter().map(|one| one.texts[at].as_deref()));
    let granted = events.iter().map(|one| Some(one.granted)).collect::<BooleanArray>();
    let now = Utc::now().timestamp_micros();
    let ids = events.iter().map(|_| Some(i64::from(session.store.allocate_oid())));
    let values = [
        numbers(ids),
        numbers(events.iter().map(|one| Some(i64::from(one.node)))),
        texts(events.iter().map(|one| Some(one.purpose.as_str()))),
        Arc::new(granted) as ArrayRef,
        told(0),
        told(1),
        told(2),
        told(3),
        times(events.iter().map(|one| Some(one.occurred_at))),
        texts(events.iter().map(|_| Some(role))),
        times(events.iter().map(|_| Some(now))),
    ];
    builtin::insert(session, EVENTS, &values).await
}

/// Whoever has INSERT on `consent.events`; the table itself is closed to INSERT, so that no event
/// is without its node, and none is changed.
pub(super) fn allowed(context: &QueryContext) -> Result<()> {
    let events = context.catalog().relation_by_oid(EVENTS);
    let inserts =
        events.is_some_and(|one| Access::relation(one).permits(&context.rights, 'a', false));
    match context.is_privacy_officer() || inserts {
        true => Ok(()),
        false => Err(Error::new("42501", "permission denied for procedure consent.record")
            .with_hint("GRANT INSERT ON consent.events to the role.")),
    }
}
