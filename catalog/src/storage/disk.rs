//! Files as durable things: errors with their path, directories that are synchronised.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::error::{Error, Result};

/// An I/O error with the path it happened at; a full disk has an error of its own.
pub(crate) fn io_error(path: &Path, source: io::Error) -> Error {
    let shown = path.display().to_string();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::DiskFull { path: shown }
        }
        _ => Error::Io { path: shown, source },
    }
}

/// Makes names in a directory durable: after a file was made, renamed or unlinked in it.
///
/// # Errors
/// The directory cannot be synchronised.
pub(crate) fn sync_directory(path: &Path) -> Result<()> {
    let sync = || File::open(path)?.sync_all();
    sync().map_err(|error| io_error(path, error))
}

/// Makes a directory and its name durable; does nothing when it is there.
///
/// # Errors
/// It cannot be made.
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directory(parent)?;
        match std::fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(io_error(path, error));
            }
            _ => sync_directory(parent)?,
        }
    }
    Ok(())
}

/// Unlinks a file; one that is gone already is fine.
///
/// # Errors
/// It cannot be unlinked.
pub(crate) fn unlink(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path, error)),
        _ => Ok(()),
    }
}
