//! Erasure: people who are planted in every table and feature, erased while others write, are found
//! nowhere in the data directory, by a reader that knows nothing of the engine; nobody else changes;
//! a server that is killed on the way comes to the same end; an import brings nobody back.
//!
//! `CLIENTELE_RESIDUE_PEOPLE` and `CLIENTELE_RESIDUE_KILLS` set how many people and kills.

mod definitions;
mod features;
mod kills;
mod late;
mod people;
mod residue;
mod restore;
mod search;

use anyhow::Result;
use libtest_mimic::{Failed, Trial};

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, run: fn() -> Result<()>| {
        Trial::test(format!("erasure::{name}"), move || {
            run().map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    vec![
        trial("nothing_is_left", residue::nothing_is_left),
        trial("definitions_are_told", definitions::are_told),
        trial("a_backup_is_cleaned", restore::a_backup_is_cleaned),
        trial("late_writers_are_refused", late::writers_are_refused),
        trial("a_killed_purge_comes_to_its_end", kills::same_end),
    ]
}

/// A number of the environment.
fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
