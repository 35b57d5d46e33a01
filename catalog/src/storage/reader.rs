//! Reading files without a query: keys, single rows, whole files for a rewrite.

use std::fs::File;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch, new_null_array};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use roaring::RoaringBitmap;

use super::arrays::{live_numbers, missing_value};
use super::disk;
use super::file::FileEntry;
use super::keys::{self, Hashes, KeyHasher};
use super::part::MemoryBatch;
use super::stored;
use crate::definition::{Column, Constraint, ConstraintKind, Relation};
use crate::error::{Error, Result};

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8192;

/// Footer and page index of a file; parsed once.
///
/// # Errors
/// [`Error::Damaged`] when it is no Parquet file.
pub(super) fn metadata(entry: &FileEntry) -> Result<ArrowReaderMetadata> {
    if let Some(metadata) = entry.metadata.get() {
        return Ok(metadata.clone());
    }
    let file = open(entry)?;
    let options = ArrowReaderOptions::new()
        .with_page_index_policy(parquet::file::metadata::PageIndexPolicy::Optional);
    let metadata =
        ArrowReaderMetadata::load(&file, options).map_err(|error| damaged(entry, &error))?;
    Ok(entry.metadata.get_or_init(|| metadata).clone())
}

pub(super) fn open(entry: &FileEntry) -> Result<File> {
    File::open(&entry.path).map_err(|error| disk::io_error(&entry.path, error))
}

fn damaged(entry: &FileEntry, reason: &dyn std::fmt::Display) -> Error {
    Error::Damaged { path: entry.facts.path(), reason: reason.to_string() }
}

/// Reads columns of a file batch by batch.
pub(super) struct ColumnReader<'a> {
    entry: &'a FileEntry,
    columns: Vec<&'a Column>,
    reader: ParquetRecordBatchReader,
}

impl<'a> ColumnReader<'a> {
    /// Reads all rows, or a range of them.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn new(
        entry: &'a FileEntry,
        columns: Vec<&'a Column>,
        range: Option<std::ops::Range<usize>>,
    ) -> Result<Self> {
        Self::choosing(entry, columns, |builder| match range {
            Some(range) => {
                let (groups, selection) = select(builder.metadata(), &range);
                builder.with_row_groups(groups).with_row_selection(selection)
            }
            None => builder,
        })
    }

    /// Reads some rows.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn of_rows(
        entry: &'a FileEntry,
        columns: Vec<&'a Column>,
        rows: &RoaringBitmap,
    ) -> Result<Self> {
        let total = usize::try_from(entry.facts.rows).unwrap_or(usize::MAX);
        let rows = rows.iter().map(|row| row as usize..row as usize + 1);
        let selection = RowSelection::from_consecutive_ranges(rows, total);
        Self::choosing(entry, columns, |builder| builder.with_row_selection(selection))
    }

    fn choosing(
        entry: &'a FileEntry,
        columns: Vec<&'a Column>,
        choose: impl FnOnce(
            ParquetRecordBatchReaderBuilder<File>,
        ) -> ParquetRecordBatchReaderBuilder<File>,
    ) -> Result<Self> {
        let metadata = metadata(entry)?;
        let wanted = |name: &str| {
            columns
                .iter()
                .any(|one| one.stored_name == name && entry.facts.columns.contains(&one.number))
        };
        let roots = metadata.schema().fields().iter().enumerate();
        let roots: Vec<usize> =
            roots.filter(|(_, field)| wanted(field.name())).map(|(at, _)| at).collect();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(open(entry)?, metadata);
        let builder = choose(builder.with_projection(mask).with_batch_size(BATCH_ROWS));
        let reader = builder.build().map_err(|error| damaged(entry, &error))?;
        Ok(Self { entry, columns, reader })
    }

    /// The next rows, a column for each that was asked for; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read or decoded.
    pub(super) fn next(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|error| damaged(self.entry, &error))?;
        let arrays = self.columns.iter().map(|column| column_of(self.entry, &batch, column));
        Ok(Some((arrays.collect::<Result<_>>()?, batch.num_rows())))
    }
}

fn column_of(entry: &FileEntry, batch: &RecordBatch, column: &Column) -> Result<ArrayRef> {
    let stored = batch.column_by_name(&column.stored_name);
    match stored.filter(|_| entry.facts.columns.contains(&column.number)) {
        Some(array) => stored::from_stored(array, column.pg_type),
        None => match missing_value(column)? {
            value if value.is_null() => {
                Ok(new_null_array(&column.pg_type.arrow(), batch.num_rows()))
            }
            value => Ok(value.to_array_of_size(batch.num_rows())?),
        },
    }
}

/// The row groups that hold a range of rows, and the selection within them.
fn select(
    metadata: &parquet::file::metadata::ParquetMetaData,
    range: &std::ops::Range<usize>,
) -> (Vec<usize>, RowSelection) {
    let mut groups = Vec::new();
    let mut selectors = Vec::new();
    let mut first = 0;
    for (at, group) in metadata.row_groups().iter().enumerate() {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let from = range.start.clamp(first, first + rows);
        let to = range.end.clamp(first, first + rows);
        if from < to {
            groups.push(at);
            selectors.push(RowSelector::skip(from - first));
            selectors.push(RowSelector::select(to - from));
            selectors.push(RowSelector::skip(first + rows - to));
        }
        first += rows;
    }
    selectors.retain(|selector| selector.row_count > 0);
    (groups, RowSelection::from(selectors))
}

/// Hashes of all keys in a file.
///
/// # Errors
/// The file cannot be read.
pub(super) fn key_hashes(
    entry: &FileEntry,
    relation: &Relation,
    columns: &[i16],
    hasher: KeyHasher,
) -> Result<Hashes> {
    let columns = keys::key_columns(relation, columns)?;
    let types: Vec<PgType> = columns.iter().map(|column| column.pg_type).collect();
    let mut reader = ColumnReader::new(entry, columns, None)?;
    let mut hashes = Vec::with_capacity(usize::try_from(entry.facts.rows).unwrap_or(0));
    while let Some((arrays, rows)) = reader.next()? {
        let arrays: Vec<_> = arrays.into_iter().zip(types.iter().copied()).collect();
        hashes.extend(hasher.hash(&arrays, rows)?);
    }
    Ok(hashes)
}

/// Hashes of all keys in a file under a unique constraint; `None`: nobody has compiled the
/// expressions of its index.
///
/// # Errors
/// The file cannot be read, or an expression refuses a value.
pub(super) fn constraint_hashes(
    entry: &FileEntry,
    relation: &Relation,
    constraint: &Constraint,
    hasher: KeyHasher,
) -> Result<Option<Hashes>> {
    if let ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns } =
        &constraint.kind
    {
        return key_hashes(entry, relation, columns, hasher).map(Some);
    }
    let Some(key) = constraint.computed.get(relation) else { return Ok(None) };
    let mut reader = ColumnReader::new(entry, relation.live_columns().collect(), None)?;
    let mut hashes = Vec::with_capacity(usize::try_from(entry.facts.rows).unwrap_or(0));
    while let Some((arrays, rows)) = reader.next()? {
        let keys = key.of(arrays, rows).map_err(|error| error.of_key(&constraint.name))?;
        hashes.extend(hasher.hash_computed(&keys, rows)?);
    }
    Ok(Some(hashes))
}

/// One row of a file, in the live columns of its relation.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read_row(entry: &FileEntry, relation: &Relation, row: usize) -> Result<MemoryBatch> {
    let columns = relation.live_columns().collect();
    let mut reader = ColumnReader::new(entry, columns, Some(row..row + 1))?;
    let (arrays, rows) = reader.next()?.ok_or_else(|| damaged(entry, &"a row is missing"))?;
    Ok(MemoryBatch { start: 0, columns: live_numbers(relation), arrays, rows })
}
