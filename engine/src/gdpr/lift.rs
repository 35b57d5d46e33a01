//! `gdpr.lift`: who was erased may come back.

use chrono::Utc;
use clientele_catalog::domains::Subject as Kind;
use clientele_catalog::features::oids;
use clientele_catalog::storage::{NodeRows, RowAddress, Tombstone};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::scalar::ScalarValue;

use super::officer::must_be_officer;
use super::request::{self, Request};
use super::subject;
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::handle;
use crate::national_numbers::normalized;
use crate::planning::context::QueryContext;
use crate::session::Session;

/// `gdpr.lift(subject, reason)`.
pub(super) async fn lift(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.lift")?;
    let needs = |name: &str| Error::new("22004", format!("{name} must not be null"));
    let identifier = text(&arguments, 0).ok_or_else(|| needs("subject"))?;
    let reason = text(&arguments, 1).ok_or_else(|| needs("reason"))?;
    let context = session.context().await?;
    let (name, value) = identifier.split_once(':').ok_or_else(|| {
        Error::new("22023", "invalid identifier")
            .with_hint("Write namespace:value, as in email:jane@example.com.")
    })?;
    let (domain, meaning, _) = handle::namespace(&context, name)?;
    let normal = normalized(&context, meaning, value)
        .ok_or_else(|| Error::new("22023", format!("invalid value for domain {name}")))?;
    let stone = Tombstone::Identifier(domain.oid, &normal);
    let found = rows(&context, &stone.text(context.store.brand_key()))?;
    if found.is_empty() {
        return Err(Error::new("P0002", format!("no such {name} was erased"))
            .with_hint("Tombstones are of single identifiers: lift each that is to come back."));
    }
    let request = Request {
        id: i64::from(context.store.allocate_oid()),
        kind: "lifting",
        subject: Some(subject::name(&context, identifier)?),
        received_at: Utc::now(),
        state: "completed",
        decided_by: context.role.name.clone(),
        reason: Some(reason.to_owned()),
        ..Request::default()
    };
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    transaction.delete(oids::TOMBSTONES, &found)?;
    transaction.insert(oids::REQUESTS, request::batch(&[request])?)?;
    Ok(None)
}

/// Where the tombstones of a hash are.
fn rows(context: &QueryContext, hash: &str) -> Result<Vec<RowAddress>> {
    let relation = builtin::table(oids::TOMBSTONES)?;
    let number = relation.column("hash").map_or(0, |one| one.number);
    let mut found = Vec::new();
    let wanted = (Kind::Person, &[number][..]);
    context.store.node_rows(&context.snapshot, relation, wanted, |rows: NodeRows| {
        let hashes = rows.columns.first().and_then(|one| one.as_string_view_opt());
        let pairs = rows.addresses.iter().zip(hashes.into_iter().flatten());
        found.extend(pairs.filter(|(_, one)| *one == Some(hash)).map(|(address, _)| *address));
    })?;
    Ok(found)
}
