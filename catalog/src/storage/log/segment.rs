//! Segment files: a header, then records, then zeros.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::storage::disk::{io_error, sync_directory};

const MAGIC: &[u8; 8] = b"CLNTLOG\x01";
/// Format of the records; a reader refuses what it does not know.
const VERSION: u32 = 1;
/// Bytes before the first record.
pub(crate) const HEADER_BYTES: u64 = 64;
/// Bytes before a record's payload: length, checksum, sequence.
pub(crate) const RECORD_HEADER_BYTES: usize = 16;
/// Set in the length of the first record of each group: the group before it was made durable.
const FIRST_OF_GROUP: u32 = 1 << 31;
/// Bytes behind the end of the log in which a later group is looked for.
const SEARCH_BYTES: u64 = 64 << 20;
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// Path of a segment below a database's directory.
pub(crate) fn segment_path(directory: &Path, number: u64) -> PathBuf {
    directory.join("log").join(format!("{number:012}.log"))
}

/// Numbers of the segments that are there, in order.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn list_segments(directory: &Path) -> Result<Vec<u64>> {
    let path = directory.join("log");
    let entries = std::fs::read_dir(&path).map_err(|error| io_error(&path, error))?;
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| io_error(&path, error))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// One record as it was found.
#[derive(Debug)]
pub(crate) struct Record {
    /// Its running number.
    pub(crate) sequence: u64,
    /// What it says.
    pub(crate) payload: Vec<u8>,
    /// Where the next one begins.
    pub(crate) end: u64,
}

/// A segment that exists on disk.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
}

impl Segment {
    /// Makes a segment of `size` bytes: zeros on disk, then its name.
    ///
    /// # Errors
    /// The disk is full, or the file cannot be written.
    pub(crate) fn create(directory: &Path, number: u64, size: u64) -> Result<Self> {
        let path = segment_path(directory, number);
        let unfinished = path.with_extension("tmp");
        let write = || {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&unfinished)?;
            file.write_all(&header(number))?;
            let mut left = size.saturating_sub(HEADER_BYTES);
            while left > 0 {
                let piece = left.min(ZEROS.len() as u64);
                file.write_all(&ZEROS[..usize::try_from(piece).unwrap_or(0)])?;
                left -= piece;
            }
            file.sync_all()?;
            std::fs::rename(&unfinished, &path)?;
            Ok(file)
        };
        let file = write().map_err(|error| {
            // What was written of it would keep a full disk full.
            drop(std::fs::remove_file(&unfinished));
            io_error(&path, error)
        })?;
        sync_directory(&directory.join("log"))?;
        Ok(Self { number, file, path, size })
    }

    /// Opens a segment that is there.
    ///
    /// # Errors
    /// [`Error::Damaged`] when its header is not that of this segment.
    pub(crate) fn open(directory: &Path, number: u64) -> Result<Self> {
        let path = segment_path(directory, number);
        let open = || {
            let file = OpenOptions::new().read(true).write(true).open(&path)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        };
        let (file, size) = open().map_err(|error| io_error(&path, error))?;
        let mut found = [0; 24];
        let read = file.read_exact_at(&mut found, 0);
        if read.is_err() || found != header(number)[..24] {
            let reason = "it has no header of a log segment of this version".to_owned();
            return Err(Error::Damaged { path: path.display().to_string(), reason });
        }
        Ok(Self { number, file, path, size })
    }

    /// The record at an offset; `None` when there is no whole one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read(&self, offset: u64, sequence: u64) -> Result<Option<Record>> {
        let header_bytes = RECORD_HEADER_BYTES as u64;
        if offset + header_bytes > self.size {
            return Ok(None);
        }
        let mut header = [0; RECORD_HEADER_BYTES];
        self.read_at(&mut header, offset)?;
        let (length, crc, found) = parse_header(&header);
        let left = self.size - offset - header_bytes;
        if length == 0 || u64::from(length) > left || found != sequence {
            return Ok(None);
        }
        let mut payload = vec![0; usize::try_from(length).unwrap_or(0)];
        self.read_at(&mut payload, offset + header_bytes)?;
        if checksum(sequence, &payload) != crc {
            return Ok(None);
        }
        let end = offset + record_bytes(payload.len());
        Ok(Some(Record { sequence, payload, end }))
    }

    /// The sequence of a whole group behind an offset where no whole record is: what was there
    /// was durable before that group was written, and is damaged now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn group_after(&self, offset: u64, sequence: u64) -> Result<Option<u64>> {
        let bytes = self.size.saturating_sub(offset).min(SEARCH_BYTES);
        let mut rest = vec![0; usize::try_from(bytes).unwrap_or(0)];
        self.read_at(&mut rest, offset)?;
        for at in (0..rest.len()).step_by(8) {
            let Some(header) = rest.get(at..).and_then(|rest| rest.first_chunk()) else { break };
            let (length, crc, found) = parse_header(header);
            if !is_first(header) || found <= sequence {
                continue;
            }
            let start = at + RECORD_HEADER_BYTES;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let payload = rest.get(start..start.saturating_add(length));
            if payload.is_some_and(|payload| checksum(found, payload) == crc) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The sequence that the record at an offset claims to have; 0 when there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn claimed_sequence(&self, offset: u64) -> Result<u64> {
        let mut header = [0; RECORD_HEADER_BYTES];
        if offset + header.len() as u64 > self.size {
            return Ok(0);
        }
        self.read_at(&mut header, offset)?;
        Ok(parse_header(&header).2)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_exact_at(buffer, offset).map_err(|error| io_error(&self.path, error))
    }

    /// Writes and makes durable.
    ///
    /// # Errors
    /// The file cannot be written or synchronised.
    pub(crate) fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let write = || {
            self.file.write_all_at(bytes, offset)?;
            self.file.sync_data()
        };
        write().map_err(|error| io_error(&self.path, error))
    }

    /// Writes zeros from an offset to `end`, so that nothing that was written there counts.
    ///
    /// # Errors
    /// The file cannot be written or synchronised.
    pub(crate) fn erase(&self, offset: u64, end: u64) -> Result<()> {
        let erase = || {
            let mut at = offset;
            while at < end.min(self.size) {
                let piece = (end.min(self.size) - at).min(ZEROS.len() as u64);
                self.file.write_all_at(&ZEROS[..usize::try_from(piece).unwrap_or(0)], at)?;
                at += piece;
            }
            self.file.sync_data()
        };
        erase().map_err(|error| io_error(&self.path, error))
    }
}

fn header(number: u64) -> [u8; HEADER_BYTES as usize] {
    let mut header = [0; HEADER_BYTES as usize];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..20].copy_from_slice(&number.to_le_bytes());
    let crc = crc32fast::hash(&header[..20]);
    header[20..24].copy_from_slice(&crc.to_le_bytes());
    header
}

fn parse_header(header: &[u8; RECORD_HEADER_BYTES]) -> (u32, u32, u64) {
    let mut four = [0; 4];
    four.copy_from_slice(&header[..4]);
    let length = u32::from_le_bytes(four);
    four.copy_from_slice(&header[4..8]);
    let mut eight = [0; 8];
    eight.copy_from_slice(&header[8..]);
    (length & !FIRST_OF_GROUP, u32::from_le_bytes(four), u64::from_le_bytes(eight))
}

fn is_first(header: &[u8; RECORD_HEADER_BYTES]) -> bool {
    // The length's highest byte.
    header[3] & 0x80 != 0
}

fn checksum(sequence: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&sequence.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Bytes that a record takes: header, payload, padding to 8.
pub(crate) fn record_bytes(payload: usize) -> u64 {
    (RECORD_HEADER_BYTES as u64 + payload as u64).next_multiple_of(8)
}

/// Adds a record to the buffer of a group.
///
/// # Errors
/// The payload is larger than 2 GiB.
pub(crate) fn append_record(buffer: &mut Vec<u8>, sequence: u64, payload: &[u8]) -> Result<()> {
    let length = u32::try_from(payload.len()).ok().filter(|length| *length < FIRST_OF_GROUP);
    let length =
        length.ok_or_else(|| Error::Internal("a transaction's rows exceed 2 GiB".to_owned()))?;
    let first = if buffer.is_empty() { FIRST_OF_GROUP } else { 0 };
    buffer.extend_from_slice(&(length | first).to_le_bytes());
    buffer.extend_from_slice(&checksum(sequence, payload).to_le_bytes());
    buffer.extend_from_slice(&sequence.to_le_bytes());
    buffer.extend_from_slice(payload);
    buffer.resize(buffer.len().next_multiple_of(8), 0);
    Ok(())
}
