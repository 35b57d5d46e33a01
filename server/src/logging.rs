//! Log lines on standard error. They never carry literals of a user's SQL or personal data.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

/// Starts logging with a filter such as `info` or `info,clientele_server=debug`.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter).context("setting \"log\" is no filter")?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    let lines = lines.with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first.
    lines.try_init().ok();
    watch_panics();
    Ok(())
}

/// Logs where a panic happened, not what it says: that could quote a user's data.
fn watch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "internal error");
    }));
}
