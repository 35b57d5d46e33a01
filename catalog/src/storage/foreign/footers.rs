//! Footers of files, read once for as long as the files stay as they are.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use parking_lot::Mutex;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::PageIndexPolicy;

use super::files::{ForeignFile, Mark};
use crate::error::{Error, Result};

/// Bytes of footers that are kept.
const BYTES_MAX: usize = 128 << 20;

/// Footers by path.
#[derive(Debug, Default)]
pub(in crate::storage) struct Footers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_path: HashMap<String, (Mark, ArrowReaderMetadata)>,
    bytes: usize,
}

impl Footers {
    /// A file as it is now.
    ///
    /// # Errors
    /// It cannot be opened, or is no Parquet file.
    pub(super) fn file(&self, path: String) -> Result<ForeignFile> {
        let at = std::fs::metadata(&path).map_err(|error| not_opened(&path, error))?;
        let mark = Mark::of(&at);
        if at.is_dir() {
            return Err(not_opened(&path, std::io::ErrorKind::IsADirectory.into()));
        }
        if let Some((known, footer)) = self.0.lock().by_path.get(&path)
            && *known == mark
        {
            return Ok(ForeignFile { mark, footer: footer.clone(), path });
        }
        let file = File::open(&path).map_err(|error| not_opened(&path, error))?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let footer = ArrowReaderMetadata::load(&file, options).map_err(|error| {
            Error::NoParquetFile { path: path.clone(), reason: error.to_string() }
        })?;
        // What was opened may be younger than what was looked at.
        let mark = file.metadata().map_or(mark, |opened| Mark::of(&opened));
        self.keep(&path, mark, &footer);
        Ok(ForeignFile { path, mark, footer })
    }

    fn keep(&self, path: &str, mark: Mark, footer: &ArrowReaderMetadata) {
        let bytes = footer.metadata().memory_size();
        let mut kept = self.0.lock();
        if kept.bytes + bytes > BYTES_MAX {
            *kept = Kept::default();
        }
        kept.bytes += bytes;
        if let Some((_, old)) = kept.by_path.insert(path.to_owned(), (mark, footer.clone())) {
            kept.bytes = kept.bytes.saturating_sub(old.metadata().memory_size());
        }
    }
}

/// Opens a file that a statement found before.
///
/// # Errors
/// It is gone, or another one now.
pub(super) fn reopened(found: &ForeignFile) -> Result<Arc<File>> {
    let file = File::open(&found.path).map_err(|error| not_opened(&found.path, error))?;
    let now = file.metadata().map_err(|error| not_opened(&found.path, error))?;
    match Mark::of(&now) == found.mark {
        true => Ok(Arc::new(file)),
        false => Err(Error::FileChanged { path: found.path.clone() }),
    }
}

fn not_opened(path: &str, source: std::io::Error) -> Error {
    Error::FileNotOpened { path: path.to_owned(), source }
}
