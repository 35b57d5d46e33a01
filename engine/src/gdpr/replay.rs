//! Tombstones outside of the database: a backup that is older than an erasure has the person still,
//! so that the list must be kept elsewhere and be applied after a restore.
//!
//! ```sql
//! CALL gdpr.export_tombstones('/safe/acme.tombstones');
//! CALL gdpr.replay('/safe/acme.tombstones');              -- in the restored database
//! ```

use std::collections::HashSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use chrono::Utc;
use clientele_catalog::definition::Oid;
use clientele_catalog::domains::Subject as Kind;
use clientele_catalog::features::oids;
use clientele_catalog::storage::{NodeRows, Scope, Tombstone};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::scalar::ScalarValue;

use super::erase::Erasure;
use super::holds::Holds;
use super::officer::must_be_officer;
use super::rows;
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::{file_writer, superuser, text};
use crate::planning::context::QueryContext;
use crate::session::Session;

/// A tombstone as it is exported: kind, namespace, hash.
type Line = (String, i64, String);

fn path(arguments: &[ScalarValue]) -> Result<PathBuf> {
    let text = text(arguments, 0).ok_or_else(|| Error::new("22004", "path must not be null"))?;
    match Path::new(text).is_absolute() {
        true => Ok(PathBuf::from(text)),
        false => Err(Error::new("42602", "relative path not allowed")
            .with_hint("The path is one of the server's machine.")),
    }
}

/// Every tombstone of the database.
fn all(context: &QueryContext) -> Result<Vec<Line>> {
    let rows = rows::stored(&context.store, &context.snapshot, oids::TOMBSTONES)?;
    let line = |row: &RecordBatch| {
        let text = |name: &str| rows::text(row, name, 0).map(str::to_owned);
        let namespace = row.column_by_name("namespace")?;
        let namespace = namespace.as_primitive_opt::<Int64Type>().filter(|one| one.is_valid(0))?;
        Some((text("kind")?, namespace.value(0), text("hash")?))
    };
    Ok(rows.iter().filter_map(|(row, _)| line(row)).collect())
}

/// `gdpr.export_tombstones(path)`.
pub(super) async fn export(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.export_tombstones")?;
    file_writer(session, "gdpr.export_tombstones")?;
    let path = path(&arguments)?;
    let context = session.context().await?;
    let mut content = String::new();
    for (kind, namespace, hash) in all(&context)? {
        // Writing to a string does not fail.
        let _ = writeln!(content, "{kind}\t{namespace}\t{hash}");
    }
    std::fs::write(&path, content).map_err(|error| {
        Error::new("58030", format!("could not write \"{}\": {error}", path.display()))
    })?;
    Ok(None)
}

/// `gdpr.replay(path)`: erases again whom the list names, and takes on its tombstones.
pub(super) async fn replay(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.replay")?;
    superuser(session, "gdpr.replay")?;
    session.writable("CALL")?;
    let path = path(&arguments)?;
    let content = std::fs::read_to_string(&path).map_err(|error| {
        Error::new("58030", format!("could not read \"{}\": {error}", path.display()))
    })?;
    let lines: Vec<Line> = content.lines().filter_map(line).collect();
    let context = session.context().await?;
    let seeds = named(&context, &lines)?;
    let victims = context.store.victims(&context.snapshot, &seeds, Scope::Identifier)?;
    let holds = Holds::read(session, &context).await?;
    let id = i64::from(session.store.allocate_oid());
    let erasure = Erasure { id, context: &context, holds: &holds, victims: &victims, people: &[] };
    let known: HashSet<Line> = all(&context)?.into_iter().collect();
    let new: Vec<&Line> = lines.iter().filter(|line| !known.contains(*line)).collect();
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    if !seeds.is_empty() {
        let effects = erasure.carry_out(&mut transaction)?;
        context.store.keep_needles(id, &victims.identifiers)?;
        erasure.record(&mut transaction, &effects, Some("replayed after a restore"))?;
        context.engine.matchers.forget(context.database.oid);
    }
    if !new.is_empty() {
        let count = new.len();
        let now = Utc::now().timestamp_micros();
        let batch = builtin::batch(
            oids::TOMBSTONES,
            &[
                numbers(vec![Some(id); count]),
                texts(new.iter().map(|one| Some(one.0.as_str()))),
                numbers(new.iter().map(|one| Some(one.1))),
                texts(new.iter().map(|one| Some(one.2.as_str()))),
                times(vec![Some(now); count]),
            ],
        )?;
        transaction.insert(oids::TOMBSTONES, batch)?;
    }
    let columns = [
        ("identifiers", numbers([i64::try_from(seeds.len()).ok()])),
        ("tombstones", numbers([i64::try_from(new.len()).ok()])),
    ];
    Ok(Some(RecordBatch::try_from_iter(columns).map_err(Error::internal)?))
}

fn line(text: &str) -> Option<Line> {
    let mut fields = text.split('\t');
    let line = (fields.next()?.to_owned(), fields.next()?.parse().ok()?, fields.next()?.to_owned());
    fields.next().is_none().then_some(line)
}

/// The nodes of identifiers that the list names.
fn named(context: &QueryContext, lines: &[Line]) -> Result<Vec<u32>> {
    let hashes: HashSet<&str> = lines.iter().map(|one| one.2.as_str()).collect();
    let relation = builtin::table(oids::NODES)?;
    let number = |name: &str| relation.column(name).map_or(0, |one| one.number);
    let columns = [number("namespace"), number("value")];
    let key = context.store.brand_key();
    let mut found = Vec::new();
    let wanted = (Kind::Person, &columns[..]);
    context.store.node_rows(&context.snapshot, relation, wanted, |rows: NodeRows| {
        let [namespaces, values] = rows.columns.as_slice() else { return };
        let namespaces = namespaces.as_primitive_opt::<Int64Type>().into_iter().flatten();
        let values = values.as_string_view_opt().into_iter().flatten();
        for ((node, namespace), value) in rows.nodes.iter().zip(namespaces).zip(values) {
            let namespace = namespace.and_then(|one| Oid::try_from(one).ok());
            let Some((namespace, value)) = namespace.zip(value) else { continue };
            let hash = Tombstone::Identifier(namespace, value).text(key);
            if hashes.contains(hash.as_str()) {
                found.push(*node);
            }
        }
    })?;
    found.retain(|node| *node != 0);
    Ok(found)
}
