//! The command line: one file for each subcommand.
//!
//! ```text
//! clientele demo                      a brand with data to try, served
//! clientele serve --listen 127.0.0.1:5430
//! clientele import orders.csv shop.orders --database acme
//! clientele check
//! ```

pub mod backup;
pub mod check;
pub mod demo;
pub mod import;
pub mod init;
pub mod password;
pub mod restore;
pub mod serve;
pub mod verify_receipt;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Command};

use crate::logging;
use crate::settings::{self, Settings};

/// A subcommand: its arguments and what it does.
struct Subcommand {
    command: fn() -> Command,
    run: fn(&Settings, &ArgMatches) -> Result<ExitCode>,
}

const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand { command: serve::command, run: serve::run },
    Subcommand { command: demo::command, run: demo::run },
    Subcommand { command: init::command, run: init::run },
    Subcommand { command: import::command, run: import::run },
    Subcommand { command: check::command, run: check::run },
    Subcommand { command: backup::command, run: backup::run },
    Subcommand { command: restore::command, run: restore::run },
    Subcommand { command: verify_receipt::command, run: verify_receipt::run },
];

fn command_line() -> Command {
    let subcommands = SUBCOMMANDS
        .iter()
        .map(|subcommand| (subcommand.command)().args(settings::arguments()).next_line_help(false));
    Command::new("clientele")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A customer data engine that you query with SQL")
        .after_help("Every setting is a flag, an environment variable CLIENTELE_… and a key of clientele.toml.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(subcommands)
}

/// Runs the command line and returns the exit code of the process: 0 done, 1 failed, 2 misused.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command_line().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are "errors" of clap that go to standard output. A closed pipe
            // leaves nobody to tell.
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(&matches) {
        Ok(code) => code,
        Err(error) => {
            tell(&format!("clientele: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(matches: &ArgMatches) -> Result<ExitCode> {
    let Some((name, arguments)) = matches.subcommand() else {
        anyhow::bail!("a subcommand is needed");
    };
    let settings = Settings::resolve(arguments)?;
    logging::start(&settings.log)?;
    let known = SUBCOMMANDS.iter().find(|subcommand| (subcommand.command)().get_name() == name);
    match known {
        Some(subcommand) => (subcommand.run)(&settings, arguments),
        None => anyhow::bail!("unknown subcommand \"{name}\""),
    }
}

/// Writes a line to standard error, where messages for people go.
pub(crate) fn tell(line: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "{line}").ok();
}

/// Writes a line to standard output, where results go.
pub(crate) fn print(line: &str) {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}").ok();
}
