//! What is searched for when erased people must be nowhere: their identifiers.
//!
//! They stand in a file of their own beside the data until the purge is done, because the data
//! have them still; then both are gone.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;

use crate::catalog::Catalog;
use crate::definition::{Column, Oid};
use crate::error::{Error, Result};
use crate::storage::disk;
use crate::storage::stitching::identifiers_of;
use crate::storage::store::Store;

/// Directory below a database's.
pub(super) const DIRECTORY: &str = "erasures";
/// Identifiers that are shorter stand in texts by accident: a number of an order, a price. They
/// are looked for where identifiers stand.
const SEARCHED_CHARACTERS_MIN: usize = 8;

/// Identifiers of erased people.
pub(in crate::storage) struct Needles {
    exact: HashSet<(Oid, String)>,
    search: Option<AhoCorasick>,
}

impl Needles {
    /// Of namespaces and normalised values.
    ///
    /// # Errors
    /// There are too many.
    pub(in crate::storage) fn new(all: Vec<(Oid, String)>) -> Result<Self> {
        let distinct = |one: &&(Oid, String)| one.1.len() >= SEARCHED_CHARACTERS_MIN;
        let texts: Vec<&str> = all.iter().filter(distinct).map(|one| one.1.as_str()).collect();
        let search = AhoCorasick::builder().ascii_case_insensitive(true).build(&texts);
        let search = search.map_err(|error| Error::Internal(error.to_string()))?;
        let search = (!texts.is_empty()).then_some(search);
        Ok(Self { search, exact: all.into_iter().collect() })
    }

    /// Whether a text has one of them as a word.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        let Some(search) = &self.search else { return false };
        let is_word = |place: Option<usize>| {
            place.and_then(|place| text.get(place)).is_some_and(u8::is_ascii_alphanumeric)
        };
        let mut found = search.find_iter(text);
        found.any(|one| !is_word(one.start().checked_sub(1)) && !is_word(Some(one.end())))
    }

    /// Whether a value of a column is one of them, or has one in it.
    pub(super) fn are_value(
        &self,
        catalog: &Catalog,
        column: Option<&Column>,
        value: &str,
    ) -> bool {
        let own = column.map(|column| identifiers_of(catalog, column, value)).unwrap_or_default();
        own.into_iter().any(|one| self.exact.contains(&one)) || self.are_in(value.as_bytes())
    }
}

impl Store {
    /// Keeps the identifiers of an erasure until its purge is done; before the erasure commits.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep_needles(&self, erasure: i64, identifiers: &[(Oid, String)]) -> Result<()> {
        let directory = self.shared.directory.join(DIRECTORY);
        disk::make_directory(&directory)?;
        let path = directory.join(format!("{erasure}.json"));
        let text =
            serde_json::to_vec(identifiers).map_err(|error| Error::Internal(error.to_string()))?;
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(&text)?;
            file.sync_all()
        };
        write().map_err(|error| disk::io_error(&path, error))?;
        disk::sync_directory(&directory)
    }

    /// Destroys what was kept for all erasures but some.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn drop_needles(&self, but: &[i64]) -> Result<()> {
        for (erasure, path) in files(&self.shared.directory)? {
            if !but.contains(&erasure) {
                shred(&path)?;
            }
        }
        if but.is_empty() {
            shred(&super::journal::path(&self.shared.directory))?;
        }
        Ok(())
    }
}

/// The identifiers of all erasures that are to be purged.
///
/// # Errors
/// A file cannot be read.
pub(in crate::storage) fn read(database: &Path) -> Result<Needles> {
    let mut all = Vec::new();
    for (_, path) in files(database)? {
        let text = std::fs::read(&path).map_err(|error| disk::io_error(&path, error))?;
        // A file that a crash left half written is of an erasure that did not commit.
        let some: Vec<(Oid, String)> = serde_json::from_slice(&text).unwrap_or_default();
        all.extend(some);
    }
    Needles::new(all)
}

fn files(database: &Path) -> Result<Vec<(i64, PathBuf)>> {
    let directory = database.join(DIRECTORY);
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error| disk::io_error(&directory, error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json"));
        found.extend(name.and_then(|name| name.parse().ok()).map(|number| (number, path.clone())));
    }
    Ok(found)
}

/// Overwrites a file, then unlinks it.
fn shred(path: &Path) -> Result<()> {
    let Ok(facts) = path.metadata() else { return Ok(()) };
    let overwrite = || {
        let mut file = File::options().write(true).open(path)?;
        file.write_all(&vec![0; usize::try_from(facts.len()).unwrap_or(0)])?;
        file.sync_all()
    };
    overwrite().map_err(|error| disk::io_error(path, error))?;
    disk::unlink(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_found_as_words() {
        let all = vec![(1, "jane@example.com".to_owned()), (2, "9204".to_owned())];
        let needles = Needles::new(all).expect("needles");
        let cases: &[(&str, bool)] = &[
            ("write to Jane@Example.com please", true),
            ("\"jane@example.com\"", true),
            ("jane@example.community", false),
            ("mjane@example.com", false),
            ("9204", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(needles.are_in(text.as_bytes()), *expected, "{text}");
        }
    }
}
