//! What an operator does: backups, checks, publishing, upkeep.

mod backup;
mod damage;
mod definitions;
mod delta;
mod full_disk;
mod golden;
mod indexes;
mod memory;
mod moving_rows;
mod progress;
mod upkeep;

use std::path::Path;
use std::process::{Command, Output};

use anyhow::Result;
use libtest_mimic::{Failed, Trial};

type Test = fn() -> Result<()>;

const TESTS: [(&str, Test); 12] = [
    ("backup_while_serving", backup::while_serving),
    ("check_finds_damage", damage::is_found),
    ("definitions_wait", definitions::wait),
    ("publish_delta", delta::published),
    ("full_disk", full_disk::is_told),
    ("lost_directory", full_disk::directory_is_lost),
    ("golden_values", golden::is_kept),
    ("indexes", indexes::answer_as_scans),
    ("memory", memory::is_bounded),
    ("moving_rows", moving_rows::are_found),
    ("maintenance_statements", upkeep::statements),
    ("progress", progress::is_seen),
];

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, test): (&str, Test)| {
        let run = move || test().map_err(|error| Failed::from(format!("{error:#}")));
        Trial::test(format!("operations::{name}"), run)
    };
    TESTS.into_iter().map(trial).collect()
}

/// Runs a command of `clientele` on a data directory.
fn clientele(arguments: &[&str], data: &Path) -> Result<Output> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--as-server").args(arguments).arg("--data-dir").arg(data);
    Ok(command.output()?)
}

fn shown(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}
