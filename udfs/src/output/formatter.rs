//! [`Formatter`] chooses a printer for an array, [`ArrayFormatter`] prints its rows.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, LargeBinaryArray,
    LargeStringArray, PrimitiveArray, StringArray, StringViewArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float32Type, Float64Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    Time64MicrosecondType, TimestampMicrosecondType, i256,
};

use super::{IntervalStyle, Style, array, decimal, float, integer, interval, record, temporal};
use crate::numeric::stored;
use crate::range::Kind;
use crate::types::PgType;
use crate::{Result, ValueError, layout};

/// A column's type and the session's style: everything about its text but the values.
#[derive(Debug, Clone, Copy)]
pub struct Formatter {
    pg_type: PgType,
    style: Style,
}

impl Formatter {
    /// For a field, whose metadata say its exact type.
    pub fn new(field: &Field, style: &Style) -> Self {
        Self { pg_type: PgType::from_field(field), style: *style }
    }

    /// Prepares a batch of this column.
    ///
    /// # Errors
    /// Those of [`Formatter::for_array`].
    pub fn array(&self, array: &ArrayRef) -> Result<ArrayFormatter> {
        Self::for_array(self.pg_type, array, &self.style)
    }

    /// Prints one value; false for NULL. Prepares the array for it: for more than one value use
    /// [`Formatter::array`].
    ///
    /// # Errors
    /// Those of [`Formatter::for_array`].
    pub fn write(&self, array: &ArrayRef, row: usize, out: &mut Vec<u8>) -> Result<bool> {
        Ok(self.array(&array.slice(row, 1))?.write(0, out))
    }

    /// Downcasts an array once, for printing its rows as values of a type.
    ///
    /// # Errors
    /// 0A000 for Arrow types without a PostgreSQL form, 22008 for times beyond microseconds' range.
    pub fn for_array(pg_type: PgType, array: &ArrayRef, style: &Style) -> Result<ArrayFormatter> {
        let array = layout::plain(array)?;
        // A view over NULL storage (`Null`, run ends) has no buffer of its own.
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        Ok(ArrayFormatter { values: Values::new(pg_type, &array, style)?, nulls })
    }
}

/// Prints the rows of one array.
#[derive(Debug)]
pub struct ArrayFormatter {
    nulls: Option<NullBuffer>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Null,
    Boolean(BooleanArray),
    Int16(ScalarBuffer<i16>),
    Int32(ScalarBuffer<i32>),
    Int64(ScalarBuffer<i64>),
    Tid(ScalarBuffer<i64>),
    Float32(ScalarBuffer<f32>),
    Float64(ScalarBuffer<f64>),
    Decimal {
        values: ScalarBuffer<i128>,
        scale: i8,
    },
    Numeric(LargeBinaryArray),
    Decimal256 {
        values: ScalarBuffer<i256>,
        scale: i8,
    },
    Utf8(StringArray),
    LargeUtf8(LargeStringArray),
    Utf8View(StringViewArray),
    Binary(BinaryArray),
    /// Sixteen bytes each.
    Uuid(BinaryArray),
    Date(ScalarBuffer<i32>),
    Time(ScalarBuffer<i64>),
    Timestamp(ScalarBuffer<i64>),
    TimestampTz(ScalarBuffer<i64>, Tz),
    Interval(ScalarBuffer<IntervalMonthDayNano>, IntervalStyle),
    List {
        offsets: OffsetBuffer<i32>,
        elements: Box<ArrayFormatter>,
        vector: bool,
    },
    Record(Vec<ArrayFormatter>),
}

fn buffer<T: ArrowPrimitiveType>(array: &ArrayRef) -> ScalarBuffer<T::Native> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    array.values().clone()
}

impl Values {
    fn new(pg_type: PgType, array: &ArrayRef, style: &Style) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean().clone()),
            DataType::Int16 => Self::Int16(buffer::<Int16Type>(array)),
            DataType::Int32 => Self::Int32(buffer::<Int32Type>(array)),
            DataType::Int64 if pg_type == PgType::TID => Self::Tid(buffer::<Int64Type>(array)),
            DataType::Int64 => Self::Int64(buffer::<Int64Type>(array)),
            DataType::Float32 => Self::Float32(buffer::<Float32Type>(array)),
            DataType::Float64 => Self::Float64(buffer::<Float64Type>(array)),
            DataType::Decimal128(_, scale) => {
                Self::Decimal { values: buffer::<Decimal128Type>(array), scale: *scale }
            }
            DataType::LargeBinary => Self::Numeric(array.as_binary().clone()),
            DataType::Decimal256(_, scale) => {
                Self::Decimal256 { values: buffer::<Decimal256Type>(array), scale: *scale }
            }
            DataType::Utf8 => Self::Utf8(array.as_string().clone()),
            DataType::LargeUtf8 => Self::LargeUtf8(array.as_string().clone()),
            DataType::Utf8View if pg_type.oid == INSTANT_RANGE && style.time_zone != Tz::UTC => {
                Self::Utf8View(in_zone(array.as_string_view(), style.time_zone)?)
            }
            DataType::Utf8View => Self::Utf8View(array.as_string_view().clone()),
            DataType::Binary if pg_type == PgType::UUID => Self::Uuid(array.as_binary().clone()),
            DataType::Binary => Self::Binary(array.as_binary().clone()),
            DataType::Date32 => Self::Date(buffer::<Date32Type>(array)),
            DataType::Time64(_) => Self::Time(buffer::<Time64MicrosecondType>(array)),
            DataType::Timestamp(_, None) => {
                Self::Timestamp(buffer::<TimestampMicrosecondType>(array))
            }
            DataType::Timestamp(_, Some(_)) => {
                Self::TimestampTz(buffer::<TimestampMicrosecondType>(array), style.time_zone)
            }
            DataType::Interval(_) => {
                Self::Interval(buffer::<IntervalMonthDayNanoType>(array), style.intervals)
            }
            DataType::List(field) => Self::list(pg_type, field, array, style)?,
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let field = |(field, column): (&Arc<Field>, &ArrayRef)| {
                    Formatter::for_array(PgType::from_field(field), column, style)
                };
                Self::Record(columns.map(field).collect::<Result<_>>()?)
            }
            other => {
                let message = format!("values of Arrow type {other} have no PostgreSQL form");
                return Err(ValueError::new("0A000", message));
            }
        })
    }

    fn list(pg_type: PgType, field: &Field, array: &ArrayRef, style: &Style) -> Result<Self> {
        let list = array.as_list::<i32>();
        // The element type that the array type states; inner lists share their array type.
        let element = match field.data_type() {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => pg_type,
            _ => pg_type.element().unwrap_or_else(|| PgType::from_field(field)),
        };
        let vector = matches!(pg_type, PgType::INT2VECTOR | PgType::OIDVECTOR);
        let elements = Box::new(Formatter::for_array(element, list.values(), style)?);
        Ok(Self::List { offsets: list.offsets().clone(), elements, vector })
    }
}

impl ArrayFormatter {
    /// Appends the text of a row's value; false, and nothing appended, for NULL.
    ///
    /// # Panics
    /// Where the array has no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return false;
        }
        match &self.values {
            Values::Null => return false,
            Values::Boolean(values) => out.push(if values.value(row) { b't' } else { b'f' }),
            Values::Int16(values) => integer::write(i64::from(values[row]), out),
            Values::Int32(values) => integer::write(i64::from(values[row]), out),
            Values::Int64(values) => integer::write(values[row], out),
            Values::Tid(values) => integer::write_tid(values[row], out),
            Values::Float32(values) => float::write_f32(values[row], out),
            Values::Float64(values) => float::write_f64(values[row], out),
            Values::Decimal { values, scale } => decimal::write(values[row], *scale, out),
            Values::Numeric(values) => write_number(values.value(row), out),
            Values::Decimal256 { values, scale } => decimal::write_256(values[row], *scale, out),
            Values::Utf8(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Values::LargeUtf8(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Values::Utf8View(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Values::Binary(values) => write_hex(values.value(row), out),
            Values::Uuid(values) => write_uuid(values.value(row), out),
            Values::Date(values) => temporal::write_date(values[row], out),
            Values::Time(values) => temporal::write_time(values[row], out),
            Values::Timestamp(values) => temporal::write_timestamp(values[row], out),
            Values::TimestampTz(values, zone) => {
                temporal::write_timestamptz(values[row], *zone, out)
            }
            Values::Interval(values, style) => interval::write(values[row], *style, out),
            Values::List { offsets, elements, vector: true } => {
                array::write_vector(offsets, row, elements, out);
            }
            Values::List { offsets, elements, .. } => array::write(offsets, row, elements, out),
            Values::Record(fields) => record::write(fields, row, out),
        }
        true
    }

    /// Whether the text can hold what an array literal would misread.
    pub(crate) fn needs_quoting(&self) -> bool {
        !matches!(
            self.values,
            Values::Boolean(_)
                | Values::Int16(_)
                | Values::Int32(_)
                | Values::Int64(_)
                | Values::Float32(_)
                | Values::Float64(_)
                | Values::Decimal { .. }
                | Values::Numeric(_)
                | Values::List { .. }
        )
    }
}

/// `tstzrange`, whose texts are kept in UTC.
const INSTANT_RANGE: u32 = 3910;

fn in_zone(texts: &StringViewArray, zone: Tz) -> Result<StringViewArray> {
    let Some(kind) = Kind::of(PgType::plain(INSTANT_RANGE)) else { return Ok(texts.clone()) };
    let shown =
        |text: Option<&str>| text.map(|text| Ok(kind.text(&kind.kept(text)?, zone))).transpose();
    texts.iter().map(shown).collect()
}

/// Prints a number from the bytes that keep it.
fn write_number(bytes: &[u8], out: &mut Vec<u8>) {
    match stored::read_small(bytes) {
        Some((value, scale)) if scale <= 127 => decimal::write(value, scale as i8, out),
        _ => out.extend_from_slice(stored::read(bytes).to_string().as_bytes()),
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn hex_pair(byte: u8) -> [u8; 2] {
    [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]
}

/// Prints a `bytea` in hex format.
fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    out.extend(bytes.iter().flat_map(|byte| hex_pair(*byte)));
}

/// Prints sixteen bytes as a UUID.
pub(crate) fn write_uuid(bytes: &[u8], out: &mut Vec<u8>) {
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend(hex_pair(*byte));
    }
}
