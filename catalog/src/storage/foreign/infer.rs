//! The tables that a directory of Parquet files makes (`IMPORT FOREIGN SCHEMA`).

use std::fs;

use clientele_udfs::types::PgType;

use super::columns::own_type;
use super::files::matching;
use super::footers::Footers;
use crate::error::{Error, Result};

/// How the names of files end.
const ENDING: &str = "parquet";

/// A table to be made: a file, or all files of a directory.
#[derive(Debug)]
pub struct Importable {
    /// The name of the file without its ending, or of the directory.
    pub name: String,
    /// The file, or a pattern for those of the directory.
    pub filename: String,
}

/// A column of a file.
#[derive(Debug)]
pub struct FileColumn {
    /// Its name, in the file's own letters.
    pub name: String,
    /// Its type.
    pub pg_type: PgType,
}

/// The tables of a directory, by name.
///
/// # Errors
/// The directory cannot be read.
pub fn importable(directory: &str) -> Result<Vec<Importable>> {
    let failed = |source| Error::FileNotOpened { path: directory.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let (Some(name), Some(text)) = (path.file_stem(), path.to_str()) else { continue };
        let name = name.to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if path.is_dir() {
            let filename = format!("{text}/*.{ENDING}");
            if matching(&filename).is_ok() {
                found.push(Importable { name, filename });
            }
        } else if path.extension().is_some_and(|one| one == ENDING) {
            found.push(Importable { name, filename: text.to_owned() });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The columns of the first file of a name or pattern that have a type here; the names of the others.
///
/// # Errors
/// It cannot be opened, or is no Parquet file.
pub fn columns_of(filename: &str) -> Result<(Vec<FileColumn>, Vec<String>)> {
    let path = matching(filename)?.into_iter().next().unwrap_or_default();
    let file = Footers::default().file(path)?;
    let (mut columns, mut others) = (Vec::new(), Vec::new());
    for field in file.footer.schema().fields() {
        match own_type(field) {
            Some(pg_type) => columns.push(FileColumn { name: field.name().clone(), pg_type }),
            None => others.push(field.name().clone()),
        }
    }
    Ok((columns, others))
}
