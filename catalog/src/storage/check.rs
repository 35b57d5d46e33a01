//! Check: whether everything that a database's directory names is there and whole.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk;
use super::file::{FileEntry, Graveyard};
use super::manifest::{MANIFEST_FILE, Manifest};
use super::part::FilePart;
use super::reader;
use super::recovery::{data_files, replay};
use super::store::Store;
use crate::error::{Error, Result};

/// What [`Store::check`] found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// Data files that were read.
    pub files: u64,
    /// Live rows, those in the log included.
    pub rows: u64,
    /// Records of the log that were read.
    pub log_records: u64,
    /// What is wrong; empty: nothing.
    pub problems: Vec<String>,
    /// What is odd and harmless: files that nobody names.
    pub warnings: Vec<String>,
}

impl Store {
    /// Reads everything in the directory of a database that is not open, and changes nothing.
    ///
    /// # Errors
    /// The directory cannot be read at all. What is wrong with its content is in the report.
    pub fn check(directory: &Path) -> Result<CheckReport> {
        let definitions = directory.join(MANIFEST_FILE);
        let mut report = CheckReport::default();
        if let Err(error) = check_definitions(&definitions) {
            report.problems.push(error.to_string());
            return Ok(report);
        }
        let copy = DefinitionsCopy::new(&definitions)?;
        let graveyard = Arc::new(Graveyard::default());
        let loaded =
            Manifest::open(&copy.0).and_then(|manifest| manifest.load(directory, &graveyard));
        let recovered = loaded.and_then(|checkpoint| replay(directory, checkpoint, &graveyard));
        let recovered = match recovered {
            Ok(recovered) => recovered,
            Err(error) => {
                let place = match error {
                    Error::Definitions(_) => format!("{}: ", definitions.display()),
                    _ => String::new(),
                };
                report.problems.push(format!("{place}{error}"));
                return Ok(report);
            }
        };
        report.log_records = recovered.records;
        let mut known = HashSet::new();
        for (oid, table) in recovered.snapshot.tables.iter() {
            if recovered.snapshot.catalog.relation_by_oid(*oid).is_none() && !table.is_empty() {
                report.problems.push(format!("rows of relation {oid}, which has no definition"));
            }
            report.rows += table.live_rows();
            for part in table.files.iter() {
                report.files += 1;
                known.insert(part.entry.path.clone());
                report.problems.extend(check_file(part).err().map(|error| error.to_string()));
            }
        }
        for path in data_files(directory)?.iter().filter(|path| !known.contains(*path)) {
            report.warnings.push(format!("file \"{}\" belongs to nothing", path.display()));
        }
        Ok(report)
    }
}

fn check_file(part: &FilePart) -> Result<()> {
    let facts = &part.entry.facts;
    let wrong = |reason: String| Error::Damaged { path: facts.path(), reason };
    let (bytes, crc) = checksum(&part.entry)?;
    if bytes != facts.bytes {
        return Err(wrong(format!("it has {bytes} bytes instead of {}", facts.bytes)));
    }
    if crc != facts.crc {
        return Err(wrong("its checksum is wrong".to_owned()));
    }
    let metadata = reader::metadata(&part.entry)?;
    let rows = metadata.metadata().file_metadata().num_rows();
    if u64::try_from(rows).ok() != Some(facts.rows) {
        return Err(wrong(format!("it has {rows} rows instead of {}", facts.rows)));
    }
    let last = part.deleted.as_ref().and_then(|deleted| deleted.max());
    match last {
        Some(last) if u64::from(last) >= facts.rows => {
            Err(wrong(format!("row {last} is marked as deleted and does not exist")))
        }
        _ => Ok(()),
    }
}

fn checksum(entry: &FileEntry) -> Result<(u64, u32)> {
    let mut file = reader::open(entry)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(|error| disk::io_error(&entry.path, error))?;
        if read == 0 {
            return Ok((bytes, hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Whether a file of definitions is whole: reads every page of a copy of it.
///
/// # Errors
/// [`Error::Damaged`] with its path.
pub(crate) fn check_definitions(original: &Path) -> Result<()> {
    let copy = DefinitionsCopy::new(original)?;
    let damaged = |reason: String| Error::Damaged { path: original.display().to_string(), reason };
    let opened = redb::Database::builder().create(&copy.0);
    let checked = opened.and_then(|mut database| database.check_integrity());
    match checked {
        Ok(true) => Ok(()),
        Ok(false) => Err(damaged("a checksum is wrong".to_owned())),
        Err(error) => Err(damaged(error.to_string())),
    }
}

/// A copy of the definitions: opening the original after a crash would repair it.
struct DefinitionsCopy(PathBuf);

impl DefinitionsCopy {
    fn new(original: &Path) -> Result<Self> {
        let copy =
            std::env::temp_dir().join(format!("clientele-check-{}.redb", uuid::Uuid::new_v4()));
        std::fs::copy(original, &copy).map_err(|error| disk::io_error(original, error))?;
        Ok(Self(copy))
    }
}

impl Drop for DefinitionsCopy {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}
