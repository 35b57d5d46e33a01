//! `gdpr.report`: what a supervisory authority asks for, as dated files.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use chrono::Utc;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::WriterBuilder as CsvWriter;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::scalar::ScalarValue;

use super::officer::must_be_officer;
use super::rows::select;
use crate::builtin::{numbers, texts};
use crate::error::{Error, Result};
use crate::functions::procedures::{file_writer, text};
use crate::session::Session;

/// The parts of the report: file, heading, query. None of them names anybody.
const PARTS: &[(&str, &str, &str)] = &[
    (
        "register",
        "Record of processing activities (GDPR art. 30)",
        "SELECT table_name, persons, category, columns, special, \
         array_to_string(purposes, ', ') AS purposes, legal_basis, origin, \
         array_to_string(recipients, ', ') AS recipients, transfers, retention, measures, \
         controller, dpo, declared_at, updated_at FROM gdpr.register ORDER BY table_name, category",
    ),
    (
        "requests",
        "Requests of people (GDPR art. 15 to 22)",
        "SELECT request_id, kind, subject, received_at, due_at, state, decided_by, reason, completed_at \
         FROM gdpr.requests ORDER BY request_id",
    ),
    (
        "purposes",
        "Purposes and who is covered",
        "SELECT p.purpose, p.legal_basis, array_to_string(p.columns, ', ') AS columns, p.description, \
         (SELECT count(*) FROM consent.coverage AS c WHERE c.purpose = p.purpose) AS customers, \
         p.declared_by, p.declared_at FROM consent.purposes AS p ORDER BY p.purpose",
    ),
    (
        "receipts",
        "Receipts of erasures",
        "SELECT receipt_id, requested_at, completed_at, hash, signature, public_key \
         FROM gdpr.receipts ORDER BY completed_at",
    ),
    (
        "retention",
        "Rules of retention",
        "SELECT purpose, array_to_string(anchors, ', ') AS anchors, keep_for::text AS keep_for, \
         action, archive_for::text AS archive_for, source FROM gdpr.retention ORDER BY purpose",
    ),
    (
        "holds",
        "Legal holds",
        "SELECT hold_id, table_name, array_to_string(columns, ', ') AS columns, basis, held_until, \
         held_by, held_at FROM gdpr.holds ORDER BY hold_id",
    ),
    (
        "copies",
        "Copies elsewhere: published tables and backups",
        "SELECT kind, directory, table_name, made_by, made_at FROM gdpr.copies ORDER BY directory",
    ),
    (
        "openings",
        "To whom columns are open",
        "SELECT table_name, column_name, category, treatment, array_to_string(opened_to, ', ') AS opened_to, \
         array_to_string(opened_for, ', ') AS reasons FROM gdpr.columns \
         WHERE opened_to IS NOT NULL OR treatment = 'open' ORDER BY table_name, column_name",
    ),
];

/// How the page looks, also on paper.
const STYLE: &str = "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}\
     td,th{border:1px solid #999;padding:.2em .5em;text-align:left;vertical-align:top}\
     th{background:#eee}";

/// `gdpr.report(directory)`.
pub(super) async fn report(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.report")?;
    file_writer(session, "gdpr.report")?;
    let directory = text(&arguments, 0)
        .ok_or_else(|| Error::new("22004", "directory must not be null"))
        .map(PathBuf::from)?;
    if !directory.is_absolute() {
        return Err(Error::new("42602", "relative path not allowed")
            .with_hint("The path is one of the server's machine."));
    }
    let context = session.context().await?;
    let day = Utc::now().format("%Y-%m-%d");
    let title = format!("{}: personal data, {day}", session.database.name);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n\
         <style>{STYLE}</style></head>\n<body>\n<h1>{0}</h1>\n",
        escaped(&title)
    );
    let (mut paths, mut counts) = (Vec::new(), Vec::new());
    for (name, heading, query) in PARTS {
        let rows = select(session, &context, query).await?;
        table(&mut page, heading, &rows)?;
        let mut writer = CsvWriter::new().with_header(true).build(Vec::new());
        writer.write(&rows).map_err(Error::internal)?;
        let file = directory.join(format!("{day}-{name}.csv"));
        paths.push(write(&file, &writer.into_inner())?);
        counts.push(i64::try_from(rows.num_rows()).ok());
    }
    page.push_str("</body></html>\n");
    paths.push(write(&directory.join(format!("{day}-report.html")), page.as_bytes())?);
    counts.push(None);
    let columns = [
        ("file", texts(paths.iter().map(|one| Some(one.as_str())))),
        ("row_count", numbers(counts)),
    ];
    Ok(Some(RecordBatch::try_from_iter(columns).map_err(Error::internal)?))
}

fn table(page: &mut String, heading: &str, rows: &RecordBatch) -> Result<()> {
    let options = FormatOptions::default();
    let columns = rows.columns().iter().map(|array| ArrayFormatter::try_new(array, &options));
    let columns: Vec<ArrayFormatter<'_>> =
        columns.collect::<std::result::Result<_, _>>().map_err(Error::internal)?;
    // Writing to a string does not fail.
    let _ = write!(page, "<h2>{}</h2>\n<table>\n<tr>", escaped(heading));
    for field in rows.schema().fields() {
        let _ = write!(page, "<th>{}</th>", escaped(field.name()));
    }
    page.push_str("</tr>\n");
    if rows.num_rows() == 0 {
        let _ = writeln!(page, "<tr><td colspan=\"{}\">none</td></tr>", columns.len());
    }
    for row in 0..rows.num_rows() {
        page.push_str("<tr>");
        for column in &columns {
            let _ = write!(page, "<td>{}</td>", escaped(&column.value(row).to_string()));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n");
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn write(path: &Path, bytes: &[u8]) -> Result<String> {
    let directory = path.parent().unwrap_or(path);
    let written = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(path, bytes));
    let shown = path.display().to_string();
    match written {
        Ok(()) => Ok(shown),
        Err(error) => Err(Error::new("58030", format!("could not write \"{shown}\": {error}"))),
    }
}
