//! A reader that knows nothing of the engine: it looks for marks in the bytes of every file below a
//! directory, and in every page of every Parquet file, decompressed.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};

use super::people::Person;

/// Where which mark was found: `file: mark`.
pub(super) fn search(directory: &Path, people: &[Person]) -> Result<BTreeSet<String>> {
    let marks: HashSet<Vec<u8>> =
        people.iter().flat_map(Person::marks).map(String::into_bytes).collect();
    let marks = &marks;
    let mut files = Vec::new();
    list(directory, &mut files)?;
    let mut found = BTreeSet::new();
    for path in files {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // A server at work may have removed it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        let below = path.strip_prefix(directory).unwrap_or(&path).display().to_string();
        look(&bytes, marks, &below, &mut found);
        if path.extension().is_some_and(|one| one == "parquet") {
            for page in pages(&path).with_context(|| below.clone())? {
                look(&page, marks, &below, &mut found);
            }
        }
    }
    Ok(found)
}

fn look(bytes: &[u8], marks: &HashSet<Vec<u8>>, place: &str, found: &mut BTreeSet<String>) {
    for at in 0..bytes.len() {
        let length = match bytes[at] {
            b'+' => 12,
            letter if letter.is_ascii_alphabetic() => 10,
            _ => continue,
        };
        let Some(word) = bytes.get(at..at + length) else { continue };
        let word = word.to_ascii_lowercase();
        if marks.contains(&word) {
            found.insert(format!("{place}: {}", String::from_utf8_lossy(&word)));
        }
    }
}

/// Every page of every column, dictionaries included.
fn pages(path: &Path) -> Result<Vec<Vec<u8>>> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let mut pages = Vec::new();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        for column in 0..group.num_columns() {
            let mut column = group.get_column_page_reader(column)?;
            while let Some(page) = column.get_next_page()? {
                pages.push(page.buffer().to_vec());
            }
        }
    }
    Ok(pages)
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
