//! Files that are written for publishing.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::super::arrays;
use super::super::part::{FilePart, MemoryBatch, MemoryPart, filter_all};
use super::super::reader::ColumnReader;
use super::super::{disk, stored};
use super::schema::Shape;
use crate::definition::Relation;
use crate::error::Result;

/// Writes the live rows of a file.
///
/// # Errors
/// It cannot be read, or the new one cannot be written.
pub(super) fn write_file_part(
    part: &FilePart,
    relation: &Relation,
    shape: &Shape,
    to: &Path,
) -> Result<()> {
    let mut reader = ColumnReader::new(&part.entry, relation.live_columns().collect(), None)?;
    let mut writer = Writer::create(relation, shape, to)?;
    let mut start = 0_u32;
    while let Some((arrays, rows)) = reader.next()? {
        let columns = arrays::live_numbers(relation);
        let batch = MemoryBatch { start, columns, arrays, rows };
        let mask = batch.live_mask(part.deleted.as_deref());
        writer.write(&filter_all(&batch.arrays, mask.as_ref())?)?;
        start += u32::try_from(rows).unwrap_or(0);
    }
    writer.close()
}

/// Writes the live rows of a part in memory.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write_memory_part(
    part: &Arc<MemoryPart>,
    relation: &Relation,
    shape: &Shape,
    to: &Path,
) -> Result<()> {
    let mut writer = Writer::create(relation, shape, to)?;
    for batch in &part.batches {
        let columns = relation.live_columns().map(|column| arrays::column_of(batch, column));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mask = batch.live_mask(part.deleted.as_deref());
        writer.write(&filter_all(&columns, mask.as_ref())?)?;
    }
    writer.close()
}

struct Writer<'a> {
    relation: &'a Relation,
    shape: &'a Shape,
    path: &'a Path,
    parquet: ArrowWriter<File>,
}

impl<'a> Writer<'a> {
    fn create(relation: &'a Relation, shape: &'a Shape, path: &'a Path) -> Result<Self> {
        let file = File::create(path).map_err(|error| disk::io_error(path, error))?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("clientele".to_owned());
        for column in relation.live_columns().filter(|column| stored::is_personal(column)) {
            let path = ColumnPath::new(vec![column.name.clone()]);
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
        }
        let schema = Arc::clone(&shape.arrow);
        let parquet = ArrowWriter::try_new(file, schema, Some(properties.build()))?;
        Ok(Self { relation, shape, path, parquet })
    }

    fn write(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        let arrays = self.shape.publish(self.relation, arrays)?;
        let batch = RecordBatch::try_new(Arc::clone(&self.shape.arrow), arrays)?;
        Ok(self.parquet.write(&batch)?)
    }

    fn close(self) -> Result<()> {
        let file = self.parquet.into_inner()?;
        file.sync_all().map_err(|error| disk::io_error(self.path, error))
    }
}
