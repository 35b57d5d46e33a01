//! Every integration test, as one binary: DataFusion is linked once.
//!
//! `cargo test -- NAME` runs those whose name has NAME in it. `ACCEPT=1 cargo test -- slt` writes
//! the answers into the `.slt` files. The binary is its own server: started with `--as-server` it
//! is `clientele`, so that the server under test is a process that can be killed.

#![expect(clippy::print_stdout, reason = "counts are a part of what tests say")]

mod client;
mod clients;
mod crash;
mod erasure;
mod foreign_keys;
mod foreign_tables;
mod identity;
mod leaks;
mod operations;
mod rights;
mod segments;
mod server;
mod slt;
mod tidy;
mod tour;
mod transcripts;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    if let (Some(program), Some(first)) = (arguments.next(), arguments.next())
        && first == "--as-server"
    {
        return clientele_server::command::run(std::iter::once(program).chain(arguments));
    }
    let arguments = Arguments::from_args();
    let trials: Vec<Trial> = [
        slt::trials(),
        rights::trials(),
        leaks::trials(),
        foreign_keys::trials(),
        foreign_tables::trials(),
        identity::trials(),
        segments::trials(),
        tour::trials(),
        transcripts::trials(),
        clients::trials(),
        crash::trials(),
        erasure::trials(),
        operations::trials(),
        tidy::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    server::stop_shared();
    conclusion.exit_code()
}
