//! `clientele backup`.
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Command};

use crate::settings::Settings;

/// Its arguments.
pub fn command() -> Command {
    Command::new("backup")
}

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_: &Settings, _: &ArgMatches) -> Result<ExitCode> {
    anyhow::bail!("not yet")
}
