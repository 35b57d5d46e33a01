//! Which files a purge replaced: written before each replacement, so that the receipt names them
//! all, however often the purge had to begin again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::needles::DIRECTORY;
use crate::definition::Oid;
use crate::error::{Error, Result};
use crate::storage::brand_key::hex;
use crate::storage::disk;
use crate::storage::file::FileEntry;
use crate::storage::part::PartId;
use crate::storage::snapshot::Snapshot;

/// A data file as a receipt names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProof {
    /// Path below the database's directory.
    pub file: String,
    /// Number of the part.
    pub part: PartId,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Rows in it, deleted ones included.
    pub rows: u64,
}

impl FileProof {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn of(entry: &FileEntry) -> Result<Self> {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        let mut file = crate::storage::reader::open(entry)?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            let read = std::io::Read::read(&mut file, &mut buffer)
                .map_err(|error| disk::io_error(&entry.path, error))?;
            if read == 0 {
                break;
            }
            context.update(buffer.get(..read).unwrap_or_default());
        }
        Ok(Self {
            file: entry.facts.path(),
            part: entry.facts.part,
            sha256: hex(context.finish().as_ref()),
            rows: entry.facts.rows,
        })
    }
}

/// A file in whose place others came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// Its table.
    pub relation: Oid,
    /// The file.
    pub before: FileProof,
    /// Rows of others in it.
    pub live: u64,
    /// The files now.
    pub after: Vec<FileProof>,
}

/// The journal of a database.
pub(super) fn path(database: &Path) -> PathBuf {
    database.join(DIRECTORY).join("rewritten.jsonl")
}

/// Adds an entry: durable when it returns.
///
/// # Errors
/// It cannot be written.
pub(super) fn add(database: &Path, one: &Rewritten) -> Result<()> {
    let path = path(database);
    disk::make_directory(&database.join(DIRECTORY))?;
    let mut line = serde_json::to_vec(one).map_err(|error| Error::Internal(error.to_string()))?;
    line.push(b'\n');
    let write = || {
        let mut file = File::options().create(true).append(true).open(&path)?;
        file.write_all(&line)?;
        file.sync_all()
    };
    write().map_err(|error| disk::io_error(&path, error))
}

/// The entries whose replacement took place: a crash may have come between.
///
/// # Errors
/// It cannot be read.
pub(super) fn read(database: &Path, snapshot: &Snapshot) -> Result<Vec<Rewritten>> {
    let path = path(database);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk::io_error(&path, error)),
    };
    // Of a file that was tried twice, the later try took place.
    let mut by_file: BTreeMap<(Oid, PartId), Rewritten> = BTreeMap::new();
    for line in text.lines() {
        let Ok(one) = serde_json::from_str::<Rewritten>(line) else { continue };
        by_file.insert((one.relation, one.before.part), one);
    }
    let is_gone = |one: &Rewritten| !snapshot.table(one.relation).has_part(one.before.part);
    Ok(by_file.into_values().filter(is_gone).collect())
}
