//! Backup: one instant of a database as a directory of its own, while the database serves.

use std::path::Path;
use std::sync::Arc;

use super::disk;
use super::erasure;
use super::file::FileFacts;
use super::flush::write_memory;
use super::manifest::{Facts, MANIFEST_FILE, Manifest};
use super::part::{FilePart, TableData};
use super::snapshot::Snapshot;
use super::store::Store;
use super::upkeep::Upkeep;
use crate::error::{Error, Result};
use crate::progress::Progress;

impl Store {
    /// Writes what is committed now to an empty or missing directory, which [`Store::open`] opens.
    /// Data files are hard links where the file system allows it; what is known about them is
    /// returned.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when the directory is not empty; a file cannot be written.
    pub async fn backup(&self, target: &Path) -> Result<Vec<FileFacts>> {
        let target = target.to_owned();
        self.maintain(move |upkeep| backup(upkeep, &target)).await
    }
}

fn backup(upkeep: &Upkeep, target: &Path) -> Result<Vec<FileFacts>> {
    disk::make_directory(target)?;
    let entries = std::fs::read_dir(target).map_err(|error| disk::io_error(target, error))?;
    if entries.count() > 0 {
        let name = target.display().to_string();
        return Err(Error::Duplicate { kind: "directory", name });
    }
    let _no_rewrites = upkeep.working();
    let shared = &upkeep.shared;
    let sealed = upkeep.seal()?;
    let snapshot = without_memory(upkeep, &sealed.snapshot)?;
    disk::make_directory(&target.join("log"))?;
    disk::make_directory(&target.join("files"))?;
    let mut listed = Vec::new();
    for table in snapshot.tables.values() {
        for part in table.files.iter() {
            let to = target.join(part.entry.facts.path());
            link(&part.entry.path, &to)?;
            listed.push(part.entry.facts.clone());
        }
    }
    for relation in snapshot.tables.keys() {
        let directory = target.join("files").join(relation.to_string());
        if directory.is_dir() {
            disk::sync_directory(&directory)?;
        }
    }
    let manifest = Manifest::open(&target.join(MANIFEST_FILE))?;
    let facts = Facts { next_oid: shared.manifest.next_oid()?, ..shared.facts() };
    manifest.store(&snapshot, None, &facts)?;
    erasure::back_up(&shared.directory, target)?;
    drop(snapshot);
    shared.graveyard.empty();
    disk::sync_directory(target)?;
    Ok(listed)
}

/// The snapshot with its rows in memory in files. The files belong to nobody: they vanish with the
/// snapshot.
fn without_memory(upkeep: &Upkeep, sealed: &Snapshot) -> Result<Snapshot> {
    let mut snapshot = sealed.clone();
    for written in write_memory(&upkeep.shared, sealed, &Progress::default())? {
        let tables = Arc::make_mut(&mut snapshot.tables);
        let table = Arc::make_mut(tables.entry(written.relation).or_default());
        table.memory.clear();
        for file in &written.files {
            table.add_file(FilePart { entry: Arc::clone(&file.entry), deleted: None });
        }
    }
    debug_assert!(snapshot.tables.values().all(|table: &Arc<TableData>| table.memory.is_empty()));
    Ok(snapshot)
}

/// A second name of a file, durable once its directory is synchronised; on another file system a
/// copy.
///
/// # Errors
/// It can neither be linked nor copied.
pub(super) fn link(from: &Path, to: &Path) -> Result<()> {
    if let Some(directory) = to.parent() {
        disk::make_directory(directory)?;
    }
    if std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let copy = || {
        std::fs::copy(from, to)?;
        std::fs::File::open(to)?.sync_all()
    };
    copy().map_err(|error| disk::io_error(to, error))
}
