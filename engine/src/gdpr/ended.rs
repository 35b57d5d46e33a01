//! Legal holds that have ended: what they kept of erased people is erased as well, by the next purge,
//! with a receipt of its own.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::domains::Subject;
use clientele_catalog::features::oids::{ERASURES, HOLDS};
use clientele_catalog::storage::{RowAddress, Snapshot, Store, Transaction};
use datafusion::arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::Int64Type;
use serde_json::Value;

use super::effect::{self, Effect};
use super::holds::{self, Hold};
use super::rows;
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};

/// Who asks for it, as `gdpr.erasures` says.
const REQUESTED_BY: &str = "end of a legal hold";

/// An erasure of which something is kept by no hold any more.
struct Ended {
    erasure: i64,
    row: RecordBatch,
    address: RowAddress,
    /// By table: the holds that still are in force.
    tables: Vec<(Oid, Vec<Hold>)>,
}

/// Whether something is kept by no hold any more.
///
/// # Errors
/// A file cannot be read.
pub(super) fn is_waiting(store: &Store) -> Result<bool> {
    Ok(!ended(store, &store.snapshot())?.is_empty())
}

fn ended(store: &Store, snapshot: &Snapshot) -> Result<Vec<Ended>> {
    let mut found = Vec::new();
    let mut untils: Option<HashMap<i64, Option<i64>>> = None;
    for (row, address) in rows::stored(store, snapshot, ERASURES)? {
        // Most erasures keep nothing; it is asked every few seconds.
        if !rows::text(&row, "tables", 0).is_some_and(|text| text.contains("\"hold\"")) {
            continue;
        }
        let effects = effects(&row);
        if !effects.iter().any(|one| !kept_by(one).is_empty()) {
            continue;
        }
        let untils = match &untils {
            Some(untils) => untils,
            None => untils.insert(holds_now(store, snapshot)?),
        };
        let mut tables = Vec::new();
        for effect in &effects {
            let all = kept_by(effect);
            let in_force: Vec<Hold> =
                all.iter().filter(|one| is_in_force(one, untils)).cloned().collect();
            if holds::columns_of(&in_force) != holds::columns_of(&all) {
                tables.push((relation(effect), in_force));
            }
        }
        if !tables.is_empty() {
            let erasure = rows::number(&row, "erasure_id", 0).unwrap_or(0);
            found.push(Ended { erasure, row, address, tables });
        }
    }
    Ok(found)
}

/// Whether a hold is in force: one of everybody as `gdpr.holds` says now, one of a person, which went
/// with the person, as the erasure says.
fn is_in_force(hold: &Hold, untils: &HashMap<i64, Option<i64>>) -> bool {
    let now = Utc::now().timestamp_micros();
    let until = match hold.customer {
        Some(_) => Some(hold.until),
        None => untils.get(&hold.id).copied(),
    };
    until.is_some_and(|until| until.is_none_or(|until| until > now))
}

fn holds_now(store: &Store, snapshot: &Snapshot) -> Result<HashMap<i64, Option<i64>>> {
    let rows = rows::stored(store, snapshot, HOLDS)?;
    let hold = |row: &RecordBatch| {
        (rows::number(row, "hold_id", 0).unwrap_or(0), rows::instant(row, "held_until", 0))
    };
    Ok(rows.iter().map(|(row, _)| hold(row)).collect())
}

fn effects(row: &RecordBatch) -> Vec<Value> {
    let text = rows::text(row, "tables", 0).unwrap_or("[]");
    serde_json::from_str(text).unwrap_or_default()
}

fn relation(effect: &Value) -> Oid {
    let number = effect.get("relation").and_then(Value::as_u64);
    number.and_then(|one| Oid::try_from(one).ok()).unwrap_or(0)
}

fn kept_by(effect: &Value) -> Vec<Hold> {
    let hold = |one: &Value| {
        let columns = one.get("columns")?.as_array()?.iter();
        let of_one = one.get("of_one").and_then(Value::as_bool).unwrap_or(false);
        Some(Hold {
            id: one.get("hold")?.as_i64()?,
            columns: columns.filter_map(Value::as_str).map(str::to_owned).collect(),
            customer: of_one.then_some(0),
            until: one.get("until").and_then(Value::as_i64),
            basis: one.get("basis").and_then(Value::as_str).map(str::to_owned),
        })
    };
    let all = effect.get("holds").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(hold).collect()
}

/// Erases what is kept by no hold any more; files follow with the purge that goes on from here.
///
/// # Errors
/// 40001 when another wrote the rows at the same time; 23503 where a row of other people must refer to
/// one that is kept.
pub(super) async fn erase(store: &Arc<Store>) -> Result<()> {
    let all = ended(store, &store.snapshot())?;
    if all.is_empty() {
        return Ok(());
    }
    let mut transaction = builtin::begin(store);
    for one in &all {
        erase_of(store, &mut transaction, one)?;
    }
    transaction.check_references()?;
    store.commit(transaction).await?;
    Ok(())
}

fn erase_of(store: &Store, transaction: &mut Transaction, one: &Ended) -> Result<()> {
    let id = i64::from(store.allocate_oid());
    let catalog = Arc::clone(&transaction.snapshot().catalog);
    let mut effects = Vec::new();
    for (oid, in_force) in &one.tables {
        // Of a table that was dropped nothing is kept.
        let Some(relation) = catalog.relation_by_oid(*oid) else { continue };
        let snapshot = Arc::clone(transaction.snapshot());
        let rows = kept_rows(store, (&snapshot, relation), one.erasure)?;
        if rows.is_empty() {
            continue;
        }
        let mut effect = Effect::of(&catalog, relation, snapshot.row_count(*oid));
        match in_force.is_empty() {
            true => effect.erased = transaction.delete(*oid, &rows)?,
            false => {
                let kept = holds::columns_of(in_force);
                let is_kept = |column: &_| holds::stays(column, &kept);
                let rows = (rows.as_slice(), one.erasure);
                effect.kept = transaction.keep_columns(*oid, rows, &is_kept)?;
            }
        }
        effects.push(effect);
    }
    effect::settle(transaction, id, &mut effects)?;
    for effect in &mut effects {
        effect.left = transaction.snapshot().row_count(effect.relation);
    }
    let after = still_kept(one)?;
    transaction.update(ERASURES, &[one.address], &[after])?;
    if effects.is_empty() {
        return Ok(());
    }
    // Whom the rows were about is not known any more: there is nothing to search for.
    store.keep_needles(id, &[])?;
    // What is kept further is for the first erasure to know.
    let text = effect::json(&effects, Some(one.erasure));
    let people: ArrayRef = Arc::new(Int32Array::from(vec![0]));
    let row = [
        numbers([Some(id)]),
        times([Some(Utc::now().timestamp_micros())]),
        texts([Some(REQUESTED_BY)]),
        people,
        texts([Some("erased")]),
        texts([Some(text.as_str())]),
    ];
    transaction.insert(ERASURES, builtin::batch(ERASURES, &row)?)?;
    Ok(())
}

/// The rows of a table of which holds keep columns since an erasure.
fn kept_rows(
    store: &Store,
    (snapshot, relation): (&Snapshot, &Relation),
    erasure: i64,
) -> Result<Vec<RowAddress>> {
    let column = relation.live_columns().find(|one| one.subject == Some(Subject::Person));
    let Some(column) = column.map(|one| one.number) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    store.node_rows(snapshot, relation, (Subject::Person, &[column]), |rows| {
        let marks = rows.columns.first().and_then(|one| one.as_primitive_opt::<Int64Type>());
        let marks = marks.into_iter().flatten();
        let own = rows.addresses.iter().zip(marks).filter(|(_, mark)| *mark == Some(-erasure));
        found.extend(own.map(|(address, _)| *address));
    })?;
    Ok(found)
}

/// The row of the first erasure with the holds that still keep something.
fn still_kept(one: &Ended) -> Result<RecordBatch> {
    let mut effects = effects(&one.row);
    for effect in &mut effects {
        let Some((_, in_force)) = one.tables.iter().find(|(oid, _)| *oid == relation(effect))
        else {
            continue;
        };
        let numbers: Vec<i64> = in_force.iter().map(|hold| hold.id).collect();
        if let Some(all) = effect.get_mut("holds").and_then(Value::as_array_mut) {
            let number = |hold: &Value| hold.get("hold").and_then(Value::as_i64);
            all.retain(|hold| number(hold).is_some_and(|one| numbers.contains(&one)));
        }
        if let Some(columns) = effect.get_mut("kept_columns") {
            *columns = holds::columns_of(in_force).into();
        }
    }
    with_effects(&one.row, effects)
}

/// A row of `gdpr.erasures` with other effects.
fn with_effects(row: &RecordBatch, effects: Vec<Value>) -> Result<RecordBatch> {
    let text = Value::from(effects).to_string();
    let schema = row.schema();
    let columns = schema.fields().iter().zip(row.columns()).map(|(field, array)| {
        match field.name() == "tables" {
            true => cast(&texts([Some(text.as_str())]), field.data_type()),
            false => Ok(Arc::clone(array)),
        }
    });
    let columns = columns.collect::<std::result::Result<_, _>>().map_err(Error::internal)?;
    RecordBatch::try_new(Arc::clone(&schema), columns).map_err(Error::internal)
}

/// Ends a hold of a person that went with the person; `false`: there is none.
///
/// # Errors
/// A file cannot be read.
pub(super) fn release(transaction: &mut Transaction, store: &Store, hold: i64) -> Result<bool> {
    let snapshot = Arc::clone(transaction.snapshot());
    let mut found = false;
    for (row, address) in rows::stored(store, &snapshot, ERASURES)? {
        let mut all = effects(&row);
        let mut changed = false;
        for one in all.iter_mut().filter_map(|one| one.get_mut("holds")?.as_array_mut()).flatten() {
            let is_it = one.get("hold").and_then(Value::as_i64) == Some(hold)
                && one.get("of_one").and_then(Value::as_bool) == Some(true);
            if let (true, Some(until)) = (is_it, one.get_mut("until")) {
                *until = Utc::now().timestamp_micros().into();
                changed = true;
            }
        }
        if changed {
            transaction.update(ERASURES, &[address], &[with_effects(&row, all)?])?;
            found = true;
        }
    }
    Ok(found)
}
