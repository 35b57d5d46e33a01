//! Online Retail, a real data set: licence and source are in `server/data/README.md`.

use anyhow::Result;
use bytes::Bytes;
use clientele_engine::PgType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::tables::Chunk;
use crate::command::import::parquet::rendered;

/// The table that it goes into; its columns are those of the file, in the same order.
pub const TABLE: &str = "online_retail.lines";
/// How many rows it has.
pub const ROWS: u64 = 541_909;

// The binary must work from anywhere.
static FILE: &[u8] = include_bytes!("../../data/online_retail.parquet");

/// The rows, in pieces.
///
/// # Errors
/// None in practice: the file is part of the binary.
pub fn chunks() -> Result<impl Iterator<Item = Result<Chunk>>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from_static(FILE))?;
    let fields = builder.schema().fields().clone();
    let fields: Vec<(String, PgType)> =
        fields.iter().map(|field| (field.name().clone(), PgType::from_field(field))).collect();
    Ok(builder.with_batch_size(8192).build()?.map(move |batch| {
        let batch = batch?;
        Ok(Chunk { bytes: rendered(&batch, &fields)?, rows: batch.num_rows() as u64 })
    }))
}
