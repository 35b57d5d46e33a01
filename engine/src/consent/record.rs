//! `CALL consent.record(...)`: an event, with its proof.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::domains::Subject;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::scalar::ScalarValue;

use super::{EVENTS, rows};
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
    let now = Utc::now().timestamp_micros();
    let occurred = match arguments.get(7) {
        Some(ScalarValue::TimestampMicrosecond(Some(at), _)) => *at,
        _ => now,
    };
    let found = handle::find(&context, subject)?;
    if found.subject != Subject::Person {
        return Err(Error::new("22023", "companies do not consent"));
    }
    let one = |value: Option<&str>| -> ArrayRef { Arc::new(StringViewArray::from_iter([value])) };
    let number = |value: i64| -> ArrayRef { Arc::new(Int64Array::from_iter([Some(value)])) };
    let time = |at: i64| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter([Some(at)]).with_timezone("UTC"))
    };
    let event = i64::from(session.store.allocate_oid());
    let values = [
        number(event),
        number(i64::from(found.node)),
        one(Some(purpose)),
        Arc::new(BooleanArray::from_iter([Some(granted)])) as ArrayRef,
        one(text(arguments, 3)),
        one(text(arguments, 4)),
        one(text(arguments, 5)),
        one(text(arguments, 6)),
        time(occurred),
        one(Some(&context.role.name)),
        time(now),
    ];
    rows::insert(session, EVENTS, &values).await
}

/// Whoever has INSERT on `consent.events`; the table itself is closed to INSERT, so that no event
/// is without its node, and none is changed.
fn allowed(context: &QueryContext) -> Result<()> {
    let events = context.catalog().relation_by_oid(EVENTS);
    let inserts =
        events.is_some_and(|one| Access::relation(one).permits(&context.rights, 'a', false));
    match context.is_privacy_officer() || inserts {
        true => Ok(()),
        false => Err(Error::new("42501", "permission denied for procedure consent.record")
            .with_hint("GRANT INSERT ON consent.events to the role.")),
    }
}
