//! `CALL consent.record(...)`: an event, with its proof.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::domains::Subject;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::scalar::ScalarValue;

use super::{DECLARATIONS, EVENTS};
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
    insert(session, &context, &[event]).await
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

/// Adds events in the session's transaction.
///
/// # Errors
/// 42704 for consent to a purpose that is not declared: it is none, as it is neither specific nor
/// informed (GDPR art. 4(11)). Who says no is heard all the same.
pub(super) async fn insert(
    session: &mut Session,
    context: &QueryContext,
    events: &[Event],
) -> Result<()> {
    let declared = declared(context)?;
    let (mut undeclared, mut refused) = (BTreeSet::new(), 0);
    for (place, event) in events.iter().enumerate() {
        let purpose = event.purpose.as_str();
        match declared.contains(purpose) {
            true => {}
            false if event.granted => return Err(not_declared(purpose, (place, events.len()))),
            false => {
                undeclared.insert(purpose);
                refused += 1;
            }
        }
    }
    if refused > 0 {
        let names = undeclared.into_iter().collect::<Vec<_>>().join(", ");
        let text = format!("{refused} withdrawals from purposes that are not declared: {names}");
        session.notice("WARNING", "01000", text);
    }
    let role = context.role.name.as_str();
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

/// The names of all purposes.
fn declared(context: &QueryContext) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    builtin::each(context, DECLARATIONS, |rows| {
        let names = rows.columns.first().and_then(|one| one.as_string_view_opt());
        found.extend(names.into_iter().flatten().flatten().map(str::to_owned));
    })?;
    Ok(found)
}

fn not_declared(purpose: &str, (place, count): (usize, usize)) -> Error {
    let error = Error::new("42704", format!("purpose \"{purpose}\" does not exist"))
        .with_hint("CALL consent.declare_purpose(…) declares what data are used for.");
    match count {
        1 => error,
        _ => error.with_detail(format!("Row {} of the query.", place + 1)),
    }
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
