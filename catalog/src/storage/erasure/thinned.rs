//! A file without its deleted rows. Row groups that lose none are copied as they are: pages, bloom
//! filters and page indexes. Of the others each is decoded and encoded alone.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result as ParquetResult;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use roaring::RoaringBitmap;

use crate::definition::{Constraint, Relation};
use crate::error::Result;
use crate::storage::arrays::live_numbers;
use crate::storage::commit::{GONE, Moves};
use crate::storage::file::{ColumnRange, FileEntry, FileFacts};
use crate::storage::part::{FilePart, RowAddress};
use crate::storage::reader;
use crate::storage::shared::Shared;
use crate::storage::writer::{self, Checked, Written};

/// Writes what is left of a file, and says where its rows are now. `None`: its columns are others
/// than those of its relation by now.
///
/// # Errors
/// The file cannot be read, or the new one not be written.
pub(super) fn thinned(
    shared: &Shared,
    relation: &Relation,
    part: &FilePart,
) -> Result<Option<(Vec<Written>, Moves)>> {
    let facts = &part.entry.facts;
    let (Some(deleted), true) = (&part.deleted, facts.columns == *live_numbers(relation)) else {
        return Ok(None);
    };
    let rows = u32::try_from(facts.rows).unwrap_or(u32::MAX);
    let mut target = (0..).map(|row| RowAddress { part: 0, row });
    let mut moved: Vec<Option<RowAddress>> =
        (0..rows).map(|row| if deleted.contains(row) { None } else { target.next() }).collect();
    let moves_to = |moved: Vec<Option<RowAddress>>| -> Moves {
        let moved = moved.into_iter().map(|one| one.map_or(GONE, RowAddress::to_i64));
        HashMap::from([(facts.part, moved.collect())])
    };
    if part.live_rows() == 0 {
        return Ok(Some((Vec::new(), moves_to(moved))));
    }
    let source =
        Source { file: reader::open(&part.entry)?, metadata: reader::metadata(&part.entry)? };
    let new = FileFacts {
        part: shared.allocate_part(),
        rows: part.live_rows(),
        ranges: Vec::new(),
        ..facts.clone()
    };
    let live = usize::try_from(new.rows).unwrap_or(usize::MAX);
    let properties = writer::properties(shared, relation, live);
    let new = writer::durable(shared, new, |file| source.without(deleted, (file, properties)))?;
    let entry = FileEntry::unnamed(new, &shared.directory, &shared.graveyard);
    let written = written(shared, relation, entry)?;
    for address in moved.iter_mut().flatten() {
        address.part = written.entry.facts.part;
    }
    Ok(Some((vec![written], moves_to(moved))))
}

/// The file with what is known of its rows.
fn written(shared: &Shared, relation: &Relation, mut entry: FileEntry) -> Result<Written> {
    entry.facts.ranges = ranges(relation, &reader::metadata(&entry)?);
    let hashes = |columns: &[i16]| reader::key_hashes(&entry, relation, columns, shared.hasher());
    let unique = |constraint: &Constraint| {
        let hashes = reader::constraint_hashes(&entry, relation, constraint, shared.hasher());
        Some(hashes.transpose()?.map(|hashes| (constraint.oid, hashes)))
    };
    let keys = relation.unique_constraints().filter_map(unique).collect::<Result<Vec<_>>>()?;
    let foreign = relation.foreign_keys();
    let referred =
        foreign.map(|key| Ok((key.oid, hashes(key.columns)?.into_iter().flatten().collect())));
    let referred = referred.collect::<Result<Vec<_>>>()?;
    Ok(Written { keys: Arc::new(keys), referred, entry: Arc::new(entry) })
}

/// What the footer says of columns whose order is that of 64-bit numbers.
fn ranges(relation: &Relation, metadata: &ArrowReaderMetadata) -> Vec<ColumnRange> {
    let columns = relation.live_columns().filter(|column| writer::has_range(column));
    let range = |column: &crate::definition::Column| {
        let (mut minimum, mut maximum, mut nulls) = (i64::MAX, i64::MIN, 0);
        for group in metadata.metadata().row_groups() {
            let chunk = group
                .columns()
                .iter()
                .find(|chunk| chunk.column_path().parts() == [column.stored_name.as_str()])?;
            let statistics = chunk.statistics()?;
            let own_nulls = statistics.null_count_opt()?;
            nulls += own_nulls;
            if i64::try_from(own_nulls).ok()? == group.num_rows() {
                continue;
            }
            let (least, most) = match statistics {
                Statistics::Int32(one) => ((*one.min_opt()?).into(), (*one.max_opt()?).into()),
                Statistics::Int64(one) => (*one.min_opt()?, *one.max_opt()?),
                _ => return None,
            };
            (minimum, maximum) = (minimum.min(least), maximum.max(most));
        }
        (minimum <= maximum).then_some(ColumnRange {
            column: column.number,
            minimum,
            maximum,
            nulls,
        })
    };
    columns.filter_map(range).collect()
}

/// A file that is read.
struct Source {
    file: File,
    metadata: ArrowReaderMetadata,
}

impl Source {
    fn without(
        &self,
        deleted: &RoaringBitmap,
        (file, properties): (Checked, parquet::file::properties::WriterProperties),
    ) -> ParquetResult<Checked> {
        let schema = Arc::clone(self.metadata.schema());
        let writer = parquet::arrow::ArrowWriter::try_new(file, schema, Some(properties))?;
        let (mut writer, factory) = writer.into_serialized_writer()?;
        let mut first = 0;
        for (at, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            let rows = first..first + u32::try_from(group.num_rows()).unwrap_or(0);
            first = rows.end;
            let gone = deleted.range_cardinality(rows.clone());
            if gone == 0 {
                self.copy(at, &mut writer)?;
            } else if gone < u64::from(rows.end - rows.start) {
                self.encode((at, rows), deleted, (&mut writer, &factory))?;
            }
        }
        writer.into_inner()
    }

    /// A row group as it is.
    fn copy(&self, at: usize, writer: &mut SerializedFileWriter<Checked>) -> ParquetResult<()> {
        let metadata = self.metadata.metadata();
        let group = metadata.row_group(at);
        let filters = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.file.try_clone()?,
            self.metadata.clone(),
        );
        let mut copy = writer.next_row_group()?;
        for (place, chunk) in group.columns().iter().enumerate() {
            let index = metadata.column_index().and_then(|all| all.get(at)?.get(place));
            let index = index.filter(|one| !matches!(one, ColumnIndexMetaData::NONE));
            let offsets = metadata.offset_index().and_then(|all| all.get(at)?.get(place));
            let close = ColumnCloseResult {
                bytes_written: u64::try_from(chunk.compressed_size()).unwrap_or(0),
                rows_written: u64::try_from(group.num_rows()).unwrap_or(0),
                metadata: chunk.clone(),
                bloom_filter: filters.get_row_group_column_bloom_filter(at, place)?,
                column_index: index.cloned(),
                offset_index: offsets.cloned(),
            };
            copy.append_column(&self.file, close)?;
        }
        copy.close()?;
        Ok(())
    }

    /// A row group without deleted rows.
    fn encode(
        &self,
        (at, rows): (usize, Range<u32>),
        deleted: &RoaringBitmap,
        (writer, factory): (&mut SerializedFileWriter<Checked>, &ArrowRowGroupWriterFactory),
    ) -> ParquetResult<()> {
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.file.try_clone()?,
            self.metadata.clone(),
        );
        let reader = reader.with_row_groups(vec![at]).with_batch_size(rows.len()).build()?;
        let mut columns = factory.create_column_writers(writer.flushed_row_groups().len())?;
        let mut first = rows.start;
        for batch in reader {
            let batch: RecordBatch = batch?;
            let end = first + u32::try_from(batch.num_rows()).unwrap_or(0);
            let live: BooleanArray = (first..end).map(|row| Some(!deleted.contains(row))).collect();
            first = end;
            let batch = filter_record_batch(&batch, &live)?;
            let mut leaves = columns.iter_mut();
            for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
                for leaf in compute_leaves(field, array)? {
                    if let Some(column) = leaves.next() {
                        column.write(&leaf)?;
                    }
                }
            }
        }
        let mut group = writer.next_row_group()?;
        for column in columns {
            column.close()?.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(())
    }
}
