//! What is searched for when erased people must be nowhere: their identifiers.
//!
//! They stand in a file of their own beside the data until the purge is done, because the data
//! have them still; then both are gone.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aho_corasick::{AhoCorasick, Match};

use crate::catalog::Catalog;
use crate::definition::{Column, Oid};
use crate::error::{Error, Result};
use crate::storage::disk;
use crate::storage::stitching::{IdentifierColumn, identifier_columns};
use crate::storage::store::Store;

/// Directory below a database's.
pub(super) const DIRECTORY: &str = "erasures";
/// Identifiers that are shorter stand in texts by accident: a number of an order, a price. They
/// are looked for where identifiers stand.
const SEARCHED_CHARACTERS_MIN: usize = 8;
/// What stands in the place of an identifier.
const INSTEAD: &str = "[erased]";
/// How long a transaction may take from the writing of the file to its commit.
const STRAY_AGE: Duration = Duration::from_secs(3600);

/// Identifiers of erased people.
pub(in crate::storage) struct Needles {
    /// By namespace and normalised value: the erasure.
    exact: HashMap<(Oid, String), i64>,
    namespaces: HashSet<Oid>,
    search: Option<AhoCorasick>,
    /// The erasure of each text that is searched for.
    erasures: Vec<i64>,
}

impl Needles {
    /// Of erasures, namespaces and normalised values.
    ///
    /// # Errors
    /// There are too many.
    pub(in crate::storage) fn new(all: Vec<(i64, (Oid, String))>) -> Result<Self> {
        let long = all.iter().filter(|(_, (_, text))| text.len() >= SEARCHED_CHARACTERS_MIN);
        let (erasures, texts): (Vec<i64>, Vec<&str>) =
            long.map(|(erasure, (_, text))| (*erasure, text.as_str())).unzip();
        let search = AhoCorasick::builder().ascii_case_insensitive(true).build(&texts);
        let search = search.map_err(|error| Error::Internal(error.to_string()))?;
        let search = (!texts.is_empty()).then_some(search);
        let namespaces = all.iter().map(|(_, (namespace, _))| *namespace).collect();
        let exact = all.into_iter().map(|(erasure, one)| (one, erasure)).collect();
        Ok(Self { exact, namespaces, search, erasures })
    }

    /// Whose identifier a text has as a word: the erasure.
    pub(super) fn in_text(&self, text: &[u8]) -> Option<i64> {
        let one = self.words(text).next()?;
        self.erasures.get(one.pattern().as_usize()).copied()
    }

    /// Where a text has identifiers as words.
    fn words<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Match> + 'a {
        let is_word = |place: Option<usize>| {
            place.and_then(|place| text.get(place)).is_some_and(u8::is_ascii_alphanumeric)
        };
        let is_whole =
            move |one: &Match| !is_word(one.start().checked_sub(1)) && !is_word(Some(one.end()));
        let found = self.search.iter().flat_map(move |search| search.find_iter(text));
        found.filter(is_whole)
    }

    /// A text with `[erased]` in place of the identifiers that it has as words.
    pub(super) fn without<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = String::new();
        let mut end = 0;
        for one in self.words(text.as_bytes()) {
            if let Some(before) = text.get(end..one.start()) {
                clean.push_str(before);
                clean.push_str(INSTEAD);
                end = one.end();
            }
        }
        match text.get(end..) {
            Some(rest) if end > 0 => Cow::Owned(clean + rest),
            _ => Cow::Borrowed(text),
        }
    }

    /// Of the namespaces whose identifiers a column has, those that are searched for.
    pub(super) fn wanted(&self, catalog: &Catalog, column: &Column) -> Vec<IdentifierColumn> {
        let mut all = identifier_columns(catalog, 0, column);
        all.retain(|one| self.namespaces.contains(&one.namespace()));
        all
    }

    /// Whose identifier a value of such a column is: the erasure.
    pub(super) fn is_value(&self, wanted: &[IdentifierColumn], value: &str) -> Option<i64> {
        let mut own = wanted.iter().filter_map(|one| one.named(value));
        own.find_map(|one| self.exact.get(&one).copied())
    }

    /// Which texts, that lie one after the other, have an identifier in them: the erasures.
    pub(super) fn in_texts(&self, offsets: &[i32], bytes: &[u8]) -> BTreeMap<usize, i64> {
        let Some(search) = &self.search else { return BTreeMap::new() };
        let mut rows = Vec::new();
        // A match over the border of two texts is none, and must not hide one behind it.
        for one in search.find_overlapping_iter(bytes) {
            let start = i32::try_from(one.start()).unwrap_or(i32::MAX);
            let row = offsets.partition_point(|offset| *offset <= start) - 1;
            if rows.last() != Some(&row) {
                rows.push(row);
            }
        }
        let text = |row: usize| {
            let ends = (offsets.get(row).copied()?, offsets.get(row + 1).copied()?);
            bytes.get(usize::try_from(ends.0).ok()?..usize::try_from(ends.1).ok()?)
        };
        rows.into_iter().filter_map(|row| Some((row, self.in_text(text(row)?)?))).collect()
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

    /// Destroys what was kept for erasures that have their receipts, and the list of replaced files
    /// with the last of them.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn drop_needles(&self, done: &[i64]) -> Result<()> {
        let mut left = 0;
        for (erasure, path) in files(&self.shared.directory)? {
            match done.contains(&erasure) {
                true => shred(&path)?,
                false => left += 1,
            }
        }
        if left == 0 {
            shred(&super::journal::path(&self.shared.directory))?;
        }
        Ok(())
    }

    /// Destroys what was kept for erasures that never committed: they were cut short by a crash, or
    /// failed long ago.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn drop_stray_needles(&self, waiting: &[i64]) -> Result<()> {
        for (erasure, path) in files(&self.shared.directory)? {
            let at = path.metadata().and_then(|facts| facts.modified()).ok();
            let is_old = at.is_some_and(|at| at < self.shared.opened_at);
            let age = at.and_then(|at| at.elapsed().ok()).unwrap_or_default();
            // A younger one may be about to commit.
            if !waiting.contains(&erasure) && (is_old || age > STRAY_AGE) {
                shred(&path)?;
            }
        }
        Ok(())
    }
}

/// The identifiers of some erasures.
///
/// # Errors
/// A file cannot be read.
pub(in crate::storage) fn read(database: &Path, erasures: &[i64]) -> Result<Needles> {
    let mut all = Vec::new();
    let found = files(database)?;
    for erasure in erasures {
        let path = database.join(DIRECTORY).join(format!("{erasure}.json"));
        if !found.iter().any(|(one, _)| one == erasure) {
            let reason = "the identifiers of an erasure are missing".to_owned();
            return Err(Error::Damaged { path: path.display().to_string(), reason });
        }
        let text = std::fs::read(&path).map_err(|error| disk::io_error(&path, error))?;
        let some: Vec<(Oid, String)> = serde_json::from_slice(&text).map_err(|error| {
            Error::Damaged { path: path.display().to_string(), reason: error.to_string() }
        })?;
        all.extend(some.into_iter().map(|one| (*erasure, one)));
    }
    Needles::new(all)
}

/// Copies what is kept of erasures that wait for their purge to a backup, which has the people too.
///
/// # Errors
/// A file cannot be copied.
pub(in crate::storage) fn back_up(database: &Path, target: &Path) -> Result<()> {
    let directory = target.join(DIRECTORY);
    for (erasure, path) in files(database)? {
        disk::make_directory(&directory)?;
        let to = directory.join(format!("{erasure}.json"));
        let copy = || {
            std::fs::copy(&path, &to)?;
            File::open(&to)?.sync_all()
        };
        copy().map_err(|error| disk::io_error(&to, error))?;
    }
    if directory.is_dir() { disk::sync_directory(&directory) } else { Ok(()) }
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
        let all = vec![(7, (1, "jane@example.com".to_owned())), (8, (2, "9204".to_owned()))];
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
            assert_eq!(needles.in_text(text.as_bytes()), expected.then_some(7), "{text}");
        }
        let offsets: Vec<i32> = std::iter::once(0)
            .chain(cases.iter().scan(0, |end, (text, _)| {
                *end += text.len() as i32;
                Some(*end)
            }))
            .collect();
        let joined: String = cases.iter().map(|(text, _)| *text).collect();
        let expected = cases.iter().filter(|(_, found)| *found).count();
        assert_eq!(needles.in_texts(&offsets, joined.as_bytes()).len(), expected);
    }
}
