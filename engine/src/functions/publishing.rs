//! Procedures that write what others read: backups and Delta tables.
//!
//! ```sql
//! CALL clientele.backup('/backups/monday');
//! CALL clientele.publish_delta('shop.orders');       -- <data>/delta/<database>/shop.orders
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clientele_catalog::pg_catalog::JobKind;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use datafusion::scalar::ScalarValue;

use super::procedures::{Parameter, Procedure, owned_relation, superuser, text};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::job::Job;

/// Hours for which files stay that the newest version of a Delta table does not have, unless the
/// caller says otherwise; Delta's own default.
const RETAIN_HOURS: &str = "168";

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
    Ok(None)
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
async fn default_directory(
    session: &mut Session,
    relation: &clientele_catalog::definition::Relation,
) -> Result<PathBuf> {
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
    data.join("delta").join(file_name(database)).join(table)
}

/// A name as a part of a path: what is neither a letter, a digit, `_` nor `-` is written as `%XX`.
fn file_name(name: &str) -> String {
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
