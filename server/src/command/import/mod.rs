//! `clientele import FILE TABLE`: a CSV, JSONL or Parquet file into a table of a data directory
//! that no server has open.
//!
//! ```text
//! CSV            ─▶ the file's bytes as they are ──┐
//! JSONL, Parquet ─▶ rows as COPY's text format ────┴▶ COPY … FROM STDIN ─▶ one transaction
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`client`] | a session in this process |
//! | [`infer`] | types of the columns of a table that does not exist yet |
//! | [`csv`], [`jsonl`], [`parquet`] | the formats |
//! | [`text`] | rows as COPY's text format |

pub mod client;
pub mod csv;
pub mod infer;
pub mod jsonl;
pub mod parquet;
pub mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use clientele_engine::Engine;
use indicatif::{ProgressBar, ProgressStyle};

use super::{serve, tell};
use crate::settings::Settings;
use client::Client;

/// Its arguments.
pub fn command() -> Command {
    Command::new("import")
        .about("Load a CSV, JSONL or Parquet file into a table")
        .after_help(
            "A table that does not exist is made, with types inferred from the whole file.\n\
             While a server has the data directory open, load through it instead:\n\
             psql -c \"\\copy shop.orders FROM 'orders.csv' CSV HEADER\"",
        )
        .arg(file_argument())
        .arg(Arg::new("table").value_name("TABLE").required(true).help("Table, with its schema"))
        .arg(
            Arg::new("database")
                .long("database")
                .value_name("NAME")
                .required(true)
                .help("Database (brand) of the table"),
        )
        .arg(
            Arg::new("skip_rejects").long("skip-rejects").action(ArgAction::SetTrue).help(
                "Leave out rows that the table refuses, and report them; else nothing is loaded",
            ),
        )
}

fn file_argument() -> Arg {
    Arg::new("file")
        .value_name("FILE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help("File ending in .csv, .tsv, .jsonl, .ndjson or .parquet")
}

/// What is to be loaded, and how.
pub struct Job {
    /// The file.
    pub file: PathBuf,
    /// The table as SQL writes it.
    pub table: String,
    /// Whether refused rows are left out.
    pub skip_rejects: bool,
}

/// Runs it.
///
/// # Errors
/// A directory in use, a file that cannot be read, rows that the table refuses.
pub fn run(settings: &Settings, arguments: &ArgMatches) -> Result<ExitCode> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let job = Job {
        file: arguments.get_one::<PathBuf>("file").cloned().unwrap_or_default(),
        table: text("table"),
        skip_rejects: arguments.get_flag("skip_rejects"),
    };
    anyhow::ensure!(job.file.is_file(), "no such file: {}", job.file.display());
    let engine = serve::open(settings).context(
        "a data directory that is being served is loaded through its server, \
         with psql's \\copy",
    )?;
    let database = text("database");
    let done = serve::runtime(settings)?.block_on(async {
        let loaded = load(&engine, &database, &job).await;
        let closed = engine.shutdown().await.context("cannot close the data directory");
        loaded.and_then(|tag| closed.map(|()| tag))
    })?;
    tell(&format!("{}: {done}", job.table));
    Ok(ExitCode::SUCCESS)
}

async fn load(engine: &Arc<Engine>, database: &str, job: &Job) -> Result<String> {
    let mut client = Client::connect(engine, database)?;
    match extension(&job.file).as_str() {
        "csv" => csv::load(&mut client, job, b',').await,
        "tsv" => csv::load(&mut client, job, b'\t').await,
        "jsonl" | "ndjson" => jsonl::load(&mut client, job).await,
        "parquet" => parquet::load(&mut client, job).await,
        other => bail!("unknown kind of file \"{other}\": csv, tsv, jsonl or parquet is needed"),
    }
}

fn extension(file: &Path) -> String {
    file.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// A bar on standard error, in bytes or in rows.
pub(crate) fn progress(length: u64, unit_is_bytes: bool, what: &'static str) -> ProgressBar {
    let template = match unit_is_bytes {
        true => "{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        false => "{msg} {bar:40} {human_pos}/{human_len} rows {per_sec} {eta}",
    };
    // The template is a constant; a bar without it still counts.
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_message(what)
}
