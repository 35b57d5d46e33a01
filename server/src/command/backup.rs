//! `clientele backup DIR`: one instant of all databases as a data directory of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command};
use clientele_catalog::backup::is_free;

use super::import::client::Client;
use super::{print, serve};
use crate::settings::Settings;

/// Its arguments.
pub fn command() -> Command {
    Command::new("backup")
        .about("Write a consistent copy of the data directory")
        .after_help(
            "While a server has the data directory open, let it do the same:\n\
             psql -c \"CALL clientele.backup('/path/to/backup')\"",
        )
        .arg(directory_argument("Directory of the backup; must not exist or be empty"))
}

/// The argument `DIR`.
pub fn directory_argument(help: &'static str) -> Arg {
    let parser = clap::value_parser!(PathBuf);
    Arg::new("directory").value_name("DIR").required(true).value_parser(parser).help(help)
}

/// Runs it.
///
/// # Errors
/// A directory in use, a backup that cannot be written.
pub fn run(settings: &Settings, arguments: &ArgMatches) -> Result<ExitCode> {
    let target = arguments.get_one::<PathBuf>("directory").context("a directory is needed")?;
    let target = std::path::absolute(target)?;
    anyhow::ensure!(is_free(&target)?, "{} is not empty", target.display());
    let engine = serve::open_existing(settings).context(
        "a data directory that is being served is backed up by its server: \
         CALL clientele.backup('DIR')",
    )?;
    serve::runtime(settings)?.block_on(async {
        let path = target.display().to_string().replace('\'', "''");
        let mut client = Client::connect(&engine, "postgres")?;
        let done = client.run(&format!("CALL clientele.backup('{path}')")).await;
        drop(client);
        let closed = engine.shutdown().await.context("cannot close the data directory");
        done.and(closed)
    })?;
    print(&format!("backup: {}", target.display()));
    Ok(ExitCode::SUCCESS)
}
