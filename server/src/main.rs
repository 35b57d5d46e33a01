//! The `clientele` binary. Everything it does is a subcommand, see [`clientele_server::command`].

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Aggregates and joins allocate much, on many threads at once.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    clientele_server::command::run(std::env::args_os())
}
