//! `gdpr.purge`: the physical part of all erasures that wait for it, then their receipts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::features::{self, oids};
use clientele_catalog::progress::Progress;
use clientele_catalog::storage::{Searched, Snapshot, Store, Transaction};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use serde_json::{Value, json};

use super::copies::{Copies, Copy};
use super::ended;
use super::receipt::{canonical, hash};
use super::rows;
use crate::builtin::{self, texts, times};
use crate::engine::Engine;
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

impl Waiting {
    /// Whether a place (`shop.invoices.email`) is a column that a legal hold keeps.
    fn keeps(&self, place: &str) -> bool {
        let tables: Vec<Value> = serde_json::from_str(&self.tables).unwrap_or_default();
        tables.iter().any(|effect| {
            let name = effect.get("table").and_then(Value::as_str).unwrap_or_default();
            let column = place.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            let kept = effect.get("kept_columns").and_then(Value::as_array);
            kept.is_some_and(|kept| {
                kept.iter().any(|one| one.as_str() == column && column.is_some())
            })
        })
    }
}

/// What a purge came to.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Erasures with a receipt now.
    pub(super) completed: Vec<i64>,
    /// Where people were found: erasure, place, how often.
    pub(super) found: Vec<(i64, String, u64)>,
    pub(super) searched: Searched,
    /// Files that were taken from readers.
    pub(super) taken: u64,
    /// Copies elsewhere, and what became of them.
    pub(super) copies: Vec<Copy>,
    /// For the rewriting, and for the search.
    pub(super) times: (Duration, Duration),
}

/// The erasures of which files may still have the people. Of others nothing is kept: a crash may have
/// come between a receipt and that, or before the commit.
///
/// # Errors
/// A file cannot be read or removed.
pub(super) fn waiting(store: &Store) -> Result<Vec<Waiting>> {
    let (mut found, mut done) = (Vec::new(), Vec::new());
    for (row, _) in &rows::stored(store, &store.snapshot(), oids::ERASURES)? {
        let id = rows::number(row, "erasure_id", 0).unwrap_or(0);
        if rows::text(row, "state", 0) == Some("completed") {
            done.push(id);
            continue;
        }
        found.push(Waiting {
            id,
            requested_at: rows::instant(row, "requested_at", 0).unwrap_or(0),
            tables: rows::text(row, "tables", 0).unwrap_or("[]").to_owned(),
        });
    }
    found.sort_by_key(|one| one.id);
    store.drop_needles(&done)?;
    store.drop_stray_needles(&found.iter().map(|one| one.id).collect::<Vec<_>>())?;
    Ok(found)
}

/// Rewrites, searches, and signs. With residues no receipt is made.
///
/// # Errors
/// A file cannot be read or written; 40001 when another did it at the same time.
pub(super) async fn run(
    (engine, store): (&Engine, &Arc<Store>),
    copies: &Copies,
    (wait, progress): (Duration, Arc<Progress>),
) -> Result<Summary> {
    ended::erase(store).await?;
    let todo = waiting(store)?;
    let ids: Vec<i64> = todo.iter().map(|one| one.id).collect();
    if todo.is_empty() {
        return Ok(Summary::default());
    }
    let started = Instant::now();
    let mut taken = store.purge(wait, Arc::clone(&progress)).await?;
    engine.cluster.rewrite()?;
    let renewed = copies.renew(store).await?;
    let rewriting = started.elapsed();
    let mut searched = search(engine, store, (&ids, &progress)).await?;
    if redact(store, &ids, &searched).await? {
        taken += store.purge(wait, Arc::clone(&progress)).await?;
        searched = search(engine, store, (&ids, &progress)).await?;
    }
    let times = (rewriting, started.elapsed().saturating_sub(rewriting));
    let is_clean = |one: &Waiting| residues(&searched, one).next().is_none();
    let (clean, unclean): (Vec<Waiting>, Vec<Waiting>) = todo.into_iter().partition(is_clean);
    if !unclean.is_empty() {
        tracing::warn!(erasures = unclean.len(), "erased people were found: no receipts for them");
    }
    let mut transaction = builtin::begin(store);
    sign(&mut transaction, store, (&copies.database, &renewed), (&clean, &searched))?;
    settle(&mut transaction, store, (&clean, "completed"))?;
    settle(&mut transaction, store, (&unclean, "residue"))?;
    store.commit(transaction).await?;
    let completed: Vec<i64> = clean.iter().map(|one| one.id).collect();
    store.drop_needles(&completed)?;
    let found = unclean.iter().flat_map(|one| {
        residues(&searched, one).map(|(place, count)| (one.id, place.to_owned(), count))
    });
    let found = found.collect();
    Ok(Summary { completed, found, searched, taken, copies: renewed, times })
}

/// Searches the database, and what is defined beside it.
async fn search(
    engine: &Engine,
    store: &Store,
    (erasures, progress): (&[i64], &Arc<Progress>),
) -> Result<Searched> {
    let within = (erasures.to_vec(), engine.cluster.texts()?);
    Ok(store.search_erased(within, Arc::clone(progress)).await?)
}

/// What is the engine's own record of what it did: it is signed, or a chain of hashes.
const FIXED: &[Oid] = &[oids::RECEIPTS, oids::AUDIT];

/// Takes people out of the texts of the engine's own tables, which nobody can correct with SQL; says
/// whether there were any.
async fn redact(store: &Arc<Store>, erasures: &[i64], searched: &Searched) -> Result<bool> {
    let snapshot = store.snapshot();
    let is_found = |relation: &&Arc<Relation>| {
        let name = snapshot.catalog.qualified_name(relation);
        let of = |place: &str| place.strip_prefix(&name).is_some_and(|one| one.starts_with('.'));
        !FIXED.contains(&relation.oid) && searched.scanned.residues.keys().any(|(_, one)| of(one))
    };
    let found: Vec<_> = features::relations().iter().filter(is_found).collect();
    if found.is_empty() {
        return Ok(false);
    }
    let mut transaction = builtin::begin(store);
    for relation in found {
        transaction.redact(relation, erasures)?;
    }
    store.commit(transaction).await?;
    Ok(true)
}

/// Where people of an erasure were found, and how often; not in columns that a legal hold keeps.
fn residues<'a>(
    searched: &'a Searched,
    erasure: &'a Waiting,
) -> impl Iterator<Item = (&'a str, u64)> {
    let all = searched.scanned.residues.iter();
    let own = all.filter(move |((id, place), _)| *id == erasure.id && !erasure.keeps(place));
    own.map(|((_, place), count)| (place.as_str(), *count))
}

/// Adds a receipt for each erasure.
fn sign(
    transaction: &mut Transaction,
    store: &Store,
    (database, copies): (&str, &[Copy]),
    (todo, searched): (&[Waiting], &Searched),
) -> Result<()> {
    let now = Utc::now().timestamp_micros();
    let key = store.brand_key();
    let snapshot = Arc::clone(transaction.snapshot());
    let mut previous = last_hash(store, &snapshot)?;
    let requests = requests(store, &snapshot)?;
    let recipients = recipients(store, &snapshot)?;
    for (at, one) in (now..).zip(todo) {
        let subjects = requests.get(&one.id).map(Vec::as_slice).unwrap_or_default();
        let said = (subjects, &recipients);
        let document = document((one, at), searched, (database, copies, said));
        let document = canonical(&document.to_string())
            .ok_or_else(|| Error::internal("a receipt is no JSON"))?;
        let hash = hash(&previous, &document);
        let signature = key.sign(hash.as_bytes())?;
        let row = builtin::batch(
            oids::RECEIPTS,
            &[
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

/// Where a receipt stands in the chain: when it was signed, in microseconds since 1970; its number.
pub(super) fn place(row: &RecordBatch) -> (i64, i64) {
    let document = rows::text(row, "document", 0).unwrap_or_default();
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let at = document.get("completed_at").and_then(Value::as_str);
    let at = at.and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
    let number = document.get("receipt").and_then(Value::as_i64);
    (at.map_or(0, |at| at.timestamp_micros()), number.unwrap_or(0))
}

/// The hash of the newest receipt; empty before the first.
fn last_hash(store: &Store, snapshot: &Snapshot) -> Result<String> {
    let receipts = rows::stored(store, snapshot, oids::RECEIPTS)?;
    let newest = receipts.iter().max_by_key(|(row, _)| place(row));
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

/// By table: to whom its rows are given, as was declared last.
fn recipients(store: &Store, snapshot: &Snapshot) -> Result<BTreeMap<i64, Value>> {
    let mut declared = rows::stored(store, snapshot, oids::PROCESSING)?;
    declared.sort_by_key(|(row, _)| rows::instant(row, "declared_at", 0));
    let mut found = BTreeMap::new();
    for (row, _) in &declared {
        let names = row.column_by_name("recipients").and_then(|one| one.as_list_opt::<i32>());
        let names = names.filter(|one| one.is_valid(0)).map(|one| one.value(0));
        let names = names.as_ref().and_then(|one| one.as_string_view_opt());
        let names: Vec<&str> = names.into_iter().flatten().flatten().collect();
        found.insert(rows::number(row, "relation", 0).unwrap_or(0), Value::from(names));
    }
    found.retain(|_, names| names.as_array().is_some_and(|one| !one.is_empty()));
    Ok(found)
}

/// Requests that a receipt answers, and recipients by table.
type Said<'a> = (&'a [Value], &'a BTreeMap<i64, Value>);

fn document(
    (one, completed_at): (&Waiting, i64),
    searched: &Searched,
    (database, copies, (requests, recipients)): (&str, &[Copy], Said<'_>),
) -> Value {
    let shown = |at: i64| {
        chrono::DateTime::from_timestamp_micros(at).map(|at| at.to_rfc3339()).unwrap_or_default()
    };
    let effects: Vec<Value> = serde_json::from_str(&one.tables).unwrap_or_default();
    let tables: Vec<Value> = effects.iter().map(|effect| table(effect, (searched, one))).collect();
    let told = effects.iter().filter_map(|effect| {
        let names = recipients.get(&effect.get("relation")?.as_i64()?)?;
        Some(json!({"table": effect.get("table"), "recipients": names}))
    });
    let files = searched.rewritten.iter().map(|file| {
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
        "follows": effects.iter().find_map(|effect| effect.get("follows")?.as_i64()),
        "erased_at": shown(one.requested_at),
        "completed_at": shown(completed_at),
        "engine": env!("CARGO_PKG_VERSION"),
        "tables": tables,
        "files": files.collect::<Vec<_>>(),
        "log": "begun anew",
        "definitions": "written anew",
        "copies": copies.iter().map(Copy::json).collect::<Vec<_>>(),
        "recipients": told.collect::<Vec<_>>(),
        "searched": {
            "files": searched.scanned.files,
            "log_records": searched.scanned.log_records,
            "definitions": searched.scanned.definitions,
            "found": residues(searched, one).map(|(_, count)| count).sum::<u64>(),
        },
    })
}

/// What was counted of a table, before (0) and after (1): all rows (A), rows of the people (B), rows
/// of others in the files that were replaced (C).
fn table(effect: &Value, (searched, erasure): (&Searched, &Waiting)) -> Value {
    let relation = effect.get("relation").and_then(Value::as_u64);
    let relation = relation.and_then(|one| Oid::try_from(one).ok()).unwrap_or(0);
    let mut files = searched.rewritten.iter().filter(|one| one.relation == relation);
    let (before, after) = files.by_ref().fold((0, 0), |(before, after), file| {
        let rows: u64 = file.after.iter().map(|one| one.rows).sum();
        (before + file.live, after + rows)
    });
    let of = |name: &str| effect.get(name).cloned().unwrap_or(Value::Null);
    let name = effect.get("table").and_then(Value::as_str).unwrap_or_default();
    let is_of_table =
        |place: &str| place.strip_prefix(name).is_some_and(|column| column.starts_with('.'));
    let of_table = residues(searched, erasure).filter(|(place, _)| is_of_table(place));
    let found: u64 = of_table.map(|(_, count)| count).sum();
    let holds = effect.get("holds").and_then(Value::as_array).into_iter().flatten().map(|hold| {
        let until = hold.get("until").and_then(Value::as_i64);
        let until = until.and_then(chrono::DateTime::from_timestamp_micros);
        let until = until.map(|until| until.to_rfc3339());
        json!({"columns": hold.get("columns"), "basis": hold.get("basis"), "until": until})
    });
    json!({
        "table": of("table"), "A0": of("A0"), "B0": of("B0"), "kept": of("kept"),
        "kept_columns": of("kept_columns"), "holds": holds.collect::<Vec<_>>(),
        "cleared": of("cleared"), "A1": of("A1"), "B1": found, "C0": before, "C1": after,
    })
}

/// Says how far the erasures and their requests are.
fn settle(
    transaction: &mut Transaction,
    store: &Store,
    (todo, state): (&[Waiting], &str),
) -> Result<()> {
    let ids: Vec<i64> = todo.iter().map(|one| one.id).collect();
    for (relation, column) in [(oids::ERASURES, "erasure_id"), (oids::REQUESTS, "receipt_id")] {
        let snapshot = Arc::clone(transaction.snapshot());
        for (row, address) in &rows::stored(store, &snapshot, relation)? {
            if rows::number(row, column, 0).is_some_and(|one| ids.contains(&one)) {
                let after = changed(row, state)?;
                transaction.update(relation, &[*address], &[after])?;
            }
        }
    }
    Ok(())
}

/// A row in another state; completed now, if it is.
fn changed(row: &RecordBatch, state: &str) -> Result<RecordBatch> {
    let now = Utc::now().timestamp_micros();
    let schema = row.schema();
    let columns = schema.fields().iter().zip(row.columns());
    let columns = columns.map(|(field, array)| match field.name().as_str() {
        "state" => texts([Some(state)]),
        "completed_at" if state == "completed" => times([Some(now)]),
        _ => Arc::clone(array),
    });
    let columns = columns.map(|array| array.slice(0, 1)).zip(schema.fields());
    let columns = columns
        .map(|(array, field)| datafusion::arrow::compute::cast(&array, field.data_type()))
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::internal)?;
    RecordBatch::try_new(Arc::clone(&schema), columns).map_err(Error::internal)
}
