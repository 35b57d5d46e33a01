//! The search for those who were erased: in every column of every data file, in rows in memory, in
//! the log, in definitions.

use std::collections::BTreeMap;
use std::fs::File;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::needles::Needles;
use crate::catalog::Catalog;
use crate::definition::{Column, Relation};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::storage::disk;
use crate::storage::file::FileEntry;
use crate::storage::log::{Payload, Segment, decode_rows, list_segments};
use crate::storage::manifest::MANIFEST_FILE;
use crate::storage::part::MemoryBatch;
use crate::storage::shared::Shared;
use crate::storage::snapshot::Snapshot;

/// What was searched.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    /// Data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records of the log.
    pub log_records: u64,
    /// Definitions.
    pub definitions: u64,
    /// By erasure and place (`shop.orders.note`): how often somebody was found.
    pub residues: BTreeMap<(i64, String), u64>,
}

/// Searches everything.
///
/// # Errors
/// A file cannot be read.
pub(super) fn all(
    shared: &Shared,
    snapshot: &Snapshot,
    needles: &Needles,
    progress: &Progress,
) -> Result<Scanned> {
    let catalog = &snapshot.catalog;
    let mut search = Search { catalog, needles, found: Scanned::default() };
    snapshot.tables.values().for_each(|table| progress.expect(table.file_bytes()));
    for (oid, table) in snapshot.tables.iter() {
        let Some(relation) = catalog.relation_by_oid(*oid) else { continue };
        for part in table.files.iter() {
            search.file(relation, &part.entry)?;
            progress.advance(part.entry.facts.bytes);
        }
        for batch in table.memory.iter().flat_map(|part| &part.batches) {
            search.rows(relation, batch);
        }
    }
    search.log(shared)?;
    search.definitions(shared)?;
    Ok(search.found)
}

struct Search<'a> {
    catalog: &'a Catalog,
    needles: &'a Needles,
    found: Scanned,
}

impl Search<'_> {
    fn note(&mut self, erasure: Option<i64>, place: impl FnOnce() -> String) {
        if let Some(erasure) = erasure {
            *self.found.residues.entry((erasure, place())).or_default() += 1;
        }
    }

    /// All that is stored in a file, deleted rows and dropped columns included, and its footer.
    fn file(&mut self, relation: &Relation, entry: &FileEntry) -> Result<()> {
        self.found.files += 1;
        self.found.bytes += entry.facts.bytes;
        let failed = |error| disk::io_error(&entry.path, error);
        let file = File::open(&entry.path).map_err(failed)?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let footer = self.needles.in_text(format!("{:?}", reader.metadata()).as_bytes());
        self.note(footer, || format!("footer of {}", entry.facts.path()));
        for batch in reader.with_batch_size(8192).build()? {
            let batch: RecordBatch = batch?;
            for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
                let mut columns = relation.columns.iter();
                let column = columns.find(|one| one.stored_name == *field.name());
                self.array(relation, (column, field.name()), array);
            }
        }
        Ok(())
    }

    fn rows(&mut self, relation: &Relation, batch: &MemoryBatch) {
        for (number, array) in batch.columns.iter().zip(&batch.arrays) {
            let column = relation.columns.iter().find(|one| one.number == *number);
            self.array(relation, (column, "a column"), array);
        }
    }

    fn array(
        &mut self,
        relation: &Relation,
        (column, name): (Option<&Column>, &str),
        array: &ArrayRef,
    ) {
        let values: Box<dyn Iterator<Item = Option<&[u8]>> + '_> = match array.data_type() {
            DataType::Utf8View => {
                Box::new(array.as_string_view().iter().map(|one| one.map(str::as_bytes)))
            }
            DataType::Utf8 => {
                Box::new(array.as_string::<i32>().iter().map(|one| one.map(str::as_bytes)))
            }
            DataType::BinaryView => Box::new(array.as_binary_view().iter()),
            DataType::Binary => Box::new(array.as_binary::<i32>().iter()),
            DataType::List(_) => {
                return self.array(relation, (column, name), array.as_list::<i32>().values());
            }
            _ => return,
        };
        let wanted = column.map(|column| self.needles.wanted(self.catalog, column));
        let wanted = wanted.unwrap_or_default();
        let whose = |value: &[u8]| match std::str::from_utf8(value) {
            Ok(text) => self.needles.in_value(&wanted, text),
            Err(_) => self.needles.in_text(value),
        };
        let found: Vec<i64> = values.flatten().filter_map(whose).collect();
        let name = column.map_or(name, |column| column.name.as_str());
        let catalog = self.catalog;
        for erasure in found {
            self.note(Some(erasure), || format!("{}.{name}", catalog.qualified_name(relation)));
        }
    }

    fn log(&mut self, shared: &Shared) -> Result<()> {
        for number in list_segments(&shared.directory)? {
            let segment = Segment::open(&shared.directory, number)?;
            let mut at = crate::storage::log::Position::START.offset;
            let mut sequence = segment.claimed_sequence(at)?;
            while let Some(record) = segment.read(at, sequence)? {
                self.found.log_records += 1;
                self.record(&Payload::decode(&record.payload)?)?;
                at = record.end;
                sequence += 1;
            }
        }
        Ok(())
    }

    fn record(&mut self, payload: &Payload) -> Result<()> {
        for table in &payload.tables {
            let Some(rows) = &table.rows else { continue };
            let batch = decode_rows(rows)?;
            if let Some(relation) = self.catalog.relation_by_oid(table.relation) {
                self.rows(relation, &batch);
            }
        }
        for object in &payload.objects {
            let text = serde_json::to_vec(object);
            let text = text.map_err(|error| Error::Internal(error.to_string()))?;
            self.note(self.needles.in_text(&text), || "log".to_owned());
        }
        Ok(())
    }

    /// Definitions may have literals; the file may have pages that nobody uses.
    fn definitions(&mut self, shared: &Shared) -> Result<()> {
        let catalog = self.catalog;
        for relation in catalog.relations() {
            self.found.definitions += 1;
            let text = serde_json::to_vec(relation.as_ref());
            let text = text.map_err(|error| Error::Internal(error.to_string()))?;
            let found = self.needles.in_text(&text);
            self.note(found, || format!("definition of {}", catalog.qualified_name(relation)));
        }
        let path = shared.directory.join(MANIFEST_FILE);
        let bytes = std::fs::read(&path).map_err(|error| disk::io_error(&path, error))?;
        self.note(self.needles.in_text(&bytes), || MANIFEST_FILE.to_owned());
        Ok(())
    }
}
