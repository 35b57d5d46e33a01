//! `clientele.toml`: keys of the table of settings, nothing else.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::de::{DeTable, DeValue};

use super::{SETTINGS, Setting, read_text};

/// File that is read where no other is named.
const DEFAULT: &str = "clientele.toml";

/// A setting that the file sets.
pub struct Entry {
    /// Which.
    pub setting: &'static Setting,
    /// Its value as text.
    pub value: String,
    /// File and line, for messages.
    pub origin: String,
}

/// Reads the named file, or the default one where it exists.
///
/// # Errors
/// A file that cannot be read or is not TOML, an unknown key.
pub fn read(path: Option<&PathBuf>) -> Result<Vec<Entry>> {
    let path = match path {
        Some(path) => path.as_path(),
        None if Path::new(DEFAULT).exists() => Path::new(DEFAULT),
        None => return Ok(Vec::new()),
    };
    parse(&read_text(path)?, &path.display().to_string())
}

/// Reads the text of a file called `name`.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str, name: &str) -> Result<Vec<Entry>> {
    let table = DeTable::parse(text).with_context(|| format!("{name} is not valid TOML"))?;
    let mut entries = Vec::new();
    for (key, value) in table.get_ref() {
        let line = text[..key.span().start].matches('\n').count() + 1;
        let origin = format!("{name}, line {line}");
        let known = SETTINGS.iter().find(|setting| setting.name == key.get_ref().as_ref());
        let Some(setting) = known else {
            bail!("{origin}: unknown setting \"{}\"", key.get_ref());
        };
        let value = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().replace('_', ""),
            DeValue::Boolean(flag) => flag.to_string(),
            _ => bail!("{origin}: setting \"{}\" takes a string or a number", setting.name),
        };
        entries.push(Entry { setting, value, origin });
    }
    Ok(entries)
}
