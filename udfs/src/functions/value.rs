//! One result of a row kernel, and the column built from them.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder,
    Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder,
    IntervalMonthDayNanoBuilder, ListArray, NullBufferBuilder, StringViewBuilder, StructArray,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder, new_null_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, FieldRef, Fields, IntervalMonthDayNano};

use super::decimal::Decimal;
use crate::numeric::Number;
use crate::numeric::column::Writer;
use crate::{Result, ValueError};

/// A value that a row kernel returns.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// `boolean`.
    Bool(bool),
    /// Any integer type; also `oid`.
    Int(i64),
    /// `float4`, `float8`.
    Float(f64),
    /// `numeric` of 128 bits; rounded to the scale of the column.
    Numeric(Decimal),
    /// `numeric` of any size.
    Number(Number),
    /// `text` and what is kept as text.
    Text(String),
    /// `bytea`.
    Bytes(Vec<u8>),
    /// `date`: days since 1970-01-01.
    Date(i32),
    /// `time`, `timestamp`, `timestamptz`: microseconds.
    Micros(i64),
    /// `interval`.
    Interval(IntervalMonthDayNano),
    /// An array, or the rows of a set.
    List(Vec<Value>),
    /// A row of a set with several columns.
    Row(Vec<Value>),
}

macro_rules! from {
    ($($type:ty => $variant:ident;)*) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self { Self::$variant(value.into()) }
        })*
    };
}
from! {
    bool => Bool; i16 => Int; i32 => Int; i64 => Int; f64 => Float; Decimal => Numeric; Number => Number;
    String => Text; &str => Text; Vec<u8> => Bytes; IntervalMonthDayNano => Interval;
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    /// An array of texts.
    pub fn texts<T: Into<Self>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// Builds a column of the given Arrow type from values.
pub enum Builder {
    /// Everything that has an Arrow builder of its own.
    Plain(Plain, DataType),
    /// `List` of something.
    List(Box<Builder>, FieldRef, Vec<i32>, NullBufferBuilder),
    /// `Struct`.
    Row(Vec<Builder>, Fields, NullBufferBuilder),
}

/// An Arrow builder.
pub enum Plain {
    /// Only NULLs.
    Null(usize),
    /// `Boolean`.
    Bool(BooleanBuilder),
    /// `Int16`.
    Int2(Int16Builder),
    /// `Int32`.
    Int4(Int32Builder),
    /// `Int64`.
    Int8(Int64Builder),
    /// `Float32`.
    Float4(Float32Builder),
    /// `Float64`.
    Float8(Float64Builder),
    /// `Decimal128` with precision and scale.
    Numeric(Decimal128Builder, u8, i8),
    /// `numeric` whose values have scales of their own.
    Number(Writer),
    /// `Utf8View`.
    Text(StringViewBuilder),
    /// `Binary`.
    Bytes(BinaryBuilder),
    /// `Date32`.
    Date(Date32Builder),
    /// `Time64(µs)`.
    Time(Time64MicrosecondBuilder),
    /// `Timestamp(µs)`.
    Timestamp(TimestampMicrosecondBuilder),
    /// `Interval`.
    Interval(IntervalMonthDayNanoBuilder),
}

impl Builder {
    /// A builder for a column of this type.
    pub fn new(data_type: &DataType, rows: usize) -> Self {
        let plain = match data_type {
            DataType::Boolean => Plain::Bool(BooleanBuilder::with_capacity(rows)),
            DataType::Int16 => Plain::Int2(Int16Builder::with_capacity(rows)),
            DataType::Int32 => Plain::Int4(Int32Builder::with_capacity(rows)),
            DataType::Int64 => Plain::Int8(Int64Builder::with_capacity(rows)),
            DataType::Float32 => Plain::Float4(Float32Builder::with_capacity(rows)),
            DataType::Float64 => Plain::Float8(Float64Builder::with_capacity(rows)),
            DataType::Decimal128(precision, scale) => Plain::Numeric(
                Decimal128Builder::with_capacity(rows).with_data_type(data_type.clone()),
                *precision,
                *scale,
            ),
            DataType::LargeBinary => Plain::Number(Writer::new(rows)),
            DataType::Utf8View => Plain::Text(StringViewBuilder::with_capacity(rows)),
            DataType::Binary => Plain::Bytes(BinaryBuilder::with_capacity(rows, 0)),
            DataType::Date32 => Plain::Date(Date32Builder::with_capacity(rows)),
            DataType::Time64(_) => Plain::Time(Time64MicrosecondBuilder::with_capacity(rows)),
            DataType::Timestamp(..) => Plain::Timestamp(
                TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(data_type.clone()),
            ),
            DataType::Interval(_) => {
                Plain::Interval(IntervalMonthDayNanoBuilder::with_capacity(rows))
            }
            DataType::List(field) => {
                let items = Self::new(field.data_type(), rows);
                let nulls = NullBufferBuilder::new(rows);
                return Self::List(Box::new(items), Arc::clone(field), vec![0], nulls);
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().map(|field| Self::new(field.data_type(), rows));
                let nulls = NullBufferBuilder::new(rows);
                return Self::Row(columns.collect(), fields.clone(), nulls);
            }
            _ => Plain::Null(0),
        };
        Self::Plain(plain, data_type.clone())
    }

    /// Number of values so far.
    pub fn count(&self) -> usize {
        match self {
            Self::Plain(plain, _) => plain.count(),
            Self::List(_, _, offsets, _) => offsets.len() - 1,
            Self::Row(_, _, nulls) => nulls.len(),
        }
    }

    /// Adds a value.
    ///
    /// # Errors
    /// A number that the column's type cannot hold (22003).
    pub fn push(&mut self, value: Value) -> Result<()> {
        match self {
            Self::Plain(plain, data_type) => plain.push(value, data_type),
            Self::List(items, _, offsets, nulls) => {
                match value {
                    Value::List(values) => {
                        values.into_iter().try_for_each(|value| items.push(value))?;
                        nulls.append(true);
                    }
                    _ => nulls.append(false),
                }
                let end = i32::try_from(items.count()).map_err(|_| {
                    ValueError::new("54000", "array size exceeds the maximum allowed")
                })?;
                offsets.push(end);
                Ok(())
            }
            Self::Row(columns, _, nulls) => {
                let (valid, values) = match value {
                    Value::Row(values) => (true, values),
                    _ => (false, vec![]),
                };
                nulls.append(valid);
                let values = values.into_iter().chain(std::iter::repeat(Value::Null));
                columns.iter_mut().zip(values).try_for_each(|(column, value)| column.push(value))
            }
        }
    }

    /// The column.
    ///
    /// # Errors
    /// What Arrow says of parts that do not fit.
    pub fn finish(self) -> Result<ArrayRef> {
        match self {
            Self::Plain(plain, data_type) => Ok(plain.finish(&data_type)),
            Self::List(items, field, offsets, mut nulls) => {
                let offsets = OffsetBuffer::new(offsets.into());
                let list = ListArray::try_new(field, offsets, items.finish()?, nulls.finish());
                Ok(Arc::new(list.map_err(internal)?))
            }
            Self::Row(columns, fields, mut nulls) => {
                let columns = columns.into_iter().map(Self::finish).collect::<Result<Vec<_>>>()?;
                let rows = StructArray::try_new(fields, columns, nulls.finish());
                Ok(Arc::new(rows.map_err(internal)?))
            }
        }
    }
}

impl Plain {
    fn push(&mut self, value: Value, data_type: &DataType) -> Result<()> {
        match (self, value) {
            (Self::Bool(builder), Value::Bool(value)) => builder.append_value(value),
            (Self::Int2(builder), Value::Int(value)) => {
                builder.append_value(narrow(value, "smallint")?)
            }
            (Self::Int4(builder), Value::Int(value)) => {
                builder.append_value(narrow(value, "integer")?)
            }
            (Self::Int8(builder), Value::Int(value)) => builder.append_value(value),
            (Self::Float4(builder), Value::Float(value)) => builder.append_value(value as f32),
            (Self::Float8(builder), Value::Float(value)) => builder.append_value(value),
            (Self::Numeric(builder, precision, scale), Value::Numeric(value)) => {
                builder.append_value(value.fit(*precision, *scale)?);
            }
            (Self::Numeric(builder, precision, scale), Value::Int(value)) => {
                builder.append_value(Decimal::from(value).fit(*precision, *scale)?);
            }
            (Self::Numeric(builder, precision, scale), Value::Number(value)) => {
                builder.append_value(value.narrow()?.fit(*precision, *scale)?);
            }
            (Self::Number(writer), Value::Number(value)) => writer.number(&value),
            (Self::Number(writer), Value::Numeric(value)) => writer.number(&value.into()),
            (Self::Number(writer), Value::Int(value)) => writer.small((value.into(), 0)),
            (Self::Text(builder), Value::Text(value)) => builder.append_value(value),
            (Self::Bytes(builder), Value::Bytes(value)) => builder.append_value(value),
            (Self::Date(builder), Value::Date(value)) => builder.append_value(value),
            (Self::Time(builder), Value::Micros(value)) => builder.append_value(value),
            (Self::Timestamp(builder), Value::Micros(value)) => builder.append_value(value),
            (Self::Interval(builder), Value::Interval(value)) => builder.append_value(value),
            (plain, Value::Null) => plain.push_null(),
            (_, value) => {
                return Err(ValueError::new(
                    "XX000",
                    format!("{value:?} is not of type {data_type}"),
                ));
            }
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Self::Null(count) => *count += 1,
            Self::Bool(builder) => builder.append_null(),
            Self::Int2(builder) => builder.append_null(),
            Self::Int4(builder) => builder.append_null(),
            Self::Int8(builder) => builder.append_null(),
            Self::Float4(builder) => builder.append_null(),
            Self::Float8(builder) => builder.append_null(),
            Self::Numeric(builder, ..) => builder.append_null(),
            Self::Number(writer) => writer.null(),
            Self::Text(builder) => builder.append_null(),
            Self::Bytes(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
            Self::Interval(builder) => builder.append_null(),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Null(count) => *count,
            Self::Bool(builder) => builder.len(),
            Self::Int2(builder) => builder.len(),
            Self::Int4(builder) => builder.len(),
            Self::Int8(builder) => builder.len(),
            Self::Float4(builder) => builder.len(),
            Self::Float8(builder) => builder.len(),
            Self::Numeric(builder, ..) => builder.len(),
            Self::Number(writer) => writer.len(),
            Self::Text(builder) => builder.len(),
            Self::Bytes(builder) => builder.len(),
            Self::Date(builder) => builder.len(),
            Self::Time(builder) => builder.len(),
            Self::Timestamp(builder) => builder.len(),
            Self::Interval(builder) => builder.len(),
        }
    }

    fn finish(self, data_type: &DataType) -> ArrayRef {
        match self {
            Self::Null(count) => new_null_array(data_type, count),
            Self::Bool(mut builder) => Arc::new(builder.finish()),
            Self::Int2(mut builder) => Arc::new(builder.finish()),
            Self::Int4(mut builder) => Arc::new(builder.finish()),
            Self::Int8(mut builder) => Arc::new(builder.finish()),
            Self::Float4(mut builder) => Arc::new(builder.finish()),
            Self::Float8(mut builder) => Arc::new(builder.finish()),
            Self::Numeric(mut builder, ..) => Arc::new(builder.finish()),
            Self::Number(mut writer) => writer.finish(),
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Bytes(mut builder) => Arc::new(builder.finish()),
            Self::Date(mut builder) => Arc::new(builder.finish()),
            Self::Time(mut builder) => Arc::new(builder.finish()),
            Self::Timestamp(mut builder) => Arc::new(builder.finish()),
            Self::Interval(mut builder) => Arc::new(builder.finish()),
        }
    }
}

fn narrow<T: TryFrom<i64>>(value: i64, type_name: &str) -> Result<T> {
    T::try_from(value).map_err(|_| ValueError::out_of_range(type_name))
}

/// An error that only a mistake of ours can cause.
pub(crate) fn internal(error: impl std::fmt::Display) -> ValueError {
    ValueError::new("XX000", error.to_string())
}
