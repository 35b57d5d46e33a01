//! `clientele restore DIR`: a backup as the data directory.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{ArgMatches, Command};
use indicatif::ProgressBar;

use super::backup::{directory_argument, is_free};
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
/// No backup there, a data directory that is not empty, files that cannot be copied.
pub fn run(settings: &Settings, arguments: &ArgMatches) -> Result<ExitCode> {
    let backup = arguments.get_one::<PathBuf>("directory").context("a directory is needed")?;
    let target = &settings.data_dir;
    ensure!(backup.join("VERSION").is_file(), "{} holds no backup", backup.display());
    ensure!(is_free(target)?, "data directory {} is not empty", target.display());
    let bar = progress(size(backup)?, true, "copying");
    copy(backup, target, &bar)
        .with_context(|| format!("cannot copy {} to {}", backup.display(), target.display()))?;
    bar.finish_and_clear();
    check::run(settings, arguments)
}

/// Copies a directory. `VERSION` comes last: without it a copy that was interrupted is not taken
/// for a data directory.
fn copy(from: &Path, to: &Path, bar: &ProgressBar) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    let mut entries = std::fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| entry.file_name() == "VERSION");
    for entry in entries {
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, bar)?;
        } else {
            bar.inc(std::fs::copy(entry.path(), &target)?);
            File::open(&target)?.sync_all()?;
        }
    }
    File::open(to)?.sync_all()
}

fn size(directory: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => size(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
