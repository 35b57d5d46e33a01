//! The one table of settings.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Settings;
use super::units;

/// Name of the flag that says where the file of settings is.
pub const CONFIG: &str = "config";

/// One setting.
pub struct Setting {
    /// Key in `clientele.toml`; flag and environment variable derive from it.
    pub name: &'static str,
    /// What stands for the value in `--help`.
    pub value_name: &'static str,
    /// Default, in the words that a user would write; empty: not set.
    pub default: &'static str,
    /// Heading in `--help` and in the example file.
    pub group: &'static str,
    /// One line for the user.
    pub doc: &'static str,
    /// Reads a value into its place.
    pub set: fn(&mut Settings, &str) -> Result<(), String>,
}

impl Setting {
    /// `data-dir`.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// `CLIENTELE_DATA_DIR`.
    pub fn variable(&self) -> String {
        format!("CLIENTELE_{}", self.name.to_uppercase())
    }
}

const DATA: &str = "Data";
const NETWORK: &str = "Network";
const LIMITS: &str = "Limits";
const LOGS: &str = "Logs";

macro_rules! settings {
    ($($group:ident $name:literal $value:literal = $default:literal, $doc:literal,
       |$settings:ident, $text:ident| $set:expr;)*) => {
        /// Every setting, in the order in which a user meets them.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            name: $name, value_name: $value, default: $default, group: $group, doc: $doc,
            set: |$settings, $text| { $set; Ok(()) },
        }),*];
    };
}

settings! {
    DATA "data_dir" "DIR" = "./clientele-data",
        "Directory of all data; made on the first start",
        |settings, text| settings.data_dir = path(text).ok_or("a directory is needed")?;
    DATA "flush_size" "SIZE" = "64MB",
        "Rows in memory beyond this size are written to files",
        |settings, text| settings.flush_bytes = units::bytes(text)?;
    DATA "flush_interval" "TIME" = "1min",
        "Rows stay in memory and log alone for at most this time",
        |settings, text| settings.flush_interval = units::duration(text)?;
    DATA "file_rows" "NUMBER" = "2000000",
        "Rows of a data file at most",
        |settings, text| settings.file_rows = units::count(text, 10_000, 100_000_000)?;
    DATA "purge_after" "TIME" = "1h",
        "Erased people leave the disk, and receipts are signed, after this time at most",
        |settings, text| settings.purge_after = units::duration(text)?;

    NETWORK "listen" "ADDRESS" = "127.0.0.1:5430",
        "Address for PostgreSQL clients; beyond loopback only with TLS",
        |settings, text| settings.listen = address(text)?;
    NETWORK "http_listen" "ADDRESS" = "127.0.0.1:8430",
        "Address for health, readiness and metrics; \"off\" for none",
        |settings, text| settings.http_listen = optional_address(text)?;
    NETWORK "tls_cert" "FILE" = "",
        "Certificate chain for TLS, PEM",
        |settings, text| settings.tls_cert = path(text);
    NETWORK "tls_key" "FILE" = "",
        "Private key of the certificate, PEM",
        |settings, text| settings.tls_key = path(text);
    NETWORK "hba_file" "FILE" = "",
        "Who may connect from where, in the form of pg_hba.conf; empty: everyone with a password",
        |settings, text| settings.hba_file = path(text);
    NETWORK "startup_timeout" "TIME" = "30s",
        "A client that has not logged in after this time is dropped",
        |settings, text| settings.startup_timeout = units::duration(text)?;
    NETWORK "shutdown_timeout" "TIME" = "30s",
        "How long running statements may go on after SIGTERM",
        |settings, text| settings.shutdown_timeout = units::duration(text)?;

    LIMITS "connections_max" "NUMBER" = "200",
        "Sessions at one time",
        |settings, text| settings.connections_max = units::count(text, 1, 100_000)?;
    LIMITS "message_size_max" "SIZE" = "256MB",
        "Largest message from a client",
        |settings, text| settings.message_size_max_bytes = message_size(text)?;
    LIMITS "memory" "SIZE" = "50%",
        "Memory for statements and rows: a size, or a share of the machine's",
        |settings, text| settings.memory_bytes = units::memory(text)?;
    LIMITS "cpu_threads" "NUMBER" = "auto",
        "Threads for statements; auto: as many as the machine has cores",
        |settings, text| settings.cpu_threads = threads(text, units::cores())?;
    LIMITS "io_threads" "NUMBER" = "auto",
        "Threads for the network; auto: two, or a quarter of the cores",
        |settings, text| settings.io_threads = threads(text, (units::cores() / 4).max(2))?;

    LOGS "log" "FILTER" = "info",
        "What is logged: error, warn, info, debug, trace, or a filter by module",
        |settings, text| settings.log = text.to_owned();
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an address looks like 127.0.0.1:5430 or [::1]:5430".to_owned())
}

fn optional_address(text: &str) -> Result<Option<SocketAddr>, String> {
    match text {
        "" | "off" => Ok(None),
        text => address(text).map(Some),
    }
}

fn threads(text: &str, automatic: usize) -> Result<usize, String> {
    match text {
        "auto" => Ok(automatic),
        text => units::count(text, 1, 4096),
    }
}

/// The protocol counts in 31 bits and PostgreSQL stops at 1 GB.
fn message_size(text: &str) -> Result<usize, String> {
    let bytes = units::bytes(text)?;
    match usize::try_from(bytes) {
        Ok(bytes) if (1 << 16..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err("it must be between 64kB and 1GB".to_owned()),
    }
}
