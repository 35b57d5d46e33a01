//! Rows to DataRow messages, straight into the output buffer.
//!
//! A batch is looked at column by column once (which type, which format), then written row by row;
//! a value costs no allocation.

use clientele_engine::{Column, Error, Result};
use clientele_udfs::binary::ArrayEncoder;
use clientele_udfs::output::{ArrayFormatter, Formatter, Style};
use datafusion::arrow::array::RecordBatch;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{FieldDescription, RowDescription};

use crate::connection::request::Format;

/// RowDescription. Without formats (Describe of a statement) every column says text.
pub fn row_description(columns: &[Column], formats: &Formats) -> PgWireBackendMessage {
    let fields = columns.iter().enumerate().map(|(index, column)| {
        let pg_type = column.pg_type.told();
        FieldDescription::new(
            column.name.clone(),
            column.table.cast_signed(),
            column.number,
            pg_type.oid,
            pg_type.length(),
            pg_type.modifier,
            formats.of(index) as i16,
        )
    });
    PgWireBackendMessage::RowDescription(RowDescription::new(fields.collect()))
}

/// Result formats as Bind gives them: none (all text), one for all, or one for each column.
#[derive(Debug, Clone, Default)]
pub struct Formats(pub Vec<Format>);

impl Formats {
    /// Format of the column with this index, from 0.
    pub fn of(&self, index: usize) -> Format {
        match self.0.as_slice() {
            [] => Format::Text,
            [one] => *one,
            each => each.get(index).copied().unwrap_or(Format::Text),
        }
    }
}

enum ColumnWriter {
    Text(ArrayFormatter),
    Binary(ArrayEncoder),
}

impl ColumnWriter {
    /// Appends a value; `false`: it is NULL.
    fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Text(formatter) => formatter.write(row, out),
            Self::Binary(encoder) => encoder.write(row, out),
        }
    }
}

/// The rows of one batch, written piece by piece.
pub struct BatchWriter {
    columns: Vec<ColumnWriter>,
    row: usize,
    row_count: usize,
}

impl BatchWriter {
    /// Prepares the columns of a batch.
    ///
    /// # Errors
    /// A batch whose columns are not those announced; a type without binary form.
    pub fn new(
        batch: &RecordBatch,
        columns: &[Column],
        formats: &Formats,
        style: &Style,
    ) -> Result<Self> {
        if batch.num_columns() != columns.len() {
            return Err(Error::internal("a batch has other columns than its result"));
        }
        let writers = columns.iter().zip(batch.columns()).enumerate();
        let writers = writers.map(|(index, (column, array))| match formats.of(index) {
            Format::Text => {
                Formatter::for_array(column.pg_type, array, style).map(ColumnWriter::Text)
            }
            Format::Binary => {
                ArrayEncoder::for_array(column.pg_type, array).map(ColumnWriter::Binary)
            }
        });
        let columns = writers.collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(Self { columns, row: 0, row_count: batch.num_rows() })
    }

    /// Whether all rows are written.
    pub fn is_done(&self) -> bool {
        self.row >= self.row_count
    }

    /// The rows of its batch that are not written.
    pub fn rest(&self, batch: &RecordBatch) -> RecordBatch {
        batch.slice(self.row, self.row_count - self.row)
    }

    /// Writes rows until the batch ends, `rows_max` are written, or `bytes_target` is passed;
    /// returns how many were written.
    ///
    /// # Errors
    /// A row that no message can carry (54000).
    pub fn write(
        &mut self,
        rows_max: usize,
        bytes_target: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize> {
        let start = out.len();
        let last = self.row_count.min(self.row.saturating_add(rows_max));
        let first = self.row;
        while self.row < last && (self.row == first || out.len() - start < bytes_target) {
            self.write_row(out)?;
            self.row += 1;
        }
        Ok(self.row - first)
    }

    fn write_row(&self, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        out.extend_from_slice(b"D\0\0\0\0");
        let column_count = u16::try_from(self.columns.len()).map_err(|_| too_large())?;
        out.extend_from_slice(&column_count.to_be_bytes());
        for column in &self.columns {
            let at = out.len();
            out.extend_from_slice(&[0; 4]);
            let present = column.write(self.row, out);
            let length = match present {
                true => i32::try_from(out.len() - at - 4).map_err(|_| too_large())?,
                false => -1,
            };
            out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
        let length = i32::try_from(out.len() - start - 1);
        let Ok(length) = length else {
            out.truncate(start);
            return Err(too_large());
        };
        out[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

fn too_large() -> Error {
    Error::new("54000", "a row is too large to be sent")
}
