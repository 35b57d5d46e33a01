//! `clientele init`: makes the data directory and prints the first password.

use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Command};

use super::{password, print};
use crate::settings::Settings;

/// Its arguments.
pub fn command() -> Command {
    Command::new("init").about("Make a new data directory and print the admin's first password")
}

/// Runs it.
///
/// # Errors
/// The directory is not empty or cannot be made.
pub fn run(settings: &Settings, _: &ArgMatches) -> Result<ExitCode> {
    let directory = settings.data_dir.display();
    let Some(password) = password::prepare(settings)? else {
        anyhow::bail!("data directory {directory} is not empty");
    };
    print(&format!("data directory: {directory}\nrole:           admin"));
    match password.file {
        Some(file) => {
            print(&format!("password:       {}", password.text));
            print(&format!("kept in:        {}", file.display()));
        }
        None => print(&format!("password:       as {} says", password::VARIABLE)),
    }
    Ok(ExitCode::SUCCESS)
}
