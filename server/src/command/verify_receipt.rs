//! `clientele verify-receipt [FILE]`: checks receipts of erasures without a server.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgMatches, Command, value_parser};
use clientele_catalog::cluster::Cluster;
use clientele_catalog::storage::StoreOptions;
use clientele_engine::gdpr::check_all;
use clientele_engine::gdpr::receipt::{Flaw, Receipt};

use super::print;
use crate::settings::Settings;

/// Its arguments.
pub fn command() -> Command {
    Command::new("verify-receipt")
        .about("Verify receipts of erasures: one in a file, or all of a data directory")
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("A row of gdpr.receipts as JSON"),
        )
        .arg(
            Arg::new("public_key")
                .long("public-key")
                .value_name("KEY")
                .help("The brand's key, in hexadecimal: the receipt must be signed with it"),
        )
        .after_help("Exits with 1 when a receipt is not what was signed.")
}

/// Runs it.
///
/// # Errors
/// The file is no receipt; no data directory, or one that a server has open.
pub fn run(settings: &Settings, arguments: &ArgMatches) -> Result<ExitCode> {
    let key = arguments.get_one::<String>("public_key");
    let is_valid = match arguments.get_one::<PathBuf>("file") {
        Some(file) => {
            let shown = file.display();
            let text = std::fs::read_to_string(file).with_context(|| format!("reading {shown}"))?;
            let receipt =
                Receipt::from_json(&text).with_context(|| format!("{shown} is no receipt"))?;
            let is_other = key.is_some_and(|key| *key != receipt.public_key);
            let checked = match (is_other, Receipt::shows_the_document(&text)) {
                (true, _) => Err(Flaw::Key),
                (false, false) => Err(Flaw::Shown),
                (false, true) => receipt.check(),
            };
            show(&shown.to_string(), checked)
        }
        None => all(settings)?,
    };
    Ok(if is_valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn all(settings: &Settings) -> Result<bool> {
    let directory = &settings.data_dir;
    ensure!(directory.join("VERSION").exists(), "{} is no data directory", directory.display());
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let cluster = Cluster::open(directory, options)
        .with_context(|| format!("cannot open data directory {}", directory.display()))?;
    let mut is_valid = true;
    for database in cluster.databases() {
        let store = cluster.store(database.oid)?;
        for (id, checked) in check_all(&store)? {
            is_valid &= show(&format!("{}: receipt {id}", database.name), checked);
        }
    }
    Ok(is_valid)
}

fn show(name: &str, checked: Result<(), Flaw>) -> bool {
    match checked {
        Ok(()) => print(&format!("{name}: valid")),
        Err(flaw) => print(&format!("{name}: INVALID: {flaw}")),
    }
    checked.is_ok()
}
