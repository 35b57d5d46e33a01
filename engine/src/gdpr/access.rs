//! `gdpr.access` (GDPR art. 15) and `gdpr.portability` (art. 20): everything that is kept of a
//! person, as rows and as one JSON document. Rows are JSON as `row_to_json` writes it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringViewArray};
use datafusion::arrow::csv::WriterBuilder as CsvWriter;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::scalar::ScalarValue;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::officer::must_be_officer;
use super::request::{self, Request};
use super::shares::{self, Share};
use super::subject::{self, Subject};
use crate::api::Notice;
use crate::builtin::{numbers, texts};
use crate::error::{Error, Result};
use crate::functions::procedures::{file_writer, text};
use crate::planning::context::QueryContext;
use crate::session::Session;

/// `gdpr.access(subject, reason)`: the document first, then a row for each row that is kept.
pub(super) async fn access(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.access")?;
    let context = session.context().await?;
    let subject = subject_of(&context, &arguments)?;
    let shares = shares::of(session, &context, &subject, true).await?;
    let document = document(session, &context, (&subject, &shares)).await?;
    let mut names = vec!["document"];
    let mut contents = vec![document];
    for share in &shares {
        names.extend(share.objects.iter().map(|_| share.table.as_str()));
        contents.extend(share.objects.iter().cloned());
    }
    let details = json!({"rows": contents.len() - 1});
    let reason = text(&arguments, 1).map(str::to_owned);
    record(session, &context, ("access", &subject), (reason, details)).await?;
    let columns = [
        ("table_name", texts(names.iter().map(|one| Some(*one)))),
        ("content", texts(contents.iter().map(|one| Some(one.as_str())))),
    ];
    Ok(Some(RecordBatch::try_from_iter(columns).map_err(Error::internal)?))
}

/// `gdpr.portability(subject, format, directory, reason)`: what tables have of the person, as text,
/// or as one file for each table.
pub(super) async fn portability(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.portability")?;
    let context = session.context().await?;
    let subject = subject_of(&context, &arguments)?;
    let format = text(&arguments, 1).unwrap_or("json").to_owned();
    let directory = directory(session, &arguments)?;
    let shares = shares::of(session, &context, &subject, false).await?;
    let mut names = Vec::new();
    let mut contents = Vec::new();
    let mut counts = Vec::new();
    for share in &shares {
        let bytes = match format.as_str() {
            "json" => list(&share.objects).into_bytes(),
            "csv" => csv(&share.rows)?,
            "parquet" => parquet(&share.rows)?,
            _ => {
                return Err(Error::new("22023", format!("unrecognized format \"{format}\""))
                    .with_hint("Formats are json, csv and parquet."));
            }
        };
        contents.push(match &directory {
            Some(directory) => write(directory, (&share.table, &format), &bytes)?,
            None => String::from_utf8(bytes).map_err(|_| {
                Error::new("22023", "parquet needs a directory")
                    .with_hint("Name a directory of the server: directory => '/exports/jane'.")
            })?,
        });
        names.push(share.table.as_str());
        counts.push(i64::try_from(share.rows.num_rows()).ok());
    }
    let details = json!({"format": format, "tables": names.len()});
    let reason = text(&arguments, 3).map(str::to_owned);
    record(session, &context, ("portability", &subject), (reason, details)).await?;
    let columns = [
        ("table_name", texts(names.iter().map(|one| Some(*one)))),
        ("row_count", numbers(counts)),
        ("content", texts(contents.iter().map(|one| Some(one.as_str())))),
    ];
    Ok(Some(RecordBatch::try_from_iter(columns).map_err(Error::internal)?))
}

fn subject_of(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Subject> {
    let text = text(arguments, 0).ok_or_else(|| {
        Error::new("22004", "subject must not be null")
            .with_hint("Name a subject such as 'email:jane@example.com' or 'customer:42'.")
    })?;
    subject::find(context, text)
}

/// Adds the request to `gdpr.requests`.
pub(super) async fn record(
    session: &mut Session,
    context: &QueryContext,
    (kind, subject): (&'static str, &Subject),
    (reason, details): (Option<String>, Value),
) -> Result<()> {
    let request = Request {
        id: i64::from(session.store.allocate_oid()),
        kind,
        subject: Some(subject.name.clone()),
        customer: subject.customer,
        received_at: Utc::now(),
        state: "completed",
        decided_by: context.role.name.clone(),
        reason,
        details: Some(details.to_string()),
        ..Request::default()
    };
    let work = session.work().await?;
    request::file(context, &mut *work.lock().await, vec![request])
}

/// What art. 15(1) asks for, in one document. Rows stand in it as [`shares`] gives them: numbers with
/// all their digits.
async fn document(
    session: &Session,
    context: &Arc<QueryContext>,
    (subject, shares): (&Subject, &[Share]),
) -> Result<String> {
    let customer = context.snapshot.customers.person.customer(subject.node);
    let names = subject::names(context, &[customer])?;
    let names: Vec<String> = names.keys().map(|one| format!("'{one}'")).collect();
    let of = |query: String| async move { shares::objects(session, context, &query).await };
    let profile =
        of(format!("SELECT * FROM customers.profiles WHERE customer_id = {customer}")).await?;
    let identifiers = of(format!(
        "SELECT namespace, value, source, first_seen_at FROM identity.identifiers \
          WHERE customer_id = {customer} ORDER BY namespace, value"
    ))
    .await?;
    let requests = of(format!(
        "SELECT kind, received_at, state, reason, completed_at FROM gdpr.requests \
          WHERE subject IN ({}) ORDER BY received_at",
        names.join(", ")
    ))
    .await?;
    let terms = of(format!(
        "SELECT purpose, last_act_at, due_at, action, archived_until FROM gdpr.terms \
          WHERE customer_id = {customer} ORDER BY due_at"
    ))
    .await;
    // A rule whose table is gone is no reason to keep the person waiting.
    let terms = terms.unwrap_or_else(|error| {
        session.shared.notices.lock().push(Notice::Message(Error { severity: "WARNING", ..error }));
        Vec::new()
    });
    let processing = of(PROCESSING.to_owned()).await?;
    let processing = values(&processing)?;
    let of_table = |share: &Share| {
        let relation = |one: &&Value| one.get("relation")?.as_u64();
        let declared =
            processing.iter().find(|one| relation(one) == Some(u64::from(share.relation)));
        let of = |name: &str| declared.and_then(|one| one.get(name)).cloned();
        let head = json!({
            "source": share.table,
            "purposes": of("purposes"),
            "legal_basis": of("legal_basis"),
            "origin": of("origin"),
            "recipients": of("recipients"),
            "transfers": of("transfers"),
            "retention": of("keep_for"),
        });
        with(&head, &[("rows", &list(&share.objects))])
    };
    let is_declared = |share: &&Share| {
        let mut declared = processing.iter().filter_map(|one| one.get("relation")?.as_u64());
        share.is_own && !declared.any(|one| one == u64::from(share.relation))
    };
    let undeclared: Vec<&str> =
        shares.iter().filter(is_declared).map(|one| one.table.as_str()).collect();
    if !undeclared.is_empty() {
        undeclared_notice(session, &undeclared);
    }
    let tables: Vec<String> = shares.iter().map(of_table).collect();
    let head = json!({
        "basis": "GDPR art. 15",
        "made_at": Utc::now().to_rfc3339(),
        "customer_id": customer,
        "rights": "rectification (art. 16), erasure (17), restriction (18), portability (20), \
                   objection (21), complaint to a supervisory authority (77)",
    });
    let profile = profile.first().map_or("null", String::as_str);
    Ok(with(
        &head,
        &[
            ("profile", profile),
            ("identifiers", &list(&identifiers)),
            ("tables", &list(&tables)),
            ("retention", &list(&terms)),
            ("requests", &list(&requests)),
        ],
    ))
}

/// What was said last of each table.
const PROCESSING: &str = "SELECT DISTINCT ON (relation) relation, purposes, legal_basis, origin, recipients, transfers, \
     keep_for::text AS keep_for FROM (SELECT coalesce(relation, to_regclass(table_name)::oid)::int8 AS relation, \
     purposes, legal_basis, origin, recipients, transfers, keep_for, declared_at FROM gdpr.processing) AS q \
     ORDER BY relation, declared_at DESC";

fn undeclared_notice(session: &Session, tables: &[&str]) {
    let text = format!("purposes and recipients are not declared of {}", tables.join(", "));
    let warning = Error { severity: "WARNING", ..Error::new("01000", text) };
    let warning = warning.with_hint("CALL gdpr.declare(…) says what a table is used for.");
    session.shared.notices.lock().push(Notice::Message(warning));
}

/// An object with more members, which are JSON already.
fn with(object: &Value, members: &[(&str, &str)]) -> String {
    let mut text = object.to_string();
    text.pop();
    for (name, member) in members {
        // Writing to a string does not fail.
        let _ = write!(text, ",\"{name}\":{member}");
    }
    text + "}"
}

fn list(objects: &[String]) -> String {
    format!("[{}]", objects.join(","))
}

/// Objects as values.
fn values(objects: &[String]) -> Result<Vec<Value>> {
    let values = objects.iter().map(|one| serde_json::from_str(one));
    values.collect::<std::result::Result<_, _>>().map_err(Error::internal)
}

/// Rows with intervals, and lists unless they may stay, as text.
fn plain(rows: &RecordBatch, lists: bool) -> Result<RecordBatch> {
    let options = FormatOptions::default();
    let shown = |array: &ArrayRef| -> Result<ArrayRef> {
        let is_list = matches!(array.data_type(), DataType::List(_)) && !lists;
        if !is_list && !matches!(array.data_type(), DataType::Interval(_)) {
            return Ok(Arc::clone(array));
        }
        let texts = ArrayFormatter::try_new(array, &options).map_err(Error::internal)?;
        let text = |row| array.is_valid(row).then(|| texts.value(row).to_string());
        Ok(Arc::new((0..array.len()).map(text).collect::<StringViewArray>()))
    };
    let schema = rows.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let columns = rows.columns().iter().map(shown).collect::<Result<Vec<_>>>()?;
    let columns = names.zip(columns).map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(Error::internal)
}

fn csv(rows: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = CsvWriter::new().with_header(true).build(Vec::new());
    writer.write(&plain(rows, false)?).map_err(Error::internal)?;
    Ok(writer.into_inner())
}

fn parquet(rows: &RecordBatch) -> Result<Vec<u8>> {
    let rows = &plain(rows, true)?;
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, rows.schema(), None).map_err(Error::internal)?;
    writer.write(rows).map_err(Error::internal)?;
    writer.close().map_err(Error::internal)?;
    Ok(bytes)
}

/// The directory of the server that files go to; `None`: the answer has the text.
fn directory(session: &Session, arguments: &[ScalarValue]) -> Result<Option<PathBuf>> {
    let Some(path) = text(arguments, 2) else { return Ok(None) };
    file_writer(session, "gdpr.portability with a directory")?;
    match Path::new(path).is_absolute() {
        true => Ok(Some(PathBuf::from(path))),
        false => Err(Error::new("42602", "relative path not allowed")
            .with_hint("The path is one of the server's machine.")),
    }
}

fn write(directory: &Path, (table, format): (&str, &str), bytes: &[u8]) -> Result<String> {
    let plain = |one: char| if one.is_alphanumeric() || "._-".contains(one) { one } else { '_' };
    let name: String = table.chars().map(plain).collect();
    let path = directory.join(format!("{name}.{format}"));
    let written = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&path, bytes));
    let shown = path.display().to_string();
    match written {
        Ok(()) => Ok(shown),
        Err(error) => Err(Error::new("58030", format!("could not write \"{shown}\": {error}"))),
    }
}
