//! Which files a foreign table has now.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::SystemTime;

use glob::MatchOptions;
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use tokio::sync::OnceCell;

use super::footers::Footers;
use crate::catalog::Catalog;
use crate::definition::{ForeignTable, Oid, Relation};
use crate::error::{Error, Result};
use crate::storage::shared::Shared;
use crate::storage::store::Store;

/// Files of one table at most.
const FILES_MAX: usize = 100_000;

/// `*` stays within a directory, and leaves out what is hidden.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// By what one sees that a file is another one now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) bytes: u64,
    inode: u64,
    modified: Option<SystemTime>,
}

impl Mark {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let (bytes, inode) = (metadata.len(), metadata.ino());
        Self { bytes, inode, modified: metadata.modified().ok() }
    }
}

/// A file as a statement found it.
#[derive(Debug)]
pub(super) struct ForeignFile {
    pub(super) path: String,
    pub(super) mark: Mark,
    /// Footer and page index.
    pub(super) footer: ArrowReaderMetadata,
}

impl ForeignFile {
    /// How many rows it has.
    pub(super) fn rows(&self) -> u64 {
        let rows = self.footer.metadata().file_metadata().num_rows();
        u64::try_from(rows).unwrap_or_default()
    }
}

/// The files of a table, in the order of their names.
pub(super) type Files = Arc<[Arc<ForeignFile>]>;

/// Files of a table, to tell whether they are others later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFiles(Vec<(String, Mark)>);

impl SeenFiles {
    fn of(files: &Files) -> Self {
        Self(files.iter().map(|file| (file.path.clone(), file.mark)).collect())
    }
}

/// What a statement sees of foreign tables: one list of files for each, found when it is first
/// asked for.
#[derive(Debug)]
pub struct Listings {
    /// The definitions that it sees.
    pub(super) catalog: Arc<Catalog>,
    tables: Mutex<HashMap<Oid, Arc<OnceCell<Files>>>>,
}

impl Listings {
    /// Of a statement that sees these definitions.
    pub fn new(catalog: &Arc<Catalog>) -> Self {
        Self { catalog: Arc::clone(catalog), tables: Mutex::default() }
    }

    /// The files of a table that the statement has asked for.
    pub fn seen(&self, relation: Oid) -> Option<SeenFiles> {
        let tables = self.tables.lock();
        tables.get(&relation)?.get().map(SeenFiles::of)
    }

    /// The files of a table.
    pub(super) async fn files(
        &self,
        shared: &Arc<Shared>,
        relation: &Arc<Relation>,
    ) -> Result<Files> {
        let cell = Arc::clone(self.tables.lock().entry(relation.oid).or_default());
        let (shared, relation) = (Arc::clone(shared), Arc::clone(relation));
        let found = cell.get_or_try_init(|| async move {
            let list = move || match relation.foreign() {
                Some(foreign) => list(foreign, &shared.footers),
                None => Err(Error::Internal("not a foreign table".to_owned())),
            };
            let listed = tokio::task::spawn_blocking(list).await;
            listed.map_err(|error| Error::Internal(error.to_string()))?
        });
        found.await.map(Arc::clone)
    }
}

impl Store {
    /// The files of a foreign table, as a statement sees them.
    ///
    /// # Errors
    /// One cannot be opened.
    pub async fn foreign_files(
        &self,
        relation: &Arc<Relation>,
        listings: &Listings,
    ) -> Result<SeenFiles> {
        listings.files(&self.shared, relation).await.map(|files| SeenFiles::of(&files))
    }
}

fn list(foreign: &ForeignTable, footers: &Footers) -> Result<Files> {
    let mut paths = Vec::new();
    for name in foreign.filenames() {
        paths.extend(matching(name)?);
    }
    let open = |path: String| footers.file(path).map(Arc::new);
    paths.into_iter().map(open).collect()
}

/// The files of a name, or of a pattern (`*`, `?`, `[…]`, `**`).
///
/// # Errors
/// There is none, or there are too many.
pub(super) fn matching(name: &str) -> Result<Vec<String>> {
    if !name.contains(['*', '?', '[']) || fs::exists(name).unwrap_or(false) {
        return Ok(vec![name.to_owned()]);
    }
    let missing = || Error::FileNotOpened {
        path: name.to_owned(),
        source: std::io::ErrorKind::NotFound.into(),
    };
    let found = glob::glob_with(name, MATCHING).map_err(|_| missing())?;
    let mut paths = Vec::new();
    for path in found {
        let path = path.map_err(|error| Error::FileNotOpened {
            path: error.path().display().to_string(),
            source: error.into(),
        })?;
        if path.is_file() {
            paths.push(path.to_string_lossy().into_owned());
        }
        if paths.len() > FILES_MAX {
            let reason = format!("it stands for more than {FILES_MAX} files");
            return Err(Error::NoParquetFile { path: name.to_owned(), reason });
        }
    }
    if paths.is_empty() { Err(missing()) } else { Ok(paths) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_the_files_that_are_there() {
        let lake = tempfile::TempDir::new().expect("a directory");
        for name in ["b.parquet", "a.parquet", ".hidden.parquet", "notes.txt", "in/c.parquet"] {
            let path = lake.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, "").expect("a file");
        }
        let cases = [
            ("*.parquet", "a.parquet b.parquet"),
            ("**/*.parquet", "a.parquet b.parquet in/c.parquet"),
            ("[b-z].parquet", "b.parquet"),
            ("none.parquet", "none.parquet"),
            ("none*.parquet", "missing"),
        ];
        for (pattern, expected) in cases {
            let root = format!("{}/", lake.path().display());
            let found = match matching(&format!("{root}{pattern}")) {
                Ok(paths) => paths.join(" ").replace(&root, ""),
                Err(Error::FileNotOpened { .. }) => "missing".to_owned(),
                Err(other) => other.to_string(),
            };
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
