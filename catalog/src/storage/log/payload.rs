//! What a record says. A version byte, a JSON header, then the bodies that the header names the
//! lengths of: bitmaps, and rows as Arrow record batch messages without a schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow::ipc::{MetadataVersion, root_as_message};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::{Field, Schema};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::definition::{Object, Oid};
use crate::error::{Error, Result};
use crate::storage::file::FileFacts;
use crate::storage::part::{MemoryBatch, PartId};

const VERSION: u8 = 1;

/// One record: a transaction, or parts replaced by a flush or a compaction.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Payload {
    /// Objects put.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) objects: Vec<Object>,
    /// Objects dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dropped: Vec<Oid>,
    /// Changes to rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tables: Vec<TableRecord>,
    /// Parts replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replaced: Vec<ReplaceRecord>,
}

/// Changes to the rows of a relation, in this order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TableRecord {
    pub(crate) relation: Oid,
    #[serde(default)]
    pub(crate) truncated: bool,
    /// Deleted rows of earlier parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) deleted: Vec<(PartId, BitmapBody)>,
    pub(crate) rows: Option<RowsRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<FileRecord>,
}

/// New rows in memory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct RowsRecord {
    /// The part they were added to, and the number of the first.
    pub(crate) part: PartId,
    pub(crate) start: u32,
    pub(crate) count: u32,
    /// Number, type OID and modifier of each column: the definition may change before a replay.
    pub(crate) columns: Vec<(i16, u32, i32)>,
    pub(crate) length: u32,
    #[serde(skip)]
    pub(crate) body: Vec<u8>,
}

/// A new file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub(crate) facts: FileFacts,
    pub(crate) deleted: Option<BitmapBody>,
}

/// Parts of a relation that files took the place of.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ReplaceRecord {
    pub(crate) relation: Oid,
    pub(crate) removed: Vec<PartId>,
    pub(crate) files: Vec<FileRecord>,
}

/// A bitmap among the bodies.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct BitmapBody {
    length: u32,
    #[serde(skip)]
    bytes: Vec<u8>,
}

impl BitmapBody {
    /// Encodes a bitmap.
    ///
    /// # Errors
    /// It is larger than 4 GiB.
    pub(crate) fn new(bitmap: &RoaringBitmap) -> Result<Self> {
        let mut bytes = Vec::with_capacity(bitmap.serialized_size());
        bitmap.serialize_into(&mut bytes).map_err(|error| malformed(&error))?;
        Ok(Self { length: u32::try_from(bytes.len()).map_err(|error| malformed(&error))?, bytes })
    }

    /// The bitmap.
    ///
    /// # Errors
    /// The bytes are none.
    pub(crate) fn bitmap(&self) -> Result<RoaringBitmap> {
        RoaringBitmap::deserialize_from(self.bytes.as_slice()).map_err(|error| malformed(&error))
    }
}

impl Payload {
    /// The bytes of the record.
    ///
    /// # Errors
    /// The header cannot be written as JSON.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let header = serde_json::to_vec(self).map_err(|error| malformed(&error))?;
        let mut bytes = Vec::with_capacity(header.len() + 64);
        bytes.push(VERSION);
        bytes.extend_from_slice(&u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&header);
        for table in &self.tables {
            table.deleted.iter().for_each(|(_, body)| bytes.extend_from_slice(&body.bytes));
            table.rows.iter().for_each(|rows| bytes.extend_from_slice(&rows.body));
            append_files(&mut bytes, &table.files);
        }
        self.replaced.iter().for_each(|one| append_files(&mut bytes, &one.files));
        Ok(bytes)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// The bytes are none of this version.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut rest = bytes;
        let version = take(&mut rest, 1)?;
        if version != [VERSION] {
            return Err(malformed(&"unknown version of a log record"));
        }
        let mut length = [0; 4];
        length.copy_from_slice(take(&mut rest, 4)?);
        let header = take(&mut rest, u32::from_le_bytes(length))?;
        let mut payload: Self =
            serde_json::from_slice(header).map_err(|error| malformed(&error))?;
        for table in &mut payload.tables {
            for (_, body) in &mut table.deleted {
                body.bytes = take(&mut rest, body.length)?.to_vec();
            }
            if let Some(rows) = &mut table.rows {
                rows.body = take(&mut rest, rows.length)?.to_vec();
            }
            read_files(&mut rest, &mut table.files)?;
        }
        for one in &mut payload.replaced {
            read_files(&mut rest, &mut one.files)?;
        }
        Ok(payload)
    }
}

fn append_files(bytes: &mut Vec<u8>, files: &[FileRecord]) {
    let bitmaps = files.iter().filter_map(|file| file.deleted.as_ref());
    bitmaps.for_each(|body| bytes.extend_from_slice(&body.bytes));
}

fn read_files(rest: &mut &[u8], files: &mut [FileRecord]) -> Result<()> {
    for body in files.iter_mut().filter_map(|file| file.deleted.as_mut()) {
        body.bytes = take(rest, body.length)?.to_vec();
    }
    Ok(())
}

fn take<'a>(rest: &mut &'a [u8], length: u32) -> Result<&'a [u8]> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > rest.len() {
        return Err(malformed(&"a log record is shorter than it says"));
    }
    let (taken, left) = rest.split_at(length);
    *rest = left;
    Ok(taken)
}

fn malformed(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("a log record is malformed: {error}"))
}

fn schema_of(columns: &[(i16, u32, i32)]) -> Arc<Schema> {
    let fields = columns.iter().map(|(number, oid, modifier)| {
        let pg_type = PgType { oid: *oid, modifier: *modifier };
        Field::new(number.to_string(), pg_type.arrow(), true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Encodes rows; part and start are filled in by the committer.
///
/// # Errors
/// Arrow cannot encode them.
pub(crate) fn encode_rows(batch: &MemoryBatch, types: &[PgType]) -> Result<RowsRecord> {
    let columns = batch.columns.iter().zip(types);
    let columns: Vec<_> = columns.map(|(number, one)| (*number, one.oid, one.modifier)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.rows));
    let rows =
        RecordBatch::try_new_with_options(schema_of(&columns), batch.arrays.clone(), &options)?;
    let options = IpcWriteOptions::try_new(8, false, MetadataVersion::V5)?;
    let (_, encoded) = IpcDataGenerator::default().encode(
        &rows,
        &mut DictionaryTracker::new(false),
        &options,
        &mut IpcWriteContext::default(),
    )?;
    let message = u64::try_from(encoded.ipc_message.len()).unwrap_or(0).to_le_bytes();
    let mut body = Vec::with_capacity(8 + encoded.ipc_message.len() + encoded.arrow_data.len() + 8);
    body.extend_from_slice(&message);
    body.extend_from_slice(&encoded.ipc_message);
    body.resize(body.len().next_multiple_of(8), 0);
    body.extend_from_slice(&encoded.arrow_data);
    let length = u32::try_from(body.len()).map_err(|error| malformed(&error))?;
    let count = u32::try_from(batch.rows).map_err(|error| malformed(&error))?;
    Ok(RowsRecord { part: 0, start: 0, count, columns, length, body })
}

/// The rows of a record.
///
/// # Errors
/// The bytes are no record batch of the columns.
pub(crate) fn decode_rows(record: &RowsRecord) -> Result<MemoryBatch> {
    let schema = schema_of(&record.columns);
    let mut rest = record.body.as_slice();
    let mut length = [0; 8];
    length.copy_from_slice(take(&mut rest, 8)?);
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(|error| malformed(&error))?;
    let start = (8 + length).next_multiple_of(8);
    let (Some(message), Some(data)) = (record.body.get(8..8 + length), record.body.get(start..))
    else {
        return Err(malformed(&"rows are cut short"));
    };
    let message = root_as_message(message).map_err(|error| malformed(&error))?;
    let header =
        message.header_as_record_batch().ok_or_else(|| malformed(&"rows are no record batch"))?;
    let batch = arrow::ipc::reader::read_record_batch(
        &Buffer::from(data),
        header,
        schema,
        &HashMap::new(),
        None,
        &MetadataVersion::V5,
    )?;
    let columns = record.columns.iter().map(|(number, _, _)| *number).collect();
    let rows = batch.num_rows();
    Ok(MemoryBatch { start: record.start, columns, arrays: batch.columns().to_vec(), rows })
}
