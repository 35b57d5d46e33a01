//! How a scan gets at the bytes of a file of others.

use std::sync::Arc;

use datafusion::common::Result as DataFusionResult;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::error::DataFusionError;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use parquet::arrow::async_reader::AsyncFileReader;

use super::files::ForeignFile;
use super::footers;
use crate::storage::entry_reader::FileReader;
use crate::storage::provider::external;

/// Makes readers for files that carry their [`ForeignFile`].
#[derive(Debug)]
pub(super) struct ForeignReaderFactory;

impl ParquetFileReaderFactory for ForeignReaderFactory {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> DataFusionResult<Box<dyn AsyncFileReader + Send>> {
        let found = file.extension::<Arc<ForeignFile>>().map(Arc::clone);
        let missing = || DataFusionError::Internal("a file of a scan is not known".to_owned());
        let found = found.ok_or_else(missing)?;
        let metrics = ParquetFileMetrics::new(partition, file.path().as_ref(), metrics);
        let opened = footers::reopened(&found).map_err(external)?;
        let footer = Arc::clone(found.footer.metadata());
        Ok(Box::new(FileReader::new(opened, footer, metrics)))
    }
}
