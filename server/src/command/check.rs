//! `clientele check`: reads every file, log record and definition of a data directory.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{ArgMatches, Command};
use clientele_catalog::cluster::Cluster;
use clientele_catalog::storage::{CheckReport, Store, StoreOptions};

use super::print;
use crate::settings::Settings;

/// Its arguments.
pub fn command() -> Command {
    Command::new("check")
        .about("Verify every file, log record and definition of a data directory")
        .after_help(
            "Exits with 1 when something is damaged. No server may have the directory open.",
        )
}

/// Runs it.
///
/// # Errors
/// No data directory, or one that a server has open.
pub fn run(settings: &Settings, _: &ArgMatches) -> Result<ExitCode> {
    let directory = &settings.data_dir;
    ensure!(directory.join("VERSION").exists(), "{} is no data directory", directory.display());
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let cluster = Cluster::check(directory)
        .and_then(|()| Cluster::open(directory, options))
        .with_context(|| format!("cannot open data directory {}", directory.display()))?;
    let mut is_whole = true;
    for database in cluster.databases() {
        let report = Store::check(&cluster.database_directory(database.oid))
            .with_context(|| format!("cannot read database \"{}\"", database.name))?;
        is_whole &= report.problems.is_empty();
        show(&database.name, &report);
    }
    print(if is_whole { "nothing is damaged" } else { "DAMAGED" });
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(database: &str, report: &CheckReport) {
    let CheckReport { files, rows, log_records, problems, warnings } = report;
    print(&format!("{database}: {rows} rows, {files} files, {log_records} log records"));
    problems.iter().for_each(|problem| print(&format!("  damage: {problem}")));
    warnings.iter().for_each(|warning| print(&format!("  odd: {warning}")));
}
