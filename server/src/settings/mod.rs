//! Settings: one table, four sources.
//!
//! A flag wins over an environment variable, that over `clientele.toml`, that over the default.
//! Every name, flag, variable, default and line of documentation derives from [`table::SETTINGS`];
//! so does `clientele.example.toml`.
//!
//! ```text
//! clientele serve --connections-max 200
//! CLIENTELE_CONNECTIONS_MAX=200 clientele serve
//! connections_max = 200                                  # clientele.toml
//! ```

pub mod file;
pub mod table;
pub mod units;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::{Arg, ArgMatches};

pub use table::{SETTINGS, Setting};

/// Values of all settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `data_dir`.
    pub data_dir: PathBuf,
    /// `listen`.
    pub listen: SocketAddr,
    /// `http_listen`; `None`: no HTTP.
    pub http_listen: Option<SocketAddr>,
    /// `tls_cert`.
    pub tls_cert: Option<PathBuf>,
    /// `tls_key`.
    pub tls_key: Option<PathBuf>,
    /// `hba_file`.
    pub hba_file: Option<PathBuf>,
    /// `connections_max`.
    pub connections_max: usize,
    /// `startup_timeout`.
    pub startup_timeout: Duration,
    /// `message_size_max`.
    pub message_size_max_bytes: usize,
    /// `shutdown_timeout`.
    pub shutdown_timeout: Duration,
    /// `memory`.
    pub memory_bytes: usize,
    /// `cpu_threads`.
    pub cpu_threads: usize,
    /// `io_threads`.
    pub io_threads: usize,
    /// `flush_size`.
    pub flush_bytes: u64,
    /// `flush_interval`.
    pub flush_interval: Duration,
    /// `file_rows`.
    pub file_rows: usize,
    /// `purge_after`.
    pub purge_after: Duration,
    /// `log`.
    pub log: String,
}

impl Settings {
    /// The defaults.
    ///
    /// # Errors
    /// None in practice: a test reads every default.
    pub fn defaults() -> Result<Self> {
        let mut settings = Self::blank();
        for setting in SETTINGS {
            settings.set(setting, setting.default, "default")?;
        }
        Ok(settings)
    }

    /// Settings as the command line, the environment and the file give them.
    ///
    /// # Errors
    /// A value that cannot be read, an unknown key in the file (with its line).
    pub fn resolve(arguments: &ArgMatches) -> Result<Self> {
        let mut settings = Self::defaults()?;
        for entry in file::read(arguments.get_one::<PathBuf>(table::CONFIG))? {
            settings.set(entry.setting, &entry.value, &entry.origin)?;
        }
        // clap has settled flag against environment variable already.
        for setting in SETTINGS {
            if let Some(value) = arguments.get_one::<String>(setting.name) {
                settings.set(setting, value, "command line or environment")?;
            }
        }
        settings.validate()?;
        Ok(settings)
    }

    fn set(&mut self, setting: &Setting, value: &str, origin: &str) -> Result<()> {
        (setting.set)(self, value).map_err(|reason| {
            anyhow!("invalid value for setting \"{}\": \"{value}\" ({origin})", setting.name)
                .context(reason)
        })
    }

    /// What no single value shows: beyond loopback only with TLS.
    fn validate(&self) -> Result<()> {
        anyhow::ensure!(
            self.tls_cert.is_some() == self.tls_key.is_some(),
            "settings \"tls_cert\" and \"tls_key\" go together: set both or none"
        );
        anyhow::ensure!(
            self.listen.ip().is_loopback() || self.tls_cert.is_some(),
            "refusing to listen on {} without TLS: set \"tls_cert\" and \"tls_key\" \
             (--tls-cert, --tls-key), or listen on 127.0.0.1",
            self.listen
        );
        Ok(())
    }

    /// Never used as it is: [`Settings::defaults`] fills it from the table.
    fn blank() -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            data_dir: PathBuf::new(),
            listen: nowhere,
            http_listen: None,
            tls_cert: None,
            tls_key: None,
            hba_file: None,
            connections_max: 0,
            startup_timeout: Duration::ZERO,
            message_size_max_bytes: 0,
            shutdown_timeout: Duration::ZERO,
            memory_bytes: 0,
            cpu_threads: 0,
            io_threads: 0,
            flush_bytes: 0,
            flush_interval: Duration::ZERO,
            file_rows: 0,
            purge_after: Duration::ZERO,
            log: String::new(),
        }
    }
}

/// The command line's flags, one for each setting and `--config`.
pub fn arguments() -> Vec<Arg> {
    let config = Arg::new(table::CONFIG)
        .long(table::CONFIG)
        .value_name("FILE")
        .env("CLIENTELE_CONFIG")
        .hide_env_values(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help_heading("Settings")
        .help("File of settings [default: clientele.toml, where it exists]");
    std::iter::once(config).chain(SETTINGS.iter().map(argument)).collect()
}

fn argument(setting: &'static Setting) -> Arg {
    let default = match setting.default {
        "" => String::new(),
        default => format!(" [default: {default}]"),
    };
    Arg::new(setting.name)
        .long(setting.flag())
        .value_name(setting.value_name)
        .env(setting.variable())
        .hide_env_values(true)
        .help_heading(setting.group)
        .help(format!("{}{default}", setting.doc))
}

/// Text of `clientele.example.toml`.
pub fn example_file() -> String {
    let mut text = "# Settings of Clientele, with their defaults. Copy to clientele.toml.\n\
         # A flag (--data-dir) and an environment variable (CLIENTELE_DATA_DIR) win over this file.\n"
        .to_owned();
    let mut group = "";
    for setting in SETTINGS {
        if setting.group != group {
            group = setting.group;
            text.push_str(&format!("\n# --- {group} ---\n"));
        }
        text.push_str(&format!(
            "\n# {}\n# {} = \"{}\"\n",
            setting.doc, setting.name, setting.default
        ));
    }
    text
}

/// Reads the file named by a path setting where it is set.
pub(crate) fn read_text(path: &std::path::Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(line: &[&str]) -> Result<Settings> {
        let command = clap::Command::new("clientele").args(arguments());
        Settings::resolve(&command.try_get_matches_from(line)?)
    }

    #[test]
    fn every_default_is_valid() {
        let settings = Settings::defaults().unwrap();
        settings.validate().unwrap();
        assert!(settings.memory_bytes > 0 && settings.cpu_threads > 0);
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let path = std::env::temp_dir().join(format!("clientele-{}.toml", std::process::id()));
        std::fs::write(&path, "connections_max = 7\nmessage_size_max = \"1MB\"\n").unwrap();
        let path = path.to_str().unwrap();
        let settings = resolve(&["clientele", "--config", path, "--connections-max", "9"]).unwrap();
        assert_eq!(settings.connections_max, 9);
        assert_eq!(settings.message_size_max_bytes, 1 << 20);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let path = std::env::temp_dir().join(format!("clientele-bad-{}.toml", std::process::id()));
        std::fs::write(&path, "# a comment\nconections_max = 7\n").unwrap();
        let error = resolve(&["clientele", "--config", path.to_str().unwrap()]).unwrap_err();
        assert!(format!("{error:#}").contains("line 2: unknown setting \"conections_max\""));
    }

    #[test]
    fn beyond_loopback_needs_tls() {
        let error = resolve(&["clientele", "--listen", "0.0.0.0:5430"]).unwrap_err();
        assert!(error.to_string().contains("tls_cert"), "{error}");
    }

    #[test]
    fn the_example_file_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/clientele.example.toml");
        if std::env::var_os("ACCEPT").is_some() {
            std::fs::write(path, example_file()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(kept, example_file(), "ACCEPT=1 cargo test rewrites it");
    }

    #[test]
    fn the_example_file_can_be_used() {
        let text = example_file();
        let uncommented: String = text
            .lines()
            .filter_map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = \"")))
            .filter(|line| !line.contains("\"\""))
            .fold(String::new(), |all, line| all + line + "\n");
        let entries = file::parse(&uncommented, "example").unwrap();
        assert!(entries.len() > 10);
    }
}
