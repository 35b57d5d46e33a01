//! JSONL: one object a line, its keys are the columns. Objects and arrays within become `jsonb`.

use std::fs::File;
use std::io::{BufRead, BufReader};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::client::{Client, matched, quoted, write};
use super::infer::{Column, Kind, widen};
use super::{Job, csv, progress, text};

/// Rows are handed over in pieces of about this size.
const PIECE: usize = 1 << 20;

/// Loads a file.
///
/// # Errors
/// As [`super::run`]; a line that is no object, with its number.
pub async fn load(client: &mut Client, job: &Job) -> Result<String> {
    let keys = look(job)?;
    let names: Vec<String> = keys.iter().map(|(name, _)| name.clone()).collect();
    let columns = match client.columns(&job.table).await? {
        Some(table) => matched(&names, &table)?,
        None => {
            let columns: Vec<Column> =
                keys.iter().map(|(name, kind)| Column::of(name, *kind)).collect();
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
    let mut lines = Lines::open(job, "loading")?;
    let mut out = Vec::with_capacity(2 * PIECE);
    while let Some(mut object) = lines.next()? {
        for (index, name) in names.iter().enumerate() {
            let rendered = object.remove(name).and_then(render);
            text::value(&mut out, rendered.as_deref().map(str::as_bytes));
            text::end(&mut out, index + 1 == names.len());
        }
        if out.len() >= PIECE {
            write(copy.as_mut(), std::mem::take(&mut out).into()).await?;
        }
    }
    write(copy.as_mut(), out.into()).await?;
    client.finish(copy).await
}

/// All keys of the file in the order in which they first occur, with their types.
fn look(job: &Job) -> Result<Vec<(String, Option<Kind>)>> {
    let mut keys: Map<String, Value> = Map::new();
    let mut kinds: Vec<Option<Kind>> = Vec::new();
    let mut lines = Lines::open(job, "looking")?;
    while let Some(object) = lines.next()? {
        for (name, value) in object {
            let next = kinds.len();
            let index = keys.entry(name).or_insert_with(|| next.into()).as_u64();
            let index = index.and_then(|index| usize::try_from(index).ok()).unwrap_or(next);
            if index == next {
                kinds.push(None);
            }
            if let Some(kind) = kind(&value) {
                widen(&mut kinds[index], kind);
            }
        }
    }
    Ok(keys.into_iter().map(|(name, _)| name).zip(kinds).collect())
}

/// A string stays text unless it is a time: `"007"` was quoted for a reason.
fn kind(value: &Value) -> Option<Kind> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(Kind::Boolean),
        Value::Number(number) => Some(Kind::of(&number.to_string())),
        Value::Array(_) | Value::Object(_) => Some(Kind::Json),
        Value::String(text) => match Kind::of(text) {
            kind @ (Kind::Date | Kind::Timestamp | Kind::TimestampTz) => Some(kind),
            _ => Some(Kind::Text),
        },
    }
}

fn render(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Objects of a file, line by line.
struct Lines {
    reader: BufReader<File>,
    line: String,
    number: u64,
    bar: indicatif::ProgressBar,
}

impl Lines {
    fn open(job: &Job, what: &'static str) -> Result<Self> {
        let file =
            File::open(&job.file).with_context(|| format!("cannot read {}", job.file.display()))?;
        let bar = progress(file.metadata()?.len(), true, what);
        let reader = BufReader::with_capacity(PIECE, file);
        Ok(Self { reader, line: String::new(), number: 0, bar })
    }

    fn next(&mut self) -> Result<Option<Map<String, Value>>> {
        loop {
            self.line.clear();
            self.number += 1;
            let count = self.reader.read_line(&mut self.line)?;
            if count == 0 {
                self.bar.finish_and_clear();
                return Ok(None);
            }
            self.bar.inc(count as u64);
            if !self.line.trim().is_empty() {
                let object = serde_json::from_str(&self.line)
                    .with_context(|| format!("line {} is no JSON object", self.number))?;
                return Ok(Some(object));
            }
        }
    }
}
