//! Writing rows to Parquet files.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::array::{AsArray, UInt32Array};
use datafusion::arrow::compute::{SortColumn, SortOptions, cast, lexsort_to_indices, take};
use datafusion::arrow::datatypes::{DataType, Int64Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::disk;
use super::file::{ColumnRange, FileEntry, FileFacts};
use super::keys::{self, Hashes};
use super::part::{MemoryBatch, PartId};
use super::references::{self, Keys};
use super::shared::Shared;
use super::stored;
use crate::definition::{Column, Oid, Relation};
use crate::error::Result;

/// Rows of a data page: what a point lookup decodes at least.
const PAGE_ROWS: usize = 8192;
/// Bytes of a dictionary at most: a lookup has to read all of it for one row, and a column with so
/// many different values gains nothing from one.
const DICTIONARY_BYTES: usize = 128 << 10;
/// Chance that a bloom filter says yes though no row has the value.
const BLOOM_FALSE_POSITIVES: f64 = 0.02;

/// A file that was written, and the keys of its rows.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) entry: Arc<FileEntry>,
    pub(super) keys: Arc<Vec<(Oid, Hashes)>>,
    /// The keys that its rows refer to.
    pub(super) referred: Vec<(Oid, Keys)>,
}

/// Order of rows in a file: a permutation of the rows that were given, or as they came.
pub(super) fn file_order(relation: &Relation, rows: &MemoryBatch) -> Result<Option<UInt32Array>> {
    let by: Vec<i16> = match (relation.sort_columns.as_slice(), relation.primary_key()) {
        ([], Some(key)) => relation
            .unique_keys()
            .find(|(one, _)| one.oid == key.oid)
            .map(|(_, columns)| columns.to_vec())
            .unwrap_or_default(),
        (columns, _) => columns.to_vec(),
    };
    let options = Some(SortOptions { descending: false, nulls_first: false });
    let columns: Vec<SortColumn> = by
        .iter()
        .filter_map(|number| rows.column(*number))
        .map(|array| SortColumn { values: Arc::clone(array), options })
        .collect();
    if columns.is_empty() {
        return Ok(None);
    }
    Ok(Some(lexsort_to_indices(&columns, None)?))
}

/// Rows in another order.
///
/// # Errors
/// Arrow refuses it.
pub(super) fn reorder(rows: &MemoryBatch, order: &UInt32Array) -> Result<MemoryBatch> {
    let arrays = rows.arrays.iter().map(|array| Ok(take(array, order, None)?));
    let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
    Ok(MemoryBatch { start: 0, columns: Arc::clone(&rows.columns), arrays, rows: rows.rows })
}

/// Writes rows (the relation's live columns) as they come to one file, durable when it returns.
///
/// # Errors
/// The disk is full, or the file cannot be written; nothing is left of it then.
pub(super) fn write_file(
    shared: &Shared,
    relation: &Relation,
    rows: &MemoryBatch,
) -> Result<Written> {
    let part = shared.allocate_part();
    let keys = keys::hash_all(shared.hasher(), relation, rows)?;
    let referred = references::referred(shared.hasher(), relation, rows)?;
    let facts = write_parquet(shared, relation, rows, part)?;
    let entry = FileEntry::unnamed(facts, &shared.directory, &shared.graveyard);
    Ok(Written { entry: Arc::new(entry), keys: Arc::new(keys), referred })
}

fn write_parquet(
    shared: &Shared,
    relation: &Relation,
    rows: &MemoryBatch,
    part: PartId,
) -> Result<FileFacts> {
    let facts = FileFacts {
        part,
        relation: relation.oid,
        rows: u64::try_from(rows.rows).unwrap_or(0),
        bytes: 0,
        crc: 0,
        columns: rows.columns.to_vec(),
        ranges: ranges(relation, rows)?,
    };
    durable(shared, facts, |file| write_rows(shared, relation, rows, file))
}

/// Writes a file with those facts, durable when it returns; adds its size and checksum.
///
/// # Errors
/// The disk is full, or the file cannot be written; nothing is left of it then.
pub(super) fn durable(
    shared: &Shared,
    mut facts: FileFacts,
    write: impl FnOnce(Checked) -> parquet::errors::Result<Checked>,
) -> Result<FileFacts> {
    let path = shared.directory.join(facts.path());
    let directory = path.parent().unwrap_or(&shared.directory);
    disk::make_directory(directory)?;
    let file = File::create(&path).map_err(|error| disk::io_error(&path, error))?;
    let checked = Checked { file, hasher: crc32fast::Hasher::new(), bytes: 0 };
    let written = write(checked).map_err(|error| full_or(&path, error));
    let synced = written.and_then(|written| {
        written.file.sync_all().map_err(|error| disk::io_error(&path, error))?;
        disk::sync_directory(directory)?;
        Ok(written)
    });
    match synced {
        Ok(written) => {
            facts.bytes = written.bytes;
            facts.crc = written.hasher.finalize();
            Ok(facts)
        }
        Err(error) => {
            disk::unlink(&path)?;
            Err(error)
        }
    }
}

/// Parquet wraps what the operating system said; a full disk is to be told as such.
fn full_or(path: &std::path::Path, error: parquet::errors::ParquetError) -> crate::error::Error {
    use std::error::Error as _;
    let cause = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    match cause.map(std::io::Error::kind) {
        Some(kind) => disk::io_error(path, std::io::Error::new(kind, error)),
        None => error.into(),
    }
}

fn write_rows(
    shared: &Shared,
    relation: &Relation,
    rows: &MemoryBatch,
    file: Checked,
) -> parquet::errors::Result<Checked> {
    let columns: Vec<&Column> = relation.live_columns().collect();
    let fields: Vec<_> =
        columns.iter().map(|column| stored::stored_field(column, Default::default())).collect();
    let schema = Arc::new(Schema::new(fields));
    let properties = properties(shared, relation, rows.rows);
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
    for start in (0..rows.rows).step_by(shared.options.row_group_rows) {
        let length = shared.options.row_group_rows.min(rows.rows - start);
        let arrays = rows.arrays.iter().map(|array| stored::to_stored(&array.slice(start, length)));
        let arrays = arrays
            .collect::<Result<Vec<_>>>()
            .map_err(|error| parquet::errors::ParquetError::ArrowError(error.to_string()))?;
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays)?)?;
    }
    writer.into_inner()
}

/// How files of a relation are written; `rows`: how many.
pub(super) fn properties(shared: &Shared, relation: &Relation, rows: usize) -> WriterProperties {
    let group = shared.options.row_group_rows;
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(group))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_created_by("clientele".to_owned());
    for column in relation.live_columns() {
        let path = column_path(column);
        if stored::is_personal(column) && !stored::is_key(relation, column) {
            builder = builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::None);
        }
        if stored::wants_bloom_filter(relation, column) {
            builder = builder
                .set_column_bloom_filter_enabled(path.clone(), true)
                .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
                .set_column_bloom_filter_max_ndv(path, rows.min(group).max(1) as u64);
        }
    }
    builder.build()
}

fn column_path(column: &Column) -> ColumnPath {
    let mut path = vec![column.stored_name.clone()];
    if matches!(column.pg_type.arrow(), DataType::List(_)) {
        path.extend(["list".to_owned(), "item".to_owned()]);
    }
    ColumnPath::new(path)
}

/// Whether it is kept what a column's least and largest values are.
pub(super) fn has_range(column: &Column) -> bool {
    let of_number = matches!(
        column.pg_type.arrow(),
        DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Timestamp(..)
            | DataType::Date32
    );
    of_number && !stored::is_personal(column)
}

/// Ranges of columns whose order is that of 64-bit numbers.
fn ranges(relation: &Relation, rows: &MemoryBatch) -> Result<Vec<ColumnRange>> {
    let mut ranges = Vec::new();
    for column in relation.live_columns().filter(|column| has_range(column)) {
        let Some(array) = rows.column(column.number) else { continue };
        let wide = match array.data_type() {
            DataType::Int64 => Arc::clone(array),
            DataType::Int16 | DataType::Int32 | DataType::Timestamp(..) => {
                cast(array, &DataType::Int64)?
            }
            DataType::Date32 => cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?,
            _ => continue,
        };
        let wide = wide.as_primitive::<Int64Type>();
        let least = arrow::compute::min(wide);
        let most = arrow::compute::max(wide);
        if let (Some(minimum), Some(maximum)) = (least, most) {
            let nulls = u64::try_from(array.null_count()).unwrap_or(0);
            ranges.push(ColumnRange { column: column.number, minimum, maximum, nulls });
        }
    }
    Ok(ranges)
}

/// A file whose size and checksum are taken while it is written.
pub(super) struct Checked {
    file: File,
    hasher: crc32fast::Hasher,
    bytes: u64,
}

impl Write for Checked {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// For each given row its number in the file.
pub(super) fn positions(order: Option<&UInt32Array>, rows: usize) -> Vec<u32> {
    match order {
        None => (0..).take(rows).collect(),
        Some(order) => {
            let mut positions = vec![0; rows];
            for (at, from) in (0..).zip(order.values()) {
                if let Some(slot) =
                    usize::try_from(*from).ok().and_then(|from| positions.get_mut(from))
                {
                    *slot = at;
                }
            }
            positions
        }
    }
}
