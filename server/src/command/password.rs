//! The first password of `admin`, and the data directory that it belongs to.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clientele_engine::Engine;
use rand::Rng;

use crate::settings::Settings;

/// Environment variable that gives the first password.
pub const VARIABLE: &str = "CLIENTELE_ADMIN_PASSWORD";
/// File in the data directory that keeps a generated one.
pub const FILE: &str = "admin-password";
/// What a start that was interrupted before the directory was whole may leave.
const UNFINISHED: &[&str] = &[FILE, "clientele.lock", "cluster.redb", "databases"];
/// 24 characters of 62 are 142 bits.
const LENGTH: usize = 24;

/// The password that a new data directory got.
pub struct FirstPassword {
    /// The password.
    pub text: String,
    /// Where it is kept; `None`: it came from the environment and is kept nowhere.
    pub file: Option<PathBuf>,
}

/// Makes the data directory where there is none; `None`: there is one already.
///
/// # Errors
/// A directory that cannot be made or holds something else.
pub fn prepare(settings: &Settings) -> Result<Option<FirstPassword>> {
    let directory = &settings.data_dir;
    if !is_fresh(directory)? {
        return Ok(None);
    }
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make data directory {}", directory.display()))?;
    let password = choose(directory)?;
    Engine::create(directory, &password.text)
        .with_context(|| format!("cannot make data directory {}", directory.display()))?;
    Ok(Some(password))
}

/// Whether there is no data directory yet: nothing, or what an interrupted start has left.
fn is_fresh(directory: &Path) -> Result<bool> {
    if directory.join("VERSION").exists() {
        return Ok(false);
    }
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot read data directory {}", directory.display()));
        }
    };
    for entry in entries {
        let name = entry?.file_name();
        if !UNFINISHED.iter().any(|known| name == *known) {
            anyhow::bail!(
                "{} is no data directory, and not empty: it holds {}",
                directory.display(),
                name.display()
            );
        }
    }
    Ok(true)
}

fn choose(directory: &Path) -> Result<FirstPassword> {
    if let Some(text) = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()) {
        return Ok(FirstPassword { text, file: None });
    }
    let path = directory.join(FILE);
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&path);
    let text = match file {
        Ok(mut file) => {
            let text = generate();
            writeln!(file, "{text}")
                .and_then(|()| file.sync_all())
                .with_context(|| format!("cannot write {}", path.display()))?;
            text
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            crate::settings::read_text(&path)?.trim().to_owned()
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot write {}", path.display()));
        }
    };
    anyhow::ensure!(!text.is_empty(), "{} is empty: remove it and start again", path.display());
    Ok(FirstPassword { text, file: Some(path) })
}

fn generate() -> String {
    let mut random = rand::rng();
    (0..LENGTH).map(|_| char::from(random.sample(rand::distr::Alphanumeric))).collect()
}
