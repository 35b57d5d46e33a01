//! `clientele serve`: the server, from its start to its orderly end.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{ArgMatches, Command};
use clientele_catalog::storage::StoreOptions;
use clientele_engine::{Engine, EngineOptions};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{password, tell};
use crate::hba::Rules;
use crate::http;
use crate::listener::{self, Server};
use crate::settings::Settings;
use crate::tls::Tls;

/// Its arguments.
pub fn command() -> Command {
    Command::new("serve").about("Serve a data directory; it is made where there is none").after_help(
        "SIGTERM and SIGINT let running statements finish and stop; a second signal stops at once.",
    )
}

/// Runs it.
///
/// # Errors
/// A data directory in use or damaged, addresses in use, unreadable certificates.
pub fn run(settings: &Settings, _: &ArgMatches) -> Result<ExitCode> {
    let engine = open(settings)?;
    runtime(settings)?.block_on(serve(settings, engine, &|_| ()))?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the data directory; makes it first where there is none, and says where its password is.
///
/// # Errors
/// A directory in use, damaged, or not one of ours.
pub fn open(settings: &Settings) -> Result<Arc<Engine>> {
    if let Some(password) = password::prepare(settings)? {
        let place = match &password.file {
            Some(file) => format!("the password of role admin is in {}", file.display()),
            None => format!("the password of role admin is that of {}", password::VARIABLE),
        };
        tell(&format!("made data directory {}; {place}", settings.data_dir.display()));
    }
    open_existing(settings)
}

/// Opens a data directory that is there.
///
/// # Errors
/// As [`open`].
pub fn open_existing(settings: &Settings) -> Result<Arc<Engine>> {
    Engine::open(engine_options(settings))
        .with_context(|| format!("cannot open data directory {}", settings.data_dir.display()))
}

/// The engine's part of the settings.
fn engine_options(settings: &Settings) -> EngineOptions {
    EngineOptions {
        data_dir: settings.data_dir.clone(),
        memory_bytes: settings.memory_bytes,
        cpu_threads: settings.cpu_threads,
        connections_max: settings.connections_max,
        purge_after: settings.purge_after,
        store: StoreOptions {
            row_cache_bytes: cache_bytes(settings.memory_bytes),
            value_index_bytes: cache_bytes(settings.memory_bytes),
            memory_part_bytes: usize::try_from(settings.flush_bytes).unwrap_or(usize::MAX),
            flush_after_s: settings.flush_interval.as_secs().max(1),
            file_rows: settings.file_rows,
            ..StoreOptions::default()
        },
    }
}

/// The runtime for network and timers; plans run on the engine's.
///
/// # Errors
/// The system gives no threads.
pub fn runtime(settings: &Settings) -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.io_threads)
        .thread_name("clientele-io")
        .enable_all()
        .build()
        .context("cannot start threads")
}

/// Serves until a signal, then drains. `ready` is called once clients can connect.
///
/// # Errors
/// As [`run`].
pub async fn serve(
    settings: &Settings,
    engine: Arc<Engine>,
    ready: &(dyn Fn(&Server) + Sync),
) -> Result<()> {
    let tls = match (&settings.tls_cert, &settings.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::load(certificate, key)?),
        _ => None,
    };
    let mut signals = Signals::new()?;
    let hba = settings.hba_file.as_deref().map(Rules::read).transpose()?.unwrap_or_default();
    let server = Server::new(Arc::clone(&engine), (tls, hba), settings)?;
    let sockets = bind(settings.listen, "listen").await?;
    let web = match settings.http_listen {
        Some(address) => Some(bind(address, "http_listen").await?),
        None => None,
    };
    let web = web.map(|socket| tokio::spawn(http::run(socket, Arc::clone(&server))));
    tracing::info!(listen = %settings.listen, tls = server.tls.is_some(), "ready for connections");
    ready(&server);
    let listening =
        tokio::spawn(listener::run(sockets, Arc::clone(&server), settings.shutdown_timeout));
    signals.first().await;
    tracing::info!("stopping: running statements may finish");
    server.drain.cancel();
    let end = async {
        listening.await.context("the listener has failed")?;
        engine.shutdown().await.context("what is in the log only stays there")?;
        server.stop.cancel();
        if let Some(web) = web {
            web.await.context("HTTP has failed")?;
        }
        Ok(())
    };
    tokio::select! {
        ended = end => ended,
        () = signals.first() => anyhow::bail!("stopped at once by a second signal"),
    }
}

async fn bind(address: std::net::SocketAddr, setting: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} (setting \"{setting}\")"))
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}

/// What a store may keep of its files for lookups: a share of the memory, and not more than helps.
fn cache_bytes(memory_bytes: usize) -> usize {
    (memory_bytes / 16).min(256 << 20)
}
