//! Procedures that write what others read: backups and Delta tables.
//!
//! ```sql
//! CALL clientele.backup('/backups/monday');
//! CALL clientele.publish_delta('shop.orders');       -- <data>/delta/<database>/shop.orders
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use clientele_catalog::definition::Relation;
use clientele_catalog::features::oids::COPIES;
use clientele_catalog::pg_catalog::JobKind;
use clientele_catalog::storage::Store;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use datafusion::scalar::ScalarValue;

use super::procedures::{Parameter, Procedure, owned_relation, superuser, text};
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::job::Job;

/// Hours for which files stay that the newest version of a Delta table does not have, unless the
/// caller says otherwise; Delta's own default.
const RETAIN_HOURS: &str = "168";
/// Where tables are published below the data directory.
pub(crate) const DELTA: &str = "delta";

pub(super) static PROCEDURES: &[Procedure] = &[
    Procedure {
        schema: "clientele",
        name: "backup",
        parameters: &[Parameter { name: "directory", pg_type: PgType::TEXT, default: None }],
        columns: &[],
        comment: "writes one instant of all databases to an empty directory of the server",
        kernel: |session, arguments| Box::pin(backup(session, arguments)),
    },
    Procedure {
        schema: "clientele",
        name: "publish_delta",
        parameters: &[
            Parameter { name: "table_name", pg_type: PgType::TEXT, default: None },
            Parameter { name: "directory", pg_type: PgType::TEXT, default: Some("NULL") },
            Parameter { name: "retain_hours", pg_type: PgType::INT8, default: Some(RETAIN_HOURS) },
        ],
        columns: &[
            ("directory", PgType::TEXT),
            ("version", PgType::INT8),
            ("files", PgType::INT8),
            ("rows", PgType::INT8),
        ],
        comment: "publishes a table as a Delta table, which DuckDB, Spark and delta-rs open",
        kernel: |session, arguments| Box::pin(publish_delta(session, arguments)),
    },
];

async fn backup(session: &mut Session, arguments: Vec<ScalarValue>) -> Result<Option<RecordBatch>> {
    superuser(session, "clientele.backup")?;
    let directory = absolute(&arguments, 0)?
        .ok_or_else(|| Error::new("22004", "directory of a backup must not be null"))?;
    outside(&directory, session.engine.cluster.directory())?;
    let job = Job::new(&session.shared, JobKind::Backup, 0);
    session.engine.cluster.backup(&directory, job.progress()).await?;
    for database in session.engine.cluster.databases() {
        let engine = Arc::clone(&session.engine);
        let store = move || engine.cluster.store(database.oid);
        let store = tokio::task::spawn_blocking(store).await.map_err(Error::internal)??;
        note(&store, ("backup", &directory), None, &session.role.name).await?;
    }
    Ok(None)
}

/// Notes in `gdpr.copies` what is written to a directory: erasures have to know of it.
async fn note(
    store: &Arc<Store>,
    (kind, directory): (&str, &Path),
    relation: Option<&Relation>,
    role: &str,
) -> Result<()> {
    let directory = directory.display().to_string();
    let mut transaction = builtin::begin(store);
    let snapshot = Arc::clone(transaction.snapshot());
    let is_same = |row: &RecordBatch| {
        let known = row.column_by_name("directory").and_then(|one| one.as_string_view_opt());
        known.is_some_and(|known| known.iter().any(|one| one == Some(&directory)))
    };
    let all = builtin::stored(store, &snapshot, COPIES)?;
    let before = all.iter().filter(|(row, _)| is_same(row)).map(|(_, address)| *address);
    transaction.delete(COPIES, &before.collect::<Vec<_>>())?;
    let name = relation.map(|one| snapshot.catalog.qualified_name(one));
    let row = builtin::batch(
        COPIES,
        &[
            texts([Some(kind)]),
            texts([Some(directory.as_str())]),
            numbers([relation.map(|one| i64::from(one.oid))]),
            texts([name.as_deref()]),
            texts([Some(role)]),
            times([Some(Utc::now().timestamp_micros())]),
        ],
    )?;
    transaction.insert(COPIES, row)?;
    store.commit(transaction).await?;
    Ok(())
}

async fn publish_delta(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    let name = text(&arguments, 0)
        .ok_or_else(|| Error::new("22004", "name of the table must not be null"))?;
    let relation = owned_relation(session, name).await?;
    if relation.temporary {
        return Err(Error::new("0A000", "cannot publish a temporary table"));
    }
    let directory = match absolute(&arguments, 1)? {
        None => default_directory(session, &relation).await?,
        Some(directory) => {
            superuser(session, "clientele.publish_delta with a directory")?;
            outside(&directory, session.engine.cluster.directory())?;
            std::fs::create_dir_all(&directory).map_err(|error| {
                let shown = directory.display();
                Error::new("58030", format!("could not create directory \"{shown}\": {error}"))
            })?;
            directory
        }
    };
    let hours = match arguments.get(2) {
        Some(ScalarValue::Int64(Some(hours))) => u64::try_from(*hours).ok(),
        _ => None,
    };
    let retention = hours.and_then(|hours| hours.checked_mul(3600)).map(Duration::from_secs);
    let retention =
        retention.ok_or_else(|| Error::new("22023", "retain_hours must be zero or more"))?;
    let data = session.engine.cluster.directory();
    let below = directory.strip_prefix(data).unwrap_or(&directory);
    note(&session.store, ("delta", below), Some(&relation), &session.role.name).await?;
    let job = Job::new(&session.shared, JobKind::PublishDelta, relation.oid);
    let watched = (retention, job.progress());
    let done = session.store.publish_delta(relation.oid, &directory, watched).await?;
    let number = |value: u64| -> ArrayRef {
        Arc::new(Int64Array::from(vec![i64::try_from(value).unwrap_or(i64::MAX)]))
    };
    let shown: ArrayRef = Arc::new(StringViewArray::from(vec![directory.display().to_string()]));
    let columns = [
        ("directory", shown),
        ("version", number(done.version)),
        ("files", number(done.files)),
        ("rows", number(done.rows)),
    ];
    Ok(Some(
        RecordBatch::try_from_iter(columns).map_err(|error| Error::internal(error.to_string()))?,
    ))
}

/// `<data>/delta/<database>/<schema>.<table>`.
async fn default_directory(session: &mut Session, relation: &Relation) -> Result<PathBuf> {
    let context = session.context().await?;
    let schema = context.catalog().schema_by_oid(relation.schema);
    let schema = schema.map(|schema| schema.name.clone()).unwrap_or_default();
    let root = session.engine.cluster.directory();
    Ok(delta_directory(root, &session.database.name, (&schema, &relation.name)))
}

/// Where a table is published unless somebody names another directory.
pub(crate) fn delta_directory(
    data: &Path,
    database: &str,
    (schema, table): (&str, &str),
) -> PathBuf {
    let table = format!("{}.{}", file_name(schema), file_name(table));
    data.join(DELTA).join(file_name(database)).join(table)
}

/// A name as a part of a path: what is neither a letter, a digit, `_` nor `-` is written as `%XX`.
pub(crate) fn file_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let shown = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    name.bytes().map(shown).collect()
}

/// A path among the arguments; `None` for NULL.
fn absolute(arguments: &[ScalarValue], index: usize) -> Result<Option<PathBuf>> {
    let Some(path) = text(arguments, index) else { return Ok(None) };
    match Path::new(path).is_absolute() {
        true => Ok(Some(PathBuf::from(path))),
        false => Err(Error::new("42602", "relative path not allowed")
            .with_hint("The path is one of the server's machine.")),
    }
}

/// Refuses to write among the files of the databases.
fn outside(directory: &Path, data: &Path) -> Result<()> {
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let is_plain = directory.components().all(|part| part != std::path::Component::ParentDir);
    match is_plain && !directory.starts_with(&data) {
        true => Ok(()),
        false => Err(Error::new("22023", "the directory must be outside the data directory")),
    }
}
