//! Backup: one instant of every database, with roles, as a directory that is a data directory
//! itself and lists its files with their checksums.
//!
//! ```text
//! cluster.redb, databases/<oid>/…   as in a data directory; data files are hard links if possible
//! backup.json                       every file with its size and CRC-32
//! VERSION                           written last: without it the backup is not whole
//! ```

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cluster::{Cluster, VERSION, VERSION_FILE};
use crate::definition::Database;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::storage::disk;

/// Name of the list of files.
const LIST_FILE: &str = "backup.json";
/// Version of the list.
const FORMAT: u32 = 1;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// How large a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSize {
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    path: String,
    bytes: u64,
    crc32: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct List {
    format: u32,
    made_at: String,
    /// All directories: an empty one has no file that names it.
    directories: Vec<String>,
    files: Vec<Listed>,
}

impl Cluster {
    /// Writes a backup while the databases serve. Each database is there as of one instant.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when the directory is not empty, [`Error::Damaged`] when a data file is
    /// not what was written, I/O failures; nothing is left of the backup then.
    pub async fn backup(&self, target: &Path, progress: Arc<Progress>) -> Result<BackupSize> {
        if !is_free(target)? {
            let name = target.display().to_string();
            return Err(Error::Duplicate { kind: "directory", name });
        }
        let written = self.write_backup(target, progress).await;
        if written.is_err()
            && let Err(error) = std::fs::remove_dir_all(target)
        {
            tracing::warn!(%error, "a backup that failed could not be removed");
        }
        written
    }

    async fn write_backup(&self, target: &Path, progress: Arc<Progress>) -> Result<BackupSize> {
        let root = target.join("databases");
        disk::make_directory(&root)?;
        let mut known = HashMap::new();
        let mut databases: Vec<Database> = Vec::new();
        for database in self.databases() {
            let store = match self.store(database.oid) {
                Ok(store) => store,
                // It was dropped meanwhile.
                Err(_) if self.database(database.oid).is_none() => continue,
                Err(error) => return Err(error),
            };
            let directory = format!("databases/{}", database.oid);
            for facts in store.backup(&target.join(&directory)).await? {
                known.insert(format!("{directory}/{}", facts.path()), (facts.bytes, facts.crc));
            }
            databases.push(database);
        }
        disk::sync_directory(&root)?;
        self.copy_definitions(target, &databases)?;
        let target = target.to_owned();
        let finished =
            tokio::task::spawn_blocking(move || finish(&target, &known, &progress)).await;
        finished.map_err(|error| Error::Internal(error.to_string()))?
    }
}

/// Lists what was written; data files must be what the manifests say.
fn finish(
    target: &Path,
    known: &HashMap<String, (u64, u32)>,
    progress: &Progress,
) -> Result<BackupSize> {
    let (mut directories, mut paths) = (Vec::new(), Vec::new());
    list_files(target, target, &mut directories, &mut paths)?;
    for path in &paths {
        let path = target.join(path);
        progress.expect(path.metadata().map_err(|error| disk::io_error(&path, error))?.len());
    }
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let (bytes, crc32) = checksum(&target.join(&path), None)?;
        progress.advance(bytes);
        if known.get(&path).is_some_and(|one| *one != (bytes, crc32)) {
            let reason = "its checksum is wrong".to_owned();
            return Err(Error::Damaged { path, reason });
        }
        files.push(Listed { path, bytes, crc32 });
    }
    let bytes = files.iter().map(|one| one.bytes).sum();
    let size = BackupSize { files: files.len() as u64, bytes };
    let list =
        List { format: FORMAT, made_at: chrono::Utc::now().to_rfc3339(), directories, files };
    let text =
        serde_json::to_vec_pretty(&list).map_err(|error| Error::Internal(error.to_string()))?;
    write_whole(&target.join(LIST_FILE), &text)?;
    disk::sync_directory(target)?;
    write_whole(&target.join(VERSION_FILE), VERSION.as_bytes())?;
    disk::sync_directory(target)?;
    Ok(size)
}

/// A backup that is to be restored.
#[derive(Debug)]
pub struct Backup {
    directory: PathBuf,
    list: List,
}

impl Backup {
    /// Reads what a directory says about itself.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is no whole backup.
    pub fn open(directory: &Path) -> Result<Self> {
        let damaged = |reason: String| {
            let path = directory.join(LIST_FILE).display().to_string();
            Error::Damaged { path, reason }
        };
        if !directory.join(VERSION_FILE).is_file() {
            return Err(damaged("the directory holds no whole backup".to_owned()));
        }
        let path = directory.join(LIST_FILE);
        let text = std::fs::read(&path).map_err(|error| disk::io_error(&path, error))?;
        let list: List =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if list.format != FORMAT {
            return Err(damaged(format!("format {} is unknown to this server", list.format)));
        }
        let is_plain = |path: &str| {
            Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
        };
        let paths = list.files.iter().map(|one| &one.path).chain(&list.directories);
        if let Some(path) = paths.into_iter().find(|path| !is_plain(path)) {
            return Err(damaged(format!("path \"{path}\" leads elsewhere")));
        }
        Ok(Self { directory: directory.to_owned(), list })
    }

    /// How large it is.
    pub fn size(&self) -> BackupSize {
        let bytes = self.list.files.iter().map(|one| one.bytes).sum();
        BackupSize { files: self.list.files.len() as u64, bytes }
    }

    /// Copies it to an empty or missing directory, which is a data directory then. `copied` is
    /// told the bytes of each file.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the first file that is not what was written; I/O failures. Nothing
    /// is left in the directory then.
    pub fn restore(&self, target: &Path, copied: &mut dyn FnMut(u64)) -> Result<()> {
        if !is_free(target)? {
            let name = target.display().to_string();
            return Err(Error::Duplicate { kind: "directory", name });
        }
        let done = self.copy(target, copied);
        if done.is_err()
            && let Err(error) = std::fs::remove_dir_all(target)
        {
            tracing::warn!(%error, "what was restored before the failure could not be removed");
        }
        done
    }

    fn copy(&self, target: &Path, copied: &mut dyn FnMut(u64)) -> Result<()> {
        disk::make_directory(target)?;
        let directories: Vec<PathBuf> =
            self.list.directories.iter().map(|path| target.join(path)).collect();
        directories.iter().try_for_each(|directory| disk::make_directory(directory))?;
        for one in &self.list.files {
            let to = target.join(&one.path);
            let found = checksum(&self.directory.join(&one.path), Some(&to))?;
            if found != (one.bytes, one.crc32) {
                let reason = "it is not what was backed up".to_owned();
                return Err(Error::Damaged { path: one.path.clone(), reason });
            }
            copied(one.bytes);
        }
        directories.iter().try_for_each(|directory| disk::sync_directory(directory))?;
        write_whole(&target.join(VERSION_FILE), VERSION.as_bytes())?;
        disk::sync_directory(target)
    }
}

/// Whether a directory is missing or empty.
///
/// # Errors
/// It cannot be read.
pub fn is_free(directory: &Path) -> Result<bool> {
    if !directory.exists() {
        return Ok(true);
    }
    let entries = std::fs::read_dir(directory).map_err(|error| disk::io_error(directory, error))?;
    Ok(entries.count() == 0)
}

fn list_files(
    root: &Path,
    directory: &Path,
    directories: &mut Vec<String>,
    files: &mut Vec<String>,
) -> Result<()> {
    let failed = |error| disk::io_error(directory, error);
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let below = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if entry.file_type().map_err(failed)?.is_dir() {
            directories.push(below);
            list_files(root, &path, directories, files)?;
        } else {
            files.push(below);
        }
    }
    Ok(())
}

/// Size and CRC-32 of a file, which is copied on the way if `to` says where.
fn checksum(path: &Path, to: Option<&Path>) -> Result<(u64, u32)> {
    let failed = |error| disk::io_error(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut copy = match to {
        Some(to) => Some((to, File::create(to).map_err(|error| disk::io_error(to, error))?)),
        None => None,
    };
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        hasher.update(chunk);
        bytes += read as u64;
        if let Some((to, copy)) = &mut copy {
            let written = if read == 0 { copy.sync_all() } else { copy.write_all(chunk) };
            written.map_err(|error| disk::io_error(to, error))?;
        }
        if read == 0 {
            return Ok((bytes, hasher.finalize()));
        }
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| disk::io_error(path, error))
}
