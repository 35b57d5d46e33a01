//! CSV and TSV: the file's bytes go to COPY as they are.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result, ensure};
use bytes::{Bytes, BytesMut};

use super::client::{Client, matched, quoted, write};
use super::infer::{Column, Kind, widen};
use super::{Job, progress};

/// The file is handed over in pieces of this size.
const PIECE: usize = 1 << 20;

/// Loads a file whose first line names the columns.
///
/// # Errors
/// As [`super::run`].
pub async fn load(client: &mut Client, job: &Job, delimiter: u8) -> Result<String> {
    let header = read_header(job, delimiter)?;
    let columns = match client.columns(&job.table).await? {
        Some(table) => matched(&header, &table)?,
        None => {
            let columns = infer(job, delimiter, &header)?;
            client.create(&job.table, &columns).await?;
            columns.into_iter().map(|column| column.name).collect()
        }
    };
    let list: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    let sql = format!(
        "COPY {} ({}) FROM STDIN (FORMAT csv, HEADER, DELIMITER '{}'{})",
        job.table,
        list.join(", "),
        char::from(delimiter),
        rejects(job)
    );
    let mut copy = client.copy(&sql).await?;
    let mut file = File::open(&job.file)?;
    let bar = progress(file.metadata()?.len(), true, "loading");
    loop {
        let piece = read_piece(&mut file).context("cannot read the file")?;
        if piece.is_empty() {
            break;
        }
        bar.inc(piece.len() as u64);
        write(copy.as_mut(), piece).await?;
    }
    bar.finish_and_clear();
    client.finish(copy).await
}

/// Options of COPY for rows that the table refuses.
pub fn rejects(job: &Job) -> &'static str {
    match job.skip_rejects {
        true => ", ON_ERROR ignore, LOG_VERBOSITY verbose",
        false => "",
    }
}

fn read_piece(file: &mut File) -> std::io::Result<Bytes> {
    let mut piece = BytesMut::zeroed(PIECE);
    let count = file.read(&mut piece)?;
    piece.truncate(count);
    Ok(piece.freeze())
}

fn reader(job: &Job, delimiter: u8) -> Result<csv::Reader<File>> {
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(delimiter).flexible(true);
    builder.from_path(&job.file).with_context(|| format!("cannot read {}", job.file.display()))
}

fn read_header(job: &Job, delimiter: u8) -> Result<Vec<String>> {
    let mut reader = reader(job, delimiter)?;
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    ensure!(!header.is_empty(), "{} has no header line", job.file.display());
    Ok(header)
}

fn infer(job: &Job, delimiter: u8, header: &[String]) -> Result<Vec<Column>> {
    let mut reader = reader(job, delimiter)?;
    let bar = progress(std::fs::metadata(&job.file)?.len(), true, "looking");
    let mut kinds: Vec<Option<Kind>> = vec![None; header.len()];
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        for (known, value) in kinds.iter_mut().zip(&record) {
            if !value.is_empty() && *known != Some(Kind::Text) {
                widen(known, Kind::of(value));
            }
        }
        bar.set_position(record.position().map_or(0, csv::Position::byte));
    }
    bar.finish_and_clear();
    let columns = header.iter().zip(kinds);
    Ok(columns.map(|(name, kind)| Column::of(name, kind)).collect())
}
