//! One immutable Parquet file of a table, and what is known about it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use serde::{Deserialize, Serialize};

use super::part::PartId;
use crate::definition::Oid;
use crate::error::Result;

/// What the manifest says about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Number of the part; also the file's name.
    pub part: PartId,
    /// The relation whose rows it holds.
    pub relation: Oid,
    /// Rows, deleted ones included.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// CRC-32 of the whole file.
    pub crc: u32,
    /// Numbers of the columns it holds.
    pub columns: Vec<i16>,
    /// Smallest and largest value of columns of numbers and times that are not personal.
    #[serde(default)]
    pub ranges: Vec<ColumnRange>,
}

/// Smallest and largest value of one column in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRange {
    /// Number of the column.
    pub column: i16,
    /// Smallest value: a number, or days or microseconds of a date or time.
    pub minimum: i64,
    /// Largest value.
    pub maximum: i64,
    /// How many values are NULL.
    pub nulls: u64,
}

impl FileFacts {
    /// Path below the database's directory.
    pub fn path(&self) -> String {
        format!("files/{}/{}.parquet", self.relation, self.part)
    }
}

/// Files that nobody can see any more and that are to be unlinked.
#[derive(Debug, Default)]
pub(super) struct Graveyard {
    /// Nobody holds them.
    dead: Mutex<Vec<PathBuf>>,
    /// No later snapshot has them; somebody may still hold them.
    buried: Mutex<BTreeSet<PathBuf>>,
}

impl Graveyard {
    /// Unlinks what is to be unlinked. A file that cannot be is an orphan, which the next start
    /// removes.
    pub(super) fn empty(&self) {
        let paths = std::mem::take(&mut *self.dead.lock());
        for path in paths {
            if let Err(error) = super::disk::unlink(&path) {
                tracing::warn!(%error, "a data file that nobody needs could not be removed");
            }
            self.buried.lock().remove(&path);
        }
    }

    /// How many replaced files are still there.
    pub(super) fn buried(&self) -> usize {
        self.buried.lock().len()
    }

    /// Unlinks files that somebody holds: who opens them again fails. Returns how many.
    ///
    /// # Errors
    /// A file cannot be unlinked.
    pub(super) fn take(&self) -> Result<u64> {
        let paths = std::mem::take(&mut *self.buried.lock());
        paths.iter().try_for_each(|path| super::disk::unlink(path))?;
        Ok(paths.len() as u64)
    }
}

/// A file that some snapshot may see. The last one to let go of a file that was replaced or whose
/// rows were dropped has it unlinked.
#[derive(Debug)]
pub struct FileEntry {
    /// What is known about it.
    pub facts: FileFacts,
    /// Where it is.
    pub path: PathBuf,
    /// Footer and page index; read once.
    pub(super) metadata: OnceLock<ArrowReaderMetadata>,
    dead: AtomicBool,
    graveyard: Arc<Graveyard>,
}

impl FileEntry {
    /// A file that a manifest or the log names.
    pub(super) fn new(facts: FileFacts, directory: &Path, graveyard: &Arc<Graveyard>) -> Self {
        let entry = Self::unnamed(facts, directory, graveyard);
        entry.keep();
        entry
    }

    /// A file that was written and that nothing names yet: it goes with its last holder.
    pub(super) fn unnamed(facts: FileFacts, directory: &Path, graveyard: &Arc<Graveyard>) -> Self {
        let path = directory.join(facts.path());
        let graveyard = Arc::clone(graveyard);
        Self { facts, path, metadata: OnceLock::new(), dead: AtomicBool::new(true), graveyard }
    }

    /// Says that the log names the file.
    pub(super) fn keep(&self) {
        self.dead.store(false, Ordering::Release);
    }

    /// Says that no later snapshot has the file.
    pub(super) fn bury(&self) {
        self.graveyard.buried.lock().insert(self.path.clone());
        self.dead.store(true, Ordering::Release);
    }
}

impl Drop for FileEntry {
    fn drop(&mut self) {
        if self.dead.load(Ordering::Acquire) {
            self.graveyard.dead.lock().push(std::mem::take(&mut self.path));
        }
    }
}
