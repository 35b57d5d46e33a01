//! The search for those who were erased: in every column of every data file, in rows in memory, in
//! the log, in definitions of objects, and in those of roles and databases.

use std::collections::BTreeMap;
use std::fs::File;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use parking_lot::Mutex;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type;

use super::needles::Needles;
use crate::catalog::Catalog;
use crate::definition::{Column, Object, Oid, Relation};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::storage::disk;
use crate::storage::file::FileEntry;
use crate::storage::log::{Payload, Segment, decode_rows, list_segments};
use crate::storage::manifest::MANIFEST_FILE;
use crate::storage::part::MemoryBatch;
use crate::storage::shared::Shared;
use crate::storage::snapshot::Snapshot;

/// Rows that are searched at once.
const BATCH_ROWS: usize = 65_536;

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

/// Searches everything; `beside` are texts that the database has elsewhere, with their places.
///
/// # Errors
/// A file cannot be read.
pub(super) fn all(
    shared: &Shared,
    snapshot: &Snapshot,
    (needles, beside): (&Needles, &[(String, Vec<u8>)]),
    progress: &Progress,
) -> Result<Scanned> {
    let catalog = &snapshot.catalog;
    let new = || Search { catalog, needles, found: Scanned::default() };
    let tables = || {
        snapshot.tables.iter().filter_map(|(oid, table)| {
            catalog.relation_by_oid(*oid).map(|relation| (relation, table))
        })
    };
    tables().for_each(|(_, table)| progress.expect(table.file_bytes()));
    let files = tables()
        .flat_map(|(relation, table)| table.files.iter().map(move |part| (relation, &part.entry)));
    let files = Mutex::new(files);
    let read = || -> Result<Scanned> {
        let mut search = new();
        loop {
            let Some((relation, entry)) = files.lock().next() else { return Ok(search.found) };
            search.file(relation, entry)?;
            progress.advance(entry.facts.bytes);
        }
    };
    let mut search = new();
    for found in super::on_processors(read) {
        search.found.add(found?);
    }
    for (relation, table) in tables() {
        for batch in table.memory.iter().flat_map(|part| &part.batches) {
            search.rows(relation, batch)?;
        }
    }
    search.log(shared)?;
    search.definitions(shared)?;
    for (place, text) in beside {
        search.found.definitions += 1;
        search.note(needles.in_text(text), || place.clone());
    }
    Ok(search.found)
}

impl Scanned {
    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.log_records += other.log_records;
        self.definitions += other.definitions;
        for (place, count) in other.residues {
            *self.residues.entry(place).or_default() += count;
        }
    }
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
        // Texts one after the other, as Parquet has them.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
        let footer = self.needles.in_text(format!("{:?}", reader.metadata()).as_bytes());
        let before: u64 = self.found.residues.values().sum();
        let schema = reader.parquet_schema();
        let leaves = schema.columns().iter().enumerate();
        let texts = leaves.filter(|(_, leaf)| leaf.physical_type() == Type::BYTE_ARRAY);
        let mask = ProjectionMask::leaves(schema, texts.map(|(at, _)| at));
        for batch in reader.with_projection(mask).with_batch_size(BATCH_ROWS).build()? {
            let batch: RecordBatch = batch?;
            for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
                let mut columns = relation.columns.iter();
                let column = columns.find(|one| one.stored_name == *field.name());
                self.array(relation, (column, field.name()), array)?;
            }
        }
        // It repeats the least and the greatest values of the columns.
        if self.found.residues.values().sum::<u64>() == before {
            self.note(footer, || format!("footer of {}", entry.facts.path()));
        }
        Ok(())
    }

    fn rows(&mut self, relation: &Relation, batch: &MemoryBatch) -> Result<()> {
        for (number, array) in batch.columns.iter().zip(&batch.arrays) {
            let column = relation.columns.iter().find(|one| one.number == *number);
            self.array(relation, (column, "a column"), array)?;
        }
        Ok(())
    }

    fn array(
        &mut self,
        relation: &Relation,
        (column, name): (Option<&Column>, &str),
        array: &ArrayRef,
    ) -> Result<()> {
        let place = (column, name);
        let (offsets, bytes) = match array.data_type() {
            DataType::List(_) => {
                return self.array(relation, place, array.as_list::<i32>().values());
            }
            DataType::Utf8View => {
                return self.array(relation, place, &cast(array, &DataType::Utf8)?);
            }
            DataType::BinaryView => {
                return self.array(relation, place, &cast(array, &DataType::Binary)?);
            }
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                (texts.value_offsets(), texts.value_data())
            }
            DataType::Binary => {
                let values = array.as_binary::<i32>();
                (values.value_offsets(), values.value_data())
            }
            _ => return Ok(()),
        };
        let mut found = self.needles.in_texts(offsets, bytes);
        let wanted = column.map(|column| self.needles.wanted(self.catalog, column));
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
            let values = offsets.windows(2).enumerate().filter_map(|(row, ends)| {
                let range = usize::try_from(ends[0]).ok()?..usize::try_from(ends[1]).ok()?;
                let value = std::str::from_utf8(bytes.get(range)?).ok()?;
                Some((row, self.needles.is_value(&wanted, value)?))
            });
            found.extend(values);
        }
        let name = column.map_or(name, |column| column.name.as_str());
        let catalog = self.catalog;
        for erasure in found.into_values() {
            self.note(Some(erasure), || format!("{}.{name}", catalog.qualified_name(relation)));
        }
        Ok(())
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
                self.rows(relation, &batch)?;
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
        for object in catalog.stored_objects() {
            self.found.definitions += 1;
            let text = serde_json::to_vec(&object);
            let text = text.map_err(|error| Error::Internal(error.to_string()))?;
            let found = self.needles.in_text(&text);
            self.note(found, || format!("definition of {}", name_of(catalog, &object)));
        }
        let path = shared.directory.join(MANIFEST_FILE);
        let bytes = std::fs::read(&path).map_err(|error| disk::io_error(&path, error))?;
        self.note(self.needles.in_text(&bytes), || MANIFEST_FILE.to_owned());
        Ok(())
    }
}

/// What an object is called.
fn name_of(catalog: &Catalog, object: &Object) -> String {
    let schema = |oid: Oid| catalog.schema_by_oid(oid).map_or("?", |schema| schema.name.as_str());
    match object {
        Object::Schema(one) => format!("schema {}", one.name),
        Object::Relation(one) => catalog.qualified_name(one),
        Object::Domain(one) => format!("type {}.{}", schema(one.schema), one.name),
        Object::Function(one) => format!("function {}.{}", schema(one.schema), one.name),
        Object::DefaultPrivileges(_) => "default privileges".to_owned(),
        Object::ForeignServer(one) => format!("server {}", one.name),
    }
}
