//! `CALL gdpr.purge()`, and `gdpr.verify_receipt(id)`.

use std::sync::Arc;
use std::time::Duration;

use clientele_catalog::features::oids::RECEIPTS;
use clientele_catalog::pg_catalog::JobKind;
use clientele_catalog::storage::{Snapshot, Store};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::scalar::ScalarValue;

use super::copies::Copies;
use super::officer::must_be_officer;
use super::purge::{self, Summary};
use super::receipt::{Flaw, Receipt};
use super::rows;
use crate::api::Notice;
use crate::builtin::numbers;
use crate::error::{Error, Result};
use crate::functions::row_kernel::{Kernel, number, stable};
use crate::session::Session;
use crate::session::job::Job;

/// `gdpr.verify_receipt(receipt_id)`.
pub(super) const VERIFY: Kernel = Kernel {
    name: "gdpr.verify_receipt",
    arguments: "bigint",
    signature: stable(1, 1, PgType::BOOL),
    comment: "whether a receipt is what was signed, its numbers add up, and the one before it is there",
    call: |context, values| {
        let id = number(values, 0)?;
        let receipts = all(&context.store, &context.snapshot)?;
        let place = receipts.iter().position(|(one, _)| *one == id);
        let place =
            place.ok_or_else(|| Error::new("P0002", format!("receipt {id} does not exist")))?;
        let key = context.store.brand_key().public_key()?;
        Ok(ScalarValue::Boolean(Some(check(&receipts, place, &key).is_ok())))
    },
};

/// Every receipt with its number, in the order of the chain.
///
/// # Errors
/// A file cannot be read.
fn all(store: &Store, snapshot: &Snapshot) -> Result<Vec<(i64, Receipt)>> {
    let mut found = rows::stored(store, snapshot, RECEIPTS)?;
    found.sort_by_key(|(row, _)| purge::place(row));
    let receipt = |row: &RecordBatch| {
        let text = |name: &str| rows::text(row, name, 0).unwrap_or_default().to_owned();
        Receipt {
            document: text("document"),
            previous_hash: text("previous_hash"),
            hash: text("hash"),
            signature: text("signature"),
            public_key: text("public_key"),
        }
    };
    Ok(found.iter().map(|(row, _)| (purge::place(row).1, receipt(row))).collect())
}

/// Checks a receipt among all: by itself, its key, and the one before it.
///
/// # Errors
/// The first flaw.
fn check(all: &[(i64, Receipt)], place: usize, public_key: &str) -> Result<(), Flaw> {
    let Some((_, receipt)) = all.get(place) else { return Err(Flaw::Chain) };
    receipt.check()?;
    if receipt.public_key != public_key {
        return Err(Flaw::Key);
    }
    let before = place.checked_sub(1).and_then(|place| all.get(place));
    let hash = before.map_or("", |(_, before)| before.hash.as_str());
    if receipt.previous_hash == hash { Ok(()) } else { Err(Flaw::Chain) }
}

/// `gdpr.purge(wait)`.
pub(super) async fn purge(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.purge")?;
    session.writable("CALL")?;
    session.outside_block("CALL gdpr.purge")?;
    let wait = match arguments.first() {
        Some(ScalarValue::IntervalMonthDayNano(Some(wait))) => {
            let days = i64::from(wait.days) + i64::from(wait.months) * 30;
            let nanoseconds =
                days.saturating_mul(86_400_000_000_000).saturating_add(wait.nanoseconds);
            Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
        }
        _ => Duration::ZERO,
    };
    // The session's own snapshot would keep the files that are to go.
    session.forget_work();
    let job = Job::new(&session.shared, JobKind::Purge, 0);
    let store = Arc::clone(&session.store);
    let copies = Copies::of(&session.engine, &session.database);
    let one = session.engine.purger.one.lock().await;
    let summary = purge::run((&session.engine, &store), &copies, (wait, job.progress())).await?;
    drop(one);
    for (erasure, place, count) in &summary.found {
        let text = format!("people of erasure {erasure} were found in {place} ({count})");
        let warning = Error { severity: "WARNING", ..Error::new("01000", text) };
        let warning = warning.with_hint(
            "The receipt is signed by the purge that finds nothing: correct or drop what names them.",
        );
        session.shared.notices.lock().push(Notice::Message(warning));
    }
    for copy in &summary.copies {
        let Some(warning) = copy.warning() else { continue };
        let warning = Error { severity: "WARNING", ..Error::new("01000", warning) };
        let warning = warning.with_hint(copy.hint());
        session.shared.notices.lock().push(Notice::Message(warning));
    }
    Ok(Some(reply(&summary)?))
}

fn reply(summary: &Summary) -> Result<RecordBatch> {
    let count = summary.completed.len();
    let same = |value: u64| numbers(vec![i64::try_from(value).ok(); count]);
    let (rewriting, searching) = summary.times;
    let millis = |one: Duration| same(u64::try_from(one.as_millis()).unwrap_or(0));
    let columns = [
        ("receipt_id", numbers(summary.completed.iter().map(|one| Some(*one)))),
        ("files_rewritten", same(summary.searched.rewritten.len() as u64)),
        ("files_taken_from_readers", same(summary.taken)),
        ("rewriting_ms", millis(rewriting)),
        ("searching_ms", millis(searching)),
    ];
    RecordBatch::try_from_iter(columns).map_err(Error::internal)
}

/// Checks every receipt of a database.
///
/// # Errors
/// A file cannot be read.
pub fn check_all(store: &Store) -> Result<Vec<(i64, Result<(), Flaw>)>> {
    let receipts = all(store, &store.snapshot())?;
    let key = store.brand_key().public_key()?;
    let checked = |(place, (id, _)): (usize, &(i64, Receipt))| (*id, check(&receipts, place, &key));
    Ok(receipts.iter().enumerate().map(checked).collect())
}
