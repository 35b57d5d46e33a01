//! How a scan gets at the bytes of a file: by its entry, whose footer is parsed once.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result as DataFusionResult;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::error::DataFusionError;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ParquetMetaData;

use super::file::FileEntry;
use super::reader;

/// Bytes up to which a read stays on its thread: mostly they are in memory, and handing them to
/// another thread costs more than reading them.
const READ_HERE_BYTES: u64 = 256 << 10;

/// Makes readers for files that carry their [`FileEntry`].
#[derive(Debug)]
pub(super) struct EntryReaderFactory;

impl ParquetFileReaderFactory for EntryReaderFactory {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> DataFusionResult<Box<dyn AsyncFileReader + Send>> {
        let entry = file.extension::<Arc<FileEntry>>().map(Arc::clone);
        let missing = || DataFusionError::Internal("a file of a scan has no entry".to_owned());
        let entry = entry.ok_or_else(missing)?;
        let metrics = ParquetFileMetrics::new(partition, file.path().as_ref(), metrics);
        let opened = reader::open(&entry).map_err(super::provider::external)?;
        let metadata = reader::metadata(&entry).map_err(super::provider::external)?;
        let metadata = Arc::clone(metadata.metadata());
        Ok(Box::new(FileReader::new(Arc::new(opened), metadata, metrics)))
    }
}

/// Reads an open file whose footer is known.
pub(super) struct FileReader {
    file: Arc<File>,
    metadata: Arc<ParquetMetaData>,
    metrics: ParquetFileMetrics,
}

impl FileReader {
    pub(super) fn new(
        file: Arc<File>,
        metadata: Arc<ParquetMetaData>,
        metrics: ParquetFileMetrics,
    ) -> Self {
        Self { file, metadata, metrics }
    }
}

fn read(file: &File, range: &Range<u64>) -> std::io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(0)];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(Bytes::from(bytes))
}

impl AsyncFileReader for FileReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move {
            let mut read = self.get_byte_ranges(vec![range]).await?;
            read.pop().ok_or_else(|| ParquetError::General("nothing was read".to_owned()))
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.metrics.bytes_scanned.add(usize::try_from(total).unwrap_or(0));
        let file = Arc::clone(&self.file);
        let read_all = move || {
            ranges.iter().map(|range| read(&file, range)).collect::<std::io::Result<Vec<_>>>()
        };
        async move {
            let read = if total <= READ_HERE_BYTES {
                read_all()
            } else {
                let elsewhere = tokio::task::spawn_blocking(read_all).await;
                elsewhere.map_err(|error| ParquetError::External(Box::new(error)))?
            };
            read.map_err(ParquetError::from)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let metadata = Arc::clone(&self.metadata);
        async move { Ok(metadata) }.boxed()
    }
}
