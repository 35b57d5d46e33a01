//! Parquet: types come from the file, rows go to COPY as text.

use std::fs::File;

use anyhow::{Context, Result};
use clientele_engine::PgType;
use clientele_udfs::output::{Formatter, Style};
use datafusion::arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::client::{Client, matched, quoted, write};
use super::infer::{Column, column_name};
use super::{Job, csv, progress, text};

/// Loads a file.
///
/// # Errors
/// As [`super::run`].
pub async fn load(client: &mut Client, job: &Job) -> Result<String> {
    let file =
        File::open(&job.file).with_context(|| format!("cannot read {}", job.file.display()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .with_context(|| format!("{} is no Parquet file", job.file.display()))?;
    let fields: Vec<(String, PgType)> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), PgType::from_field(field)))
        .collect();
    let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    let columns = match client.columns(&job.table).await? {
        Some(table) => matched(&names, &table)?,
        None => {
            let columns = fields.iter().map(|(name, pg_type)| Column {
                name: column_name(name),
                sql_type: pg_type.sql_name(),
            });
            let columns: Vec<Column> = columns.collect();
            client.create(&job.table, &columns).await?;
            columns.into_iter().map(|column| column.name).collect()
        }
    };
    let list: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    let sql = format!(
        "COPY {} ({}) FROM STDIN (FORMAT text{})",
        job.table,
        list.join(", "),
        csv::rejects(job)
    );
    let mut copy = client.copy(&sql).await?;
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let bar = progress(rows, false, "loading");
    for batch in builder.build()? {
        let batch = batch?;
        bar.inc(batch.num_rows() as u64);
        write(copy.as_mut(), rendered(&batch, &fields)?.into()).await?;
    }
    bar.finish_and_clear();
    client.finish(copy).await
}

/// Rows as COPY's text format.
///
/// # Errors
/// A type that has no text.
pub fn rendered(batch: &RecordBatch, fields: &[(String, PgType)]) -> Result<Vec<u8>> {
    let style = Style::default();
    let columns = batch.columns().iter().zip(fields);
    let formatters = columns
        .map(|(array, (_, pg_type))| Formatter::for_array(*pg_type, array, &style))
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::new();
    let mut value = Vec::new();
    for row in 0..batch.num_rows() {
        for (index, formatter) in formatters.iter().enumerate() {
            value.clear();
            let present = formatter.write(row, &mut value);
            text::value(&mut out, present.then_some(value.as_slice()));
            text::end(&mut out, index + 1 == formatters.len());
        }
    }
    Ok(out)
}
