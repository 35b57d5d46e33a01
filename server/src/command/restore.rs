//! `clientele restore DIR`: a backup as the data directory.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{ArgMatches, Command};
use clientele_catalog::backup::{Backup, is_free};

use super::backup::directory_argument;
use super::check;
use super::import::progress;
use crate::settings::Settings;

/// Its arguments.
pub fn command() -> Command {
    Command::new("restore")
        .about("Make the data directory from a backup, then verify it")
        .arg(directory_argument("Directory of the backup"))
}

/// Runs it.
///
/// # Errors
/// No whole backup there, a damaged one, a data directory that is not empty.
pub fn run(settings: &Settings, arguments: &ArgMatches) -> Result<ExitCode> {
    let directory = arguments.get_one::<PathBuf>("directory").context("a directory is needed")?;
    let target = &settings.data_dir;
    ensure!(is_free(target)?, "data directory {} is not empty", target.display());
    let refused = || format!("cannot restore {}", directory.display());
    let backup = Backup::open(directory).with_context(refused)?;
    let bar = progress(backup.size().bytes, true, "copying");
    backup.restore(target, &mut |bytes| bar.inc(bytes)).with_context(refused)?;
    bar.finish_and_clear();
    check::run(settings, arguments)
}
