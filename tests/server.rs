//! Starts servers for tests: each a process of its own on a free port of the loopback.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// Password of role `admin` on every test server.
pub const PASSWORD: &str = "test-password";

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// Port of the PostgreSQL protocol.
    pub port: u16,
    /// Its data directory.
    pub data: PathBuf,
    own: Option<TempDir>,
}

impl Server {
    /// Starts one on a new data directory.
    pub fn start() -> Result<Self> {
        let own = TempDir::new()?;
        let mut server = Self::on(&own.path().join("data"))?;
        server.own = Some(own);
        Ok(server)
    }

    /// Starts one on a data directory.
    pub fn on(data: &Path) -> Result<Self> {
        Self::with(data, &[])
    }

    /// Starts one with further arguments.
    pub fn with(data: &Path, arguments: &[String]) -> Result<Self> {
        let (port, http) = (free_port()?, free_port()?);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(data.with_extension("log"))?;
        let child = Command::new(std::env::current_exe()?)
            .arg("--as-server")
            .arg("serve")
            .arg("--data-dir")
            .arg(data)
            .arg("--listen")
            .arg(format!("127.0.0.1:{port}"))
            .arg("--http-listen")
            .arg(format!("127.0.0.1:{http}"))
            .args(arguments)
            .env("CLIENTELE_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("starting a server")?;
        let mut server = Self { child, port, data: data.to_owned(), own: None };
        server.wait()?;
        Ok(server)
    }

    fn wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let log =
                    std::fs::read_to_string(self.data.with_extension("log")).unwrap_or_default();
                bail!("the server ended with {status}: {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the server does not listen")
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The most memory that it had at one time, in megabytes (proc(5), `VmHWM`).
    pub fn peak_memory_mb(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmHWM")?;
        Ok(size.parse::<u64>()? / 1024)
    }

    /// Ends it as an operator does, and waits until it has.
    pub fn terminate(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the server ended with {status} after SIGTERM"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        bail!("the server did not end after SIGTERM")
    }

    /// Environment of PostgreSQL's clients.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("PGHOST", "127.0.0.1".to_owned()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", "admin".to_owned()),
            ("PGPASSWORD", PASSWORD.to_owned()),
            ("PGDATABASE", "postgres".to_owned()),
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

static SHARED: OnceLock<Mutex<Option<Server>>> = OnceLock::new();

/// Port of a server that tests share; started by the first that asks.
pub fn shared_port() -> Result<u16> {
    let shared = SHARED.get_or_init(Mutex::default);
    let mut server =
        shared.lock().map_err(|_| anyhow::anyhow!("a test that started the server panicked"))?;
    if server.is_none() {
        *server = Some(Server::start()?);
    }
    server.as_ref().map(|server| server.port).context("no server")
}

/// Environment of PostgreSQL's clients for the shared server.
pub fn shared_environment() -> Result<[(&'static str, String); 5]> {
    shared_port()?;
    let shared = SHARED.get_or_init(Mutex::default);
    let server =
        shared.lock().map_err(|_| anyhow::anyhow!("a test that started the server panicked"))?;
    server.as_ref().map(Server::environment).context("no server")
}

/// Ends the shared server.
pub fn stop_shared() {
    if let Some(shared) = SHARED.get()
        && let Ok(mut server) = shared.lock()
    {
        server.take();
    }
}
