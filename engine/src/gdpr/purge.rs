//! `gdpr.purge`: the physical part of all erasures that wait for it, then their receipts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::definition::{Oid, Schema};
use clientele_catalog::features::oids;
use clientele_catalog::progress::Progress;
use clientele_catalog::storage::{Purged, Snapshot, Store, TemporarySpace, Transaction};
use datafusion::arrow::array::RecordBatch;
use serde_json::{Value, json};

use super::receipt::{canonical, hash};
use super::rows::{self, numbers, texts, times};
use crate::error::{Error, Result};

/// An erasure that waits for its physical part.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) id: i64,
    /// Microseconds since 1970.
    pub(super) requested_at: i64,
    /// What it took, as JSON.
    tables: String,
}

/// What a purge came to.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Erasures with a receipt now.
    pub(super) completed: Vec<i64>,
    pub(super) purged: Purged,
}

/// The erasures of which files may still have the people.
///
/// # Errors
/// A file cannot be read.
pub(super) fn waiting(store: &Store) -> Result<Vec<Waiting>> {
    let mut found = Vec::new();
    for (row, _) in &rows::stored(store, &store.snapshot(), oids::ERASURES)? {
        if rows::text(row, "state", 0).is_some_and(|state| state != "completed") {
            let requested_at = rows::instant(row, "requested_at", 0);
            found.push(Waiting {
                id: rows::number(row, "erasure_id", 0).unwrap_or(0),
                requested_at: requested_at.unwrap_or(0),
                tables: rows::text(row, "tables", 0).unwrap_or("[]").to_owned(),
            });
        }
    }
    found.sort_by_key(|one| one.id);
    Ok(found)
}

/// Rewrites, searches, and signs. With residues no receipt is made.
///
/// # Errors
/// A file cannot be read or written; 40001 when another did it at the same time.
pub(super) async fn run(
    store: &Arc<Store>,
    database: &str,
    (wait, progress): (Duration, Arc<Progress>),
) -> Result<Summary> {
    let todo = waiting(store)?;
    let kept: Vec<i64> = todo.iter().map(|one| one.id).collect();
    store.drop_needles(&kept)?;
    if todo.is_empty() {
        return Ok(Summary::default());
    }
    let purged = store.purge(wait, progress).await?;
    let mut transaction = begin(store);
    let is_clean = purged.scanned.residues.is_empty();
    if is_clean {
        sign(&mut transaction, store, database, (&todo, &purged))?;
    } else {
        tracing::warn!(
            places = purged.scanned.residues.len(),
            "erased people were found; no receipt was made"
        );
    }
    settle(&mut transaction, store, &todo, is_clean)?;
    store.commit(transaction).await?;
    if is_clean {
        store.drop_needles(&[])?;
    }
    Ok(Summary { completed: if is_clean { kept } else { Vec::new() }, purged })
}

fn begin(store: &Arc<Store>) -> Transaction {
    let schema = Schema {
        oid: 0,
        name: String::new(),
        owner: BOOTSTRAP_ROLE_OID,
        comment: None,
        grants: None,
    };
    store.begin(Arc::new(TemporarySpace::new(schema)))
}

/// Adds a receipt for each erasure.
fn sign(
    transaction: &mut Transaction,
    store: &Store,
    database: &str,
    (todo, purged): (&[Waiting], &Purged),
) -> Result<()> {
    let now = Utc::now().timestamp_micros();
    let key = store.brand_key();
    let snapshot = Arc::clone(transaction.snapshot());
    let mut previous = last_hash(store, &snapshot)?;
    let requests = requests(store, &snapshot)?;
    for (at, one) in (now..).zip(todo) {
        let subjects = requests.get(&one.id).map(Vec::as_slice).unwrap_or_default();
        let document = document(one, purged, (database, subjects));
        let document = canonical(&document.to_string())
            .ok_or_else(|| Error::internal("a receipt is no JSON"))?;
        let hash = hash(&previous, &document);
        let signature = key.sign(hash.as_bytes())?;
        let row = rows::batch(
            oids::RECEIPTS,
            &[
                numbers([Some(one.id)]),
                times([Some(one.requested_at)]),
                times([Some(at)]),
                texts([Some(document.as_str())]),
                texts([Some(previous.as_str())]),
                texts([Some(hash.as_str())]),
                texts([Some(signature.as_str())]),
                texts([Some(key.public_key()?.as_str())]),
            ],
        )?;
        transaction.insert(oids::RECEIPTS, row)?;
        previous = hash;
    }
    Ok(())
}

/// The hash of the newest receipt; empty before the first.
fn last_hash(store: &Store, snapshot: &Snapshot) -> Result<String> {
    let receipts = rows::stored(store, snapshot, oids::RECEIPTS)?;
    let newest = receipts.iter().max_by_key(|(row, _)| rows::instant(row, "completed_at", 0));
    let hash = newest.and_then(|(row, _)| rows::text(row, "hash", 0));
    Ok(hash.unwrap_or_default().to_owned())
}

/// By erasure: the requests that it answers, as number and subject.
fn requests(store: &Store, snapshot: &Snapshot) -> Result<BTreeMap<i64, Vec<Value>>> {
    let mut by_erasure: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    for (row, _) in &rows::stored(store, snapshot, oids::REQUESTS)? {
        let Some(erasure) = rows::number(row, "receipt_id", 0) else { continue };
        by_erasure.entry(erasure).or_default().push(json!({
            "request": rows::number(row, "request_id", 0),
            "subject": rows::text(row, "subject", 0),
        }));
    }
    Ok(by_erasure)
}

fn document(one: &Waiting, purged: &Purged, (database, requests): (&str, &[Value])) -> Value {
    let shown = |at: i64| {
        chrono::DateTime::from_timestamp_micros(at).map(|at| at.to_rfc3339()).unwrap_or_default()
    };
    let effects: Vec<Value> = serde_json::from_str(&one.tables).unwrap_or_default();
    let tables: Vec<Value> = effects.iter().map(|effect| table(effect, purged)).collect();
    let files = purged.rewritten.iter().map(|file| {
        let proof = |one: &clientele_catalog::storage::FileProof| {
            json!({"file": one.file, "sha256": one.sha256, "rows": one.rows})
        };
        let after: Vec<Value> = file.after.iter().map(proof).collect();
        json!({"before": proof(&file.before), "after": after})
    });
    json!({
        "receipt": one.id,
        "database": database,
        "basis": "GDPR art. 17",
        "requests": requests,
        "erased_at": shown(one.requested_at),
        "engine": env!("CARGO_PKG_VERSION"),
        "tables": tables,
        "files": files.collect::<Vec<_>>(),
        "log": "begun anew",
        "definitions": "written anew",
        "searched": {
            "files": purged.scanned.files,
            "log_records": purged.scanned.log_records,
            "definitions": purged.scanned.definitions,
            "found": purged.scanned.residues.values().sum::<u64>(),
        },
    })
}

/// What was counted of a table, before (0) and after (1): all rows (A), rows of the people (B), rows
/// of others in the files that were replaced (C).
fn table(effect: &Value, purged: &Purged) -> Value {
    let relation = effect.get("relation").and_then(Value::as_u64);
    let relation = relation.and_then(|one| Oid::try_from(one).ok()).unwrap_or(0);
    let mut files = purged.rewritten.iter().filter(|one| one.relation == relation);
    let (before, after) = files.by_ref().fold((0, 0), |(before, after), file| {
        let rows: u64 = file.after.iter().map(|one| one.rows).sum();
        (before + file.live, after + rows)
    });
    let of = |name: &str| effect.get(name).cloned().unwrap_or(Value::Null);
    let name = effect.get("table").and_then(Value::as_str).unwrap_or_default();
    let is_of_table =
        |place: &str| place.strip_prefix(name).is_some_and(|column| column.starts_with('.'));
    let residues = purged.scanned.residues.iter().filter(|(place, _)| is_of_table(place));
    let found: u64 = residues.map(|(_, count)| *count).sum();
    json!({
        "table": of("table"), "A0": of("A0"), "B0": of("B0"), "kept": of("kept"),
        "cleared": of("cleared"), "A1": of("A1"), "B1": found, "C0": before, "C1": after,
    })
}

/// Says how far the erasures and their requests are.
fn settle(
    transaction: &mut Transaction,
    store: &Store,
    todo: &[Waiting],
    is_clean: bool,
) -> Result<()> {
    let state = if is_clean { "completed" } else { "residue" };
    let ids: Vec<i64> = todo.iter().map(|one| one.id).collect();
    for (relation, column) in [(oids::ERASURES, "erasure_id"), (oids::REQUESTS, "receipt_id")] {
        let snapshot = Arc::clone(transaction.snapshot());
        for (row, address) in &rows::stored(store, &snapshot, relation)? {
            if rows::number(row, column, 0).is_some_and(|one| ids.contains(&one)) {
                let after = changed(row, state, is_clean)?;
                transaction.update(relation, &[*address], &[after])?;
            }
        }
    }
    Ok(())
}

/// A row in another state; completed now, if it is.
fn changed(row: &RecordBatch, state: &str, is_completed: bool) -> Result<RecordBatch> {
    let now = Utc::now().timestamp_micros();
    let schema = row.schema();
    let columns = schema.fields().iter().zip(row.columns());
    let columns = columns.map(|(field, array)| match field.name().as_str() {
        "state" => texts([Some(state)]),
        "completed_at" if is_completed => times([Some(now)]),
        _ => Arc::clone(array),
    });
    let columns = columns.map(|array| array.slice(0, 1)).zip(schema.fields());
    let columns = columns
        .map(|(array, field)| datafusion::arrow::compute::cast(&array, field.data_type()))
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::internal)?;
    RecordBatch::try_new(Arc::clone(&schema), columns).map_err(Error::internal)
}
