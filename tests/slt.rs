//! Tests as data: `slt/**/*.slt` (sqllogictest), each run three ways: in process, over the simple
//! and over the extended protocol. Every run has a database of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};
use clientele_engine::{Engine, EngineOptions, Outcome, Session, Startup};
use clientele_udfs::output;
use datafusion::arrow::array::AsArray;
use futures::StreamExt;
use libtest_mimic::{Failed, Trial};
use sqllogictest::{DBOutput, DefaultColumnType, Runner};

use crate::client::{Client, ServerError};
use crate::server;

static NEXT: AtomicU32 = AtomicU32::new(1);

/// One trial for each file and way.
pub(crate) fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
        let name = name.trim_end_matches(".slt").to_owned();
        for way in [Way::InProcess, Way::Simple, Way::Extended] {
            // Roles belong to the server, which the ways over the wire share.
            if way != Way::InProcess && name.ends_with("/roles") {
                continue;
            }
            let file = file.clone();
            trials.push(Trial::test(format!("slt::{name}::{way:?}"), move || run(&file, way)));
        }
    }
    trials
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "slt") {
            files.push(path);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    InProcess,
    Simple,
    Extended,
}

fn run(file: &Path, way: Way) -> Result<(), Failed> {
    let accept = std::env::var_os("ACCEPT").is_some() && way == Way::Simple;
    let mut runner = Runner::new(|| async { Database::open(way).map_err(Failure) });
    if accept {
        let done = runner.update_test_file(
            file,
            " ",
            sqllogictest::default_validator,
            sqllogictest::default_normalizer,
            sqllogictest::default_column_validator,
        );
        let runtime = tokio::runtime::Runtime::new()?;
        return runtime.block_on(done).map_err(|error| Failed::from(error.to_string()));
    }
    runner.run_file(file).map_err(|error| Failed::from(error.display(false).to_string()))
}

/// What a statement failed with, in the form that `.slt` files match: `42P01: message`.
#[derive(Debug)]
struct Failure(anyhow::Error);

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Failure {}

enum Database {
    Wire(Client, Way),
    Own(Box<Own>),
}

struct Own {
    session: Session,
    runtime: tokio::runtime::Runtime,
    _directory: tempfile::TempDir,
}

impl Database {
    fn open(way: Way) -> Result<Self> {
        if way == Way::InProcess {
            return Own::open().map(|own| Self::Own(Box::new(own)));
        }
        let port = server::shared_port()?;
        let name = format!("slt_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Client::connect(port, "postgres")?.simple(&format!("CREATE DATABASE {name}"))?;
        Ok(Self::Wire(Client::connect(port, &name)?, way))
    }

    fn ask(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>> {
        match self {
            Self::Own(own) => own.ask(sql),
            Self::Wire(client, way) => {
                let answer = match way {
                    Way::Extended => client.extended(sql)?,
                    _ => client.simple(sql)?,
                };
                if answer.columns == 0 {
                    return Ok(DBOutput::StatementComplete(affected(&answer.tag)));
                }
                let types = vec![DefaultColumnType::Any; answer.columns];
                let rows = answer.rows.into_iter().map(|row| row.into_iter().map(shown).collect());
                Ok(DBOutput::Rows { types, rows: rows.collect() })
            }
        }
    }
}

/// A value as `.slt` files write it.
fn shown(value: Option<String>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(text) if text.is_empty() => "(empty)".to_owned(),
        Some(text) => text,
    }
}

fn affected(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
}

impl sqllogictest::DB for Database {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        self.ask(sql).map_err(Failure)
    }

    fn engine_name(&self) -> &str {
        "clientele"
    }
}

impl Own {
    fn open() -> Result<Self> {
        let directory = tempfile::TempDir::new()?;
        let data_dir = directory.path().join("data");
        Engine::create(&data_dir, server::PASSWORD)?;
        let engine = Engine::open(EngineOptions { data_dir, ..EngineOptions::default() })?;
        let session = engine.connect(Startup {
            role: "admin".to_owned(),
            database: "postgres".to_owned(),
            ..Startup::default()
        })?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { session, runtime, _directory: directory })
    }

    fn ask(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>> {
        let session = &mut self.session;
        let answer = self.runtime.block_on(async {
            let answer = ask(session, sql).await;
            let ended = session.sync().await.map_err(anyhow::Error::from);
            session.take_notices();
            answer.and_then(|answer| ended.map(|()| answer))
        });
        answer.map_err(|error| match error.downcast_ref::<clientele_engine::Error>() {
            Some(own) => {
                ServerError { sqlstate: own.sqlstate.to_owned(), message: own.message.clone() }
                    .into()
            }
            None => error,
        })
    }
}

async fn ask(session: &mut Session, sql: &str) -> Result<DBOutput<DefaultColumnType>> {
    let mut last = DBOutput::StatementComplete(0);
    for statement in session.parse(sql).await? {
        let prepared = session.prepare(statement, &[]).await?;
        last = match session.execute(&prepared, Vec::new()).await? {
            Outcome::Empty => DBOutput::StatementComplete(0),
            Outcome::Done(tag) => DBOutput::StatementComplete(affected(&tag)),
            Outcome::Rows(rows) => {
                let style = session.output_style();
                let types = vec![DefaultColumnType::Any; rows.columns.len()];
                let mut texts = Vec::new();
                let mut stream = rows.stream;
                while let Some(batch) = stream.next().await {
                    let batch = batch?;
                    let columns: Vec<_> = batch
                        .columns()
                        .iter()
                        .zip(&rows.columns)
                        .map(|(array, column)| output::to_text_array(array, column.pg_type, &style))
                        .collect::<Result<_, _>>()?;
                    for row in 0..batch.num_rows() {
                        let value = |array: &datafusion::arrow::array::ArrayRef| {
                            let array = array.as_string_view();
                            let null = datafusion::arrow::array::Array::is_null(array, row);
                            shown((!null).then(|| array.value(row).to_owned()))
                        };
                        texts.push(columns.iter().map(value).collect());
                    }
                }
                match types.is_empty() {
                    true => DBOutput::StatementComplete(texts.len() as u64),
                    false => DBOutput::Rows { types, rows: texts },
                }
            }
            Outcome::CopyIn(_) | Outcome::CopyOut { .. } => bail!("COPY is not for .slt files"),
        };
    }
    Ok(last)
}
