//! The `clientele` binary. Everything it does is a subcommand, see [`clientele_server::command`].

use std::process::ExitCode;

fn main() -> ExitCode {
    clientele_server::command::run(std::env::args_os())
}
