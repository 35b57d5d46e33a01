//! [`ArrayEncoder`] sends the rows of one array.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BinaryBuilder, BooleanArray,
    PrimitiveArray, StringViewArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Field, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType,
};

use super::{array, numeric, send, text};
use crate::output::{ArrayFormatter, Formatter, Style};
use crate::types::{Kept, PgType};
use crate::{Result, ValueError, layout};

/// Sends the rows of one array as values of one type.
#[derive(Debug)]
pub struct ArrayEncoder {
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
    Oid(ScalarBuffer<i64>),
    Tid(ScalarBuffer<i64>),
    Float32(ScalarBuffer<f32>),
    Float64(ScalarBuffer<f64>),
    /// The digits that the text has.
    Numeric(ArrayFormatter),
    /// With the byte that stands before the text.
    Text(StringViewArray, Option<u8>),
    Bytes(BinaryArray),
    Date(ScalarBuffer<i32>),
    Time(ScalarBuffer<i64>),
    Timestamp(ScalarBuffer<i64>),
    Interval(ScalarBuffer<IntervalMonthDayNano>),
    List {
        offsets: OffsetBuffer<i32>,
        elements: Box<ArrayEncoder>,
        pg_type: PgType,
    },
    /// OID and values of every field.
    Record(Vec<(u32, ArrayEncoder)>),
}

fn buffer<T: ArrowPrimitiveType>(array: &ArrayRef) -> ScalarBuffer<T::Native> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    array.values().clone()
}

impl ArrayEncoder {
    /// Downcasts an array once, converting it first where its Arrow type is not the usual one of
    /// the type.
    ///
    /// # Errors
    /// 22003 and 22P03 for values that are none of the type, 0A000 for arrays of arrays.
    pub fn for_array(pg_type: PgType, array: &ArrayRef) -> Result<Self> {
        let array = layout::plain(array)?;
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        Ok(Self { values: Values::new(pg_type, &array)?, nulls })
    }

    /// Appends the bytes of a row's value, without a length; false, and nothing appended, for NULL.
    ///
    /// # Panics
    /// Where the array has no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        if self.is_null(row) {
            return false;
        }
        match &self.values {
            Values::Null => return false,
            Values::Boolean(values) => out.push(u8::from(values.value(row))),
            Values::Int16(values) => out.extend_from_slice(&values[row].to_be_bytes()),
            Values::Int32(values) => out.extend_from_slice(&values[row].to_be_bytes()),
            Values::Int64(values) => out.extend_from_slice(&values[row].to_be_bytes()),
            Values::Oid(values) => out.extend_from_slice(&(values[row] as u32).to_be_bytes()),
            Values::Tid(values) => send::tid(values[row], out),
            Values::Float32(values) => out.extend_from_slice(&values[row].to_be_bytes()),
            Values::Float64(values) => out.extend_from_slice(&values[row].to_be_bytes()),
            Values::Numeric(values) => {
                let mut text = Vec::with_capacity(48);
                values.write(row, &mut text);
                numeric::send(&text, out);
            }
            Values::Text(values, prefix) => {
                out.extend(prefix);
                out.extend_from_slice(values.value(row).as_bytes());
            }
            Values::Bytes(values) => out.extend_from_slice(values.value(row)),
            Values::Date(values) => send::date(values[row], out),
            Values::Time(values) => out.extend_from_slice(&values[row].to_be_bytes()),
            Values::Timestamp(values) => send::timestamp(values[row], out),
            Values::Interval(values) => send::interval(values[row], out),
            Values::List { offsets, elements, pg_type } => {
                array::send(offsets, row, elements, *pg_type, out);
            }
            Values::Record(fields) => {
                out.extend_from_slice(&(fields.len() as i32).to_be_bytes());
                for (oid, field) in fields {
                    out.extend_from_slice(&oid.to_be_bytes());
                    array::send_with_length(field, row, out);
                }
            }
        }
        true
    }

    /// Whether a row is NULL.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        matches!(self.values, Values::Null)
            || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

impl Values {
    fn new(pg_type: PgType, array: &ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Null => return Ok(Self::Null),
            DataType::Struct(fields) => return Self::record(fields, array),
            DataType::List(field) => return Self::list(pg_type, field, array),
            _ => {}
        }
        if pg_type.element().is_some() {
            return Err(super::incorrect());
        }
        let kept_as = pg_type.facts().kept_as;
        let usual = || layout::converted(array, &pg_type.arrow());
        Ok(match kept_as {
            Kept::Boolean => Self::Boolean(usual()?.as_boolean().clone()),
            Kept::Int16 => Self::Int16(buffer::<Int16Type>(&usual()?)),
            Kept::Int32 => Self::Int32(buffer::<Int32Type>(&usual()?)),
            Kept::Int64 if pg_type == PgType::INT8 => Self::Int64(buffer::<Int64Type>(&usual()?)),
            Kept::Int64 if pg_type == PgType::TID => Self::Tid(buffer::<Int64Type>(&usual()?)),
            Kept::Int64 => Self::Oid(buffer::<Int64Type>(&usual()?)),
            Kept::Float32 => Self::Float32(buffer::<Float32Type>(&usual()?)),
            Kept::Float64 => Self::Float64(buffer::<Float64Type>(&usual()?)),
            Kept::Decimal => Self::numeric(pg_type, array)?,
            Kept::Text => Self::text(pg_type, array)?,
            Kept::Binary => Self::Bytes(usual()?.as_binary().clone()),
            Kept::Date => Self::Date(buffer::<Date32Type>(&usual()?)),
            Kept::Time => Self::Time(buffer::<Time64MicrosecondType>(&usual()?)),
            Kept::Timestamp | Kept::TimestampTz => {
                Self::Timestamp(buffer::<TimestampMicrosecondType>(&usual()?))
            }
            Kept::Interval => Self::Interval(buffer::<IntervalMonthDayNanoType>(&usual()?)),
            Kept::Pseudo => {
                return Err(ValueError::new("0A000", "values of a pseudo-type cannot be sent"));
            }
        })
    }

    fn numeric(pg_type: PgType, array: &ArrayRef) -> Result<Self> {
        let exact = match array.data_type() {
            DataType::Decimal128(..)
            | DataType::Decimal256(..)
            | DataType::LargeBinary
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64 => Arc::clone(array),
            _ => layout::converted(array, &pg_type.arrow())?,
        };
        Ok(Self::Numeric(Formatter::for_array(pg_type, &exact, &Style::default())?))
    }

    fn text(pg_type: PgType, array: &ArrayRef) -> Result<Self> {
        if pg_type == PgType::UUID && array.data_type() == &DataType::Binary {
            return Ok(Self::Bytes(array.as_binary().clone()));
        }
        let texts = layout::converted(array, &DataType::Utf8View)?;
        let texts = texts.as_string_view();
        if !text::differs(pg_type) {
            return Ok(Self::Text(texts.clone(), text::prefix(pg_type)));
        }
        let mut builder = BinaryBuilder::with_capacity(texts.len(), texts.len() * 16);
        for value in texts {
            builder.append_option(value.map(|value| text::send(pg_type, value)).transpose()?);
        }
        Ok(Self::Bytes(builder.finish()))
    }

    fn list(pg_type: PgType, field: &Field, array: &ArrayRef) -> Result<Self> {
        let list = array.as_list::<i32>();
        if matches!(list.values().data_type(), DataType::List(_) | DataType::LargeList(_)) {
            return Err(ValueError::new(
                "0A000",
                "arrays of arrays cannot be sent in binary format",
            ));
        }
        let pg_type = match pg_type.element() {
            Some(_) => pg_type,
            None => PgType::from_field(field).array(),
        };
        let element = pg_type.element().unwrap_or(PgType::TEXT);
        let elements = Box::new(ArrayEncoder::for_array(element, list.values())?);
        Ok(Self::List { offsets: list.offsets().clone(), elements, pg_type })
    }

    fn record(fields: &[Arc<Field>], array: &ArrayRef) -> Result<Self> {
        let columns = fields.iter().zip(array.as_struct().columns());
        let field = |(field, column): (&Arc<Field>, &ArrayRef)| {
            let pg_type = PgType::from_field(field);
            Ok((pg_type.oid, ArrayEncoder::for_array(pg_type, column)?))
        };
        columns.map(field).collect::<Result<_>>().map(Self::Record)
    }
}
