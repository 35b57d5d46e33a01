//! Parquet files of the server, both ways.

use std::fs::File;
use std::sync::Arc;

use clientele_udfs::cast::numbers;
use clientele_udfs::output::{Style, to_text_array};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::bad_format;
use super::load::Item;
use super::reader::Parsed;
use super::server_file::{self, Direction};
use super::writer::Written;
use crate::error::{Error, Result, sentence};

/// Rows of a batch.
const BATCH_ROWS: usize = 16 << 10;

/// An opened file: its columns that are read, and its rows.
pub(crate) struct Source {
    /// The columns, in the file's order.
    pub(crate) schema: SchemaRef,
    rows: ParquetRecordBatchReader,
}

impl Source {
    /// Opens a file. `wanted`: the columns that must be there; `None`: all that it has.
    ///
    /// # Errors
    /// 58P01, 22P04 for a file that is no Parquet or lacks a column.
    pub(crate) fn open(path: &str, wanted: Option<&[String]>) -> Result<Self> {
        let file = File::open(path)
            .map_err(|error| server_file::not_opened(path, Direction::Read, &error))?;
        let broken = |error: ParquetError| {
            bad_format(format!("file \"{path}\" is not a readable Parquet file"))
                .with_detail(sentence(&error.to_string()))
        };
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(broken)?;
        let mut builder = builder.with_batch_size(BATCH_ROWS);
        if let Some(wanted) = wanted {
            let fields = builder.schema().fields();
            let mut roots = Vec::with_capacity(wanted.len());
            for name in wanted {
                let position = fields.iter().position(|field| field.name() == name);
                roots.push(position.ok_or_else(|| {
                    bad_format(format!("file \"{path}\" has no column \"{name}\""))
                })?);
            }
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            builder = builder.with_projection(mask);
        }
        let rows = builder.build().map_err(broken)?;
        let fields = datafusion::arrow::array::RecordBatchReader::schema(&rows);
        let fields = fields.fields().iter().map(|field| as_read(field));
        Ok(Self { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), rows })
    }

    /// Sends all rows; a row's line is its number.
    ///
    /// # Errors
    /// 22P04 for a damaged file.
    pub(crate) fn send(
        self,
        parsed: &Sender<Item<Parsed>>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut number = 0;
        for batch in self.rows {
            let batch = batch.map_err(|error| {
                bad_format("could not read a Parquet file")
                    .with_detail(sentence(&error.to_string()))
            })?;
            let rows = batch.num_rows() as u64;
            let lines = (number + 1..=number + rows).collect();
            number += rows;
            let columns = batch.columns().iter().zip(self.schema.fields());
            let columns = columns.map(|(array, field)| Ok(cast(array, field.data_type())?));
            let item = Item::Next(Parsed { columns: columns.collect::<Result<_>>()?, lines });
            if stop.is_cancelled() || parsed.blocking_send(item).is_err() {
                return Ok(());
            }
        }
        let _ = parsed.blocking_send(Item::End);
        Ok(())
    }
}

/// Large binaries of a file are bytes; here they are numbers.
fn as_read(field: &Field) -> Field {
    match field.data_type() {
        DataType::LargeBinary => field.clone().with_data_type(DataType::Binary),
        _ => field.clone(),
    }
}

/// A file that rows are written to.
pub(crate) struct Sink {
    path: String,
    schema: SchemaRef,
    columns: Vec<Written>,
    style: Style,
    writer: ArrowWriter<File>,
}

impl Sink {
    /// Makes the file, for rows of a plan's schema.
    ///
    /// # Errors
    /// What opening the file refuses, 42701 for two columns of one name, 0A000 for a type that
    /// Parquet lacks.
    pub(crate) fn create(
        path: &str,
        (columns, plan): (Vec<Written>, &Schema),
        style: Style,
    ) -> Result<Self> {
        let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
        for (column, field) in columns.iter().zip(plan.fields()) {
            if fields.iter().any(|one| *one.name() == column.name) {
                let text = format!("column name \"{}\" specified more than once", column.name);
                return Err(Error::new("42701", text));
            }
            let data_type = match field.data_type() {
                other if as_text(other) => DataType::Utf8View,
                // Parquet's decimals have one scale for a column.
                DataType::LargeBinary => PgType::NUMERIC_ELSEWHERE.arrow(),
                other => other.clone(),
            };
            let field =
                Field::new(&column.name, data_type, true).with_metadata(column.pg_type.metadata());
            fields.push(field);
        }
        let schema = Arc::new(Schema::new(fields));
        let file = File::create(path)
            .map_err(|error| server_file::not_opened(path, Direction::Write, &error))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties(&schema)));
        let writer = writer.map_err(|error| {
            Error::new("0A000", "a column's type cannot be written to Parquet")
                .with_detail(sentence(&error.to_string()))
        })?;
        Ok(Self { path: path.to_owned(), schema, columns, style, writer })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// What the disk refuses.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        for (array, column) in batch.columns().iter().zip(&self.columns) {
            arrays.push(match as_text(array.data_type()) {
                true => to_text_array(array, column.pg_type, &self.style)?,
                false if *array.data_type() == DataType::LargeBinary => {
                    numbers(array, PgType::NUMERIC_ELSEWHERE)?
                }
                false => Arc::clone(array),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(Error::internal)?;
        self.writer.write(&batch).map_err(|error| refused(&self.path, error))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What the disk refuses.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.writer.finish().map(drop).map_err(|error| refused(&self.path, error))
    }
}

fn properties(schema: &Schema) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("clientele".to_owned());
    // Of floating-point numbers hardly any two are the same: a dictionary of them is made in vain.
    for field in schema.fields().iter().filter(|field| field.data_type().is_floating()) {
        let path = ColumnPath::new(vec![field.name().clone()]);
        properties = properties.set_column_dictionary_enabled(path, false);
    }
    properties.build()
}

/// Parquet has no interval of months, days and nanoseconds.
fn as_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Null)
}

fn refused(path: &str, error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(error) => server_file::failed(path, Direction::Write, &error),
            Err(other) => {
                Error::new("58030", format!("could not write to file \"{path}\": {other}"))
            }
        },
        other => Error::new("58030", format!("could not write to file \"{path}\": {other}")),
    }
}

/// The column names of a schema that a table lacks.
pub(crate) fn unknown(schema: &Schema, known: impl Fn(&str) -> Option<PgType>) -> Option<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).find(|name| known(name).is_none())
}
