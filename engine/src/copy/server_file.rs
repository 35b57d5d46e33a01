//! Files of the server: only superusers and members of two roles may touch them.

use std::io::ErrorKind;
use std::path::Path;

use clientele_catalog::privileges::predefined::{READ_SERVER_FILES, WRITE_SERVER_FILES};

use crate::error::{Error, Result};
use crate::session::Session;

/// Which way the data go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// COPY FROM.
    Read,
    /// COPY TO.
    Write,
}

/// Refuses who may not touch files, and paths that depend on where the server runs.
///
/// # Errors
/// 42501, 42602.
pub(crate) fn allow(session: &Session, path: &str, direction: Direction) -> Result<()> {
    let (role, oid, verb) = match direction {
        Direction::Read => ("pg_read_server_files", READ_SERVER_FILES, "from"),
        Direction::Write => ("pg_write_server_files", WRITE_SERVER_FILES, "to"),
    };
    let rights = session.engine.cluster.rights(session.role.oid, session.database.oid);
    if !rights.owns(oid) {
        return Err(Error::new("42501", format!("permission denied to COPY {verb} a file"))
            .with_detail(format!(
                "Only roles with privileges of the \"{role}\" role may COPY {verb} a file."
            ))
            .with_hint(
                "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.",
            ));
    }
    if direction == Direction::Write && !Path::new(path).is_absolute() {
        return Err(Error::new("42602", "relative path not allowed for COPY to file"));
    }
    Ok(())
}

/// What opening a file failed with.
pub(crate) fn not_opened(path: &str, direction: Direction, error: &std::io::Error) -> Error {
    let (aim, hint) = match direction {
        Direction::Read => (
            "reading",
            "COPY FROM instructs the server to read a file. \
             You may want a client-side facility such as psql's \\copy.",
        ),
        Direction::Write => (
            "writing",
            "COPY TO instructs the server to write a file. \
             You may want a client-side facility such as psql's \\copy.",
        ),
    };
    match Error::file_not_opened(path, aim, error) {
        directory if directory.sqlstate == "42809" => directory,
        other => other.with_hint(hint),
    }
}

/// What reading or writing an open file failed with.
pub(crate) fn failed(path: &str, direction: Direction, error: &std::io::Error) -> Error {
    match (error.kind(), direction) {
        (ErrorKind::IsADirectory, _) => Error::new("42809", format!("\"{path}\" is a directory")),
        (ErrorKind::StorageFull, _) => Error::new(
            "53100",
            format!("could not write to file \"{path}\": No space left on device"),
        ),
        (_, Direction::Read) => {
            Error::new("58030", format!("could not read from file \"{path}\": {error}"))
        }
        (_, Direction::Write) => {
            Error::new("58030", format!("could not write to file \"{path}\": {error}"))
        }
    }
}
