//! `clientele demo`: a brand with data to try, served.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command};

use super::{print, serve};
use crate::listener::Server;
use crate::settings::Settings;

/// Its arguments.
pub fn command() -> Command {
    Command::new("demo").about("Serve a brand called demo, made with data to try").arg(
        Arg::new("scale")
            .long("scale")
            .value_name("NUMBER")
            .default_value("1")
            .value_parser(clap::value_parser!(u32).range(1..=100))
            .help("How many times 50 000 people; for a new data directory"),
    )
}

/// Runs it.
///
/// # Errors
/// As [`serve::run`].
pub fn run(settings: &Settings, _: &ArgMatches) -> Result<ExitCode> {
    let engine = serve::open(settings)?;
    let welcome = |_: &Server| welcome(settings);
    serve::runtime(settings)?.block_on(serve::serve(settings, engine, &welcome))?;
    Ok(ExitCode::SUCCESS)
}

fn welcome(settings: &Settings) {
    let (host, port) = (settings.listen.ip(), settings.listen.port());
    print(&format!("connect with:  psql -h {host} -p {port} -U admin demo"));
}
