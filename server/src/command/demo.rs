//! `clientele demo`: a brand with data to try, served.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command};

use super::{password, print, serve, tell};
use crate::demo::QUERIES;
use crate::demo::load::{self, DATABASE, Recipe};
use crate::listener::Server;
use crate::settings::Settings;

/// Its arguments.
pub fn command() -> Command {
    Command::new("demo")
        .about("Serve a brand called demo, made with data to try")
        .after_help(
            "Where the data directory has a database demo already, it is served as it is.\n\
             The same scale and seed give the same data on every machine and on every day.",
        )
        .arg(number("scale", "1", 1..=100).help("How many times 50 000 people"))
        .arg(number("seed", "42", 0..=u64::MAX >> 1).help("Another seed gives other people"))
}

fn number(name: &'static str, default: &'static str, range: std::ops::RangeInclusive<u64>) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("NUMBER")
        .default_value(default)
        .value_parser(clap::value_parser!(u64).range(range))
}

/// Runs it.
///
/// # Errors
/// As [`serve::run`]; data that cannot be written.
pub fn run(settings: &Settings, arguments: &ArgMatches) -> Result<ExitCode> {
    let number = |name: &str| arguments.get_one::<u64>(name).copied().unwrap_or(1);
    let recipe = Recipe { scale: number("scale"), seed: number("seed") };
    let engine = serve::open(settings)?;
    let welcome = |_: &Server| welcome(settings);
    serve::runtime(settings)?.block_on(async {
        if !load::prepare(&engine, recipe).await? {
            tell(&format!("database {DATABASE} is there already: it is served as it is"));
        }
        serve::serve(settings, engine, &welcome).await
    })?;
    Ok(ExitCode::SUCCESS)
}

fn welcome(settings: &Settings) {
    let (host, port) = (settings.listen.ip(), settings.listen.port());
    let file = settings.data_dir.join(password::FILE);
    let password = match file.is_file() {
        true => format!("PGPASSWORD=$(cat {}) ", file.display()),
        false => String::new(),
    };
    print(&format!(
        "\nConnect with:\n\n  {password}psql -h {host} -p {port} -U admin {DATABASE}\n"
    ));
    print("Worth trying, beside \\dn+, \\d+ shop.orders and \\dDS:\n");
    QUERIES.iter().for_each(|query| print(query));
}
