//! Batches → text, csv or PostgreSQL's binary format (manual: sql-copy, File Formats).

use bytes::Bytes;
use clientele_udfs::binary::ArrayEncoder;
use clientele_udfs::output::{ArrayFormatter, Formatter, Style};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;

use super::binary::SIGNATURE;
use super::dialect::Dialect;
use crate::error::{Error, Result};
use crate::sql::copy::{Format, Header};

/// Bytes from which on a piece is sent.
const PIECE_BYTES: usize = 64 << 10;

/// A column that is written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Its name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) pg_type: PgType,
    /// FORCE_QUOTE.
    pub(crate) force_quote: bool,
}

/// Writes one statement's rows.
pub(crate) struct Writer {
    dialect: Dialect,
    columns: Vec<Written>,
    style: Style,
    /// Bytes that must be escaped (text) or ask for quotes (csv).
    special: [bool; 256],
}

impl Writer {
    /// A writer for rows of these columns.
    pub(crate) fn new(dialect: Dialect, columns: Vec<Written>, style: Style) -> Self {
        let mut special = [false; 256];
        let listed: &[u8] = match dialect.format {
            Format::Csv => &[dialect.delimiter, dialect.quote, b'\n', b'\r'],
            _ => &[dialect.delimiter, b'\\', 8, 12, b'\n', b'\r', b'\t', 11],
        };
        for byte in listed {
            special[usize::from(*byte)] = true;
        }
        Self { dialect, columns, style, special }
    }

    /// Whether it writes the binary format.
    pub(crate) fn is_binary(&self) -> bool {
        self.dialect.format == Format::Binary
    }

    /// What stands before the rows.
    pub(crate) fn header(&self) -> Option<Bytes> {
        let mut out = Vec::new();
        if self.dialect.format == Format::Binary {
            out.extend_from_slice(SIGNATURE);
            out.extend_from_slice(&[0; 8]);
        } else if self.dialect.header != Header::None {
            for (index, column) in self.columns.iter().enumerate() {
                if index > 0 {
                    out.push(self.dialect.delimiter);
                }
                let start = out.len();
                out.extend_from_slice(column.name.as_bytes());
                self.dress(start, false, &mut out);
            }
            out.push(b'\n');
        }
        (!out.is_empty()).then(|| Bytes::from(out))
    }

    /// What stands after the rows.
    pub(crate) fn trailer(&self) -> Option<Bytes> {
        (self.dialect.format == Format::Binary).then_some(Bytes::from_static(&[0xff, 0xff]))
    }

    /// Writes a batch. Pieces end with a row; in binary format each row is one, as clients expect
    /// that read rows.
    ///
    /// # Errors
    /// 0A000 for values without a PostgreSQL form, 54000 for rows that are too large.
    pub(crate) fn rows(&self, batch: &RecordBatch) -> Result<Vec<Bytes>> {
        match self.dialect.format {
            Format::Binary => self.binary(batch),
            _ => self.text(batch),
        }
    }

    fn text(&self, batch: &RecordBatch) -> Result<Vec<Bytes>> {
        let formatters = self.columns.iter().zip(batch.columns());
        let formatters = formatters.map(|(column, array)| {
            let formatter = Formatter::for_array(column.pg_type, array, &self.style)?;
            Ok((formatter, column.force_quote, self.is_tame(column)))
        });
        let formatters: Vec<(ArrayFormatter, bool, bool)> = formatters.collect::<Result<_>>()?;
        let mut pieces = Vec::new();
        let mut out = Vec::with_capacity(PIECE_BYTES + (PIECE_BYTES >> 3));
        for row in 0..batch.num_rows() {
            for (index, (formatter, force, tame)) in formatters.iter().enumerate() {
                if index > 0 {
                    out.push(self.dialect.delimiter);
                }
                let start = out.len();
                if !formatter.write(row, &mut out) {
                    out.extend_from_slice(self.dialect.null.as_bytes());
                } else if !tame {
                    self.dress(start, *force, &mut out);
                }
            }
            out.push(b'\n');
            if out.len() >= PIECE_BYTES {
                pieces.push(Bytes::copy_from_slice(&out));
                out.clear();
            }
        }
        if !out.is_empty() {
            pieces.push(Bytes::from(out));
        }
        Ok(pieces)
    }

    /// Whether no value of a column can hold what must be escaped or read as NULL.
    fn is_tame(&self, column: &Written) -> bool {
        let usual = matches!(self.dialect.delimiter, b',' | b'\t' | b';' | b'|')
            && self.dialect.quote == b'"'
            && matches!(self.dialect.null.as_str(), "" | "\\N" | "NULL")
            && !column.force_quote;
        let plain = [
            PgType::INT2,
            PgType::INT4,
            PgType::INT8,
            PgType::FLOAT4,
            PgType::FLOAT8,
            PgType::BOOL,
            PgType::DATE,
            PgType::TIME,
            PgType::TIMESTAMP,
            PgType::TIMESTAMPTZ,
            PgType::UUID,
        ];
        let numeric = column.pg_type.oid == PgType::NUMERIC.oid;
        usual && (numeric || plain.iter().any(|one| one.oid == column.pg_type.oid))
    }

    /// Escapes or quotes the value that stands at the end of `out`.
    fn dress(&self, start: usize, force: bool, out: &mut Vec<u8>) {
        match self.dialect.format {
            Format::Csv => self.quote(start, force, out),
            _ => self.escape(start, out),
        }
    }

    fn escape(&self, start: usize, out: &mut Vec<u8>) {
        let Some(first) = out[start..].iter().position(|byte| self.special[usize::from(*byte)])
        else {
            return;
        };
        let rest = out.split_off(start + first);
        for byte in rest {
            let escaped = match byte {
                8 => b'b',
                12 => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                11 => b'v',
                other => other,
            };
            if self.special[usize::from(byte)] {
                out.push(b'\\');
            }
            out.push(escaped);
        }
    }

    fn quote(&self, start: usize, force: bool, out: &mut Vec<u8>) {
        let (quote, escape) = (self.dialect.quote, self.dialect.escape);
        let value = &out[start..];
        // A lone `\.` on a line would be read as the end of the data.
        let marker = self.columns.len() == 1 && value == b"\\.";
        let needed = force
            || marker
            || value == self.dialect.null.as_bytes()
            || value.iter().any(|byte| self.special[usize::from(*byte)]);
        if !needed {
            return;
        }
        let value = out.split_off(start);
        out.push(quote);
        for byte in value {
            if byte == quote || byte == escape {
                out.push(escape);
            }
            out.push(byte);
        }
        out.push(quote);
    }

    fn binary(&self, batch: &RecordBatch) -> Result<Vec<Bytes>> {
        let encoders = self.columns.iter().zip(batch.columns());
        let encoders =
            encoders.map(|(column, array)| Ok(ArrayEncoder::for_array(column.pg_type, array)?));
        let encoders: Vec<ArrayEncoder> = encoders.collect::<Result<_>>()?;
        let too_large = || Error::new("54000", "a value is too large to be sent");
        let count = i16::try_from(encoders.len()).map_err(|_| too_large())?;
        let mut out = Vec::with_capacity(batch.num_rows() * 16 * encoders.len());
        let mut ends = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            out.extend_from_slice(&count.to_be_bytes());
            for encoder in &encoders {
                let start = out.len();
                out.extend_from_slice(&(-1i32).to_be_bytes());
                if encoder.write(row, &mut out) {
                    let length = i32::try_from(out.len() - start - 4).map_err(|_| too_large())?;
                    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
                }
            }
            ends.push(out.len());
        }
        let all = Bytes::from(out);
        let mut start = 0;
        let pieces = ends.into_iter().map(|end| {
            let piece = all.slice(start..end);
            start = end;
            piece
        });
        Ok(pieces.collect())
    }
}
