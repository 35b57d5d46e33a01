//! [`Builder`]: a column under construction, text or binary values in, one Arrow array out.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder,
    Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder,
    IntervalMonthDayNanoBuilder, LargeBinaryBuilder, StringViewBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder, new_empty_array,
};
use datafusion::arrow::compute::concat;

use super::array::ListBuilder;
use super::numeric::Shape;
use super::text::Rule;
use super::{Context, boolean, bytes, date, float, integer, interval, numeric, time, timestamp};
use crate::types::{Kept, PgType};
use crate::{Result, ValueError, binary};

/// Collects the values of one column.
///
/// An append that fails adds nothing, so a row can be refused by calling [`Builder::truncate`] on
/// the columns that had taken it.
#[derive(Debug)]
pub struct Builder {
    pg_type: PgType,
    pub(crate) values: Values,
    length: usize,
    /// Finished parts, from [`Builder::truncate`].
    parts: Vec<ArrayRef>,
}

/// One concrete Arrow builder, and what its parser needs.
#[derive(Debug)]
pub(crate) enum Values {
    Boolean(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    /// `oid` and what is an OID inside.
    Oid(Int64Builder, &'static str),
    Tid(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder, Shape),
    /// With its type, whose modifier may want fewer digits.
    Numeric(LargeBinaryBuilder, PgType),
    Text(StringViewBuilder, Rule),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    /// With the number of fractional digits of the modifier.
    Time(Time64MicrosecondBuilder, i32),
    Timestamp(TimestampMicrosecondBuilder, i32),
    TimestampTz(TimestampMicrosecondBuilder, i32),
    Interval(IntervalMonthDayNanoBuilder),
    List(Box<ListBuilder>),
}

impl Values {
    fn new(pg_type: PgType, capacity: usize) -> Result<Self> {
        if pg_type.element().is_some() {
            return Ok(Self::List(Box::new(ListBuilder::new(pg_type, capacity)?)));
        }
        let facts = pg_type.facts();
        let digits = if (0..6).contains(&pg_type.modifier) { pg_type.modifier } else { 6 };
        Ok(match facts.kept_as {
            Kept::Boolean => Self::Boolean(BooleanBuilder::with_capacity(capacity)),
            Kept::Int16 => Self::Int16(Int16Builder::with_capacity(capacity)),
            Kept::Int32 => Self::Int32(Int32Builder::with_capacity(capacity)),
            Kept::Int64 if pg_type == PgType::INT8 => {
                Self::Int64(Int64Builder::with_capacity(capacity))
            }
            Kept::Int64 if pg_type == PgType::TID => {
                Self::Tid(Int64Builder::with_capacity(capacity))
            }
            Kept::Int64 => Self::Oid(Int64Builder::with_capacity(capacity), facts.name),
            Kept::Float32 => Self::Float32(Float32Builder::with_capacity(capacity)),
            Kept::Float64 => Self::Float64(Float64Builder::with_capacity(capacity)),
            Kept::Decimal => match pg_type.decimal_parts() {
                Some(parts) => {
                    let builder = Decimal128Builder::with_capacity(capacity);
                    Self::Decimal(builder.with_data_type(pg_type.arrow()), Shape::new(parts)?)
                }
                None => {
                    let builder = LargeBinaryBuilder::with_capacity(capacity, capacity * 12);
                    Self::Numeric(builder, pg_type)
                }
            },
            Kept::Text => Self::Text(StringViewBuilder::with_capacity(capacity), Rule::of(pg_type)),
            Kept::Binary => Self::Binary(BinaryBuilder::with_capacity(capacity, 0)),
            Kept::Date => Self::Date(Date32Builder::with_capacity(capacity)),
            Kept::Time => Self::Time(Time64MicrosecondBuilder::with_capacity(capacity), digits),
            Kept::Timestamp => {
                Self::Timestamp(TimestampMicrosecondBuilder::with_capacity(capacity), digits)
            }
            Kept::TimestampTz => {
                let builder = TimestampMicrosecondBuilder::with_capacity(capacity);
                Self::TimestampTz(builder.with_timezone("UTC"), digits)
            }
            Kept::Interval => Self::Interval(IntervalMonthDayNanoBuilder::with_capacity(capacity)),
            Kept::Pseudo => {
                let message = format!("cannot accept a value of type {}", pg_type.sql_name());
                return Err(ValueError::new("0A000", message));
            }
        })
    }
}

/// Runs the same expression on whichever Arrow builder there is.
macro_rules! each {
    ($values:expr, $builder:ident => $run:expr) => {
        match $values {
            Values::Boolean($builder) => $run,
            Values::Int16($builder) => $run,
            Values::Int32($builder) => $run,
            Values::Int64($builder) | Values::Oid($builder, _) | Values::Tid($builder) => $run,
            Values::Float32($builder) => $run,
            Values::Float64($builder) => $run,
            Values::Decimal($builder, _) => $run,
            Values::Numeric($builder, _) => $run,
            Values::Text($builder, _) => $run,
            Values::Binary($builder) => $run,
            Values::Date($builder) => $run,
            Values::Time($builder, _) => $run,
            Values::Timestamp($builder, _) | Values::TimestampTz($builder, _) => $run,
            Values::Interval($builder) => $run,
            Values::List($builder) => $run,
        }
    };
}

impl Builder {
    /// Makes a builder for values of a type, with room for `capacity` of them.
    ///
    /// # Errors
    /// 0A000 for pseudo-types.
    pub fn new(pg_type: PgType, capacity: usize) -> Result<Self> {
        Ok(Self { pg_type, values: Values::new(pg_type, capacity)?, length: 0, parts: Vec::new() })
    }

    /// The type of the values.
    pub fn pg_type(&self) -> PgType {
        self.pg_type
    }

    /// Number of values so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no value yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends NULL.
    pub fn append_null(&mut self) {
        each!(&mut self.values, builder => builder.append_null());
        self.length += 1;
    }

    /// Reads and appends one value; `None` is NULL.
    ///
    /// # Errors
    /// Those of the type's input function; nothing is appended then.
    pub fn append(&mut self, text: Option<&str>, ctx: &Context) -> Result<()> {
        const INT2: (i64, i64) = (i16::MIN as i64, i16::MAX as i64);
        const INT4: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);
        let Some(text) = text else {
            self.append_null();
            return Ok(());
        };
        match &mut self.values {
            Values::Boolean(builder) => builder.append_value(boolean::parse(text)?),
            Values::Int16(builder) => {
                builder.append_value(integer::parse(text, INT2, "smallint")? as i16)
            }
            Values::Int32(builder) => {
                builder.append_value(integer::parse(text, INT4, "integer")? as i32)
            }
            Values::Int64(builder) => {
                builder.append_value(integer::parse(text, (i64::MIN, i64::MAX), "bigint")?);
            }
            Values::Oid(builder, name) => builder.append_value(integer::parse_oid(text, name)?),
            Values::Tid(builder) => builder.append_value(integer::parse_tid(text)?),
            Values::Float32(builder) => builder.append_value(float::parse_f32(text)?),
            Values::Float64(builder) => builder.append_value(float::parse_f64(text)?),
            Values::Decimal(builder, shape) => builder.append_value(numeric::parse(text, *shape)?),
            Values::Numeric(builder, pg_type) => {
                let mut bytes = Vec::with_capacity(16);
                numeric::parse_free(text, *pg_type, &mut bytes)?;
                builder.append_value(&bytes);
            }
            Values::Text(builder, rule) => builder.append_value(rule.apply(text, ctx)?),
            Values::Binary(builder) => builder.append_value(bytes::parse(text)?),
            Values::Date(builder) => builder.append_value(date::parse(text, ctx)?),
            Values::Time(builder, digits) => builder.append_value(time::parse(text, *digits, ctx)?),
            Values::Timestamp(builder, digits) => {
                builder.append_value(timestamp::parse(text, *digits, ctx)?);
            }
            Values::TimestampTz(builder, digits) => {
                builder.append_value(timestamp::parse_tz(text, *digits, ctx)?);
            }
            Values::Interval(builder) => builder.append_value(interval::parse(text)?),
            Values::List(builder) => builder.append(text, ctx)?,
        }
        self.length += 1;
        Ok(())
    }

    /// Reads and appends one value in PostgreSQL's binary format; `None` is NULL.
    ///
    /// # Errors
    /// 22P03 for bytes that are no such value; nothing is appended then.
    pub fn append_binary(&mut self, bytes: Option<&[u8]>) -> Result<()> {
        let Some(bytes) = bytes else {
            self.append_null();
            return Ok(());
        };
        binary::append(&mut self.values, self.pg_type, bytes)?;
        self.length += 1;
        Ok(())
    }

    /// Drops all but the first `length` values. It costs a copy at the next [`Builder::finish`]:
    /// it is meant for the rare row that is refused.
    pub fn truncate(&mut self, length: usize) {
        if length < self.length {
            let kept = self.finish().slice(0, length);
            self.parts.push(kept);
            self.length = length;
        }
    }

    /// The values as an array of type [`PgType::arrow`]; the builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        let last = each!(&mut self.values, builder => Arc::new(builder.finish()) as ArrayRef);
        self.length = 0;
        if self.parts.is_empty() {
            return last;
        }
        let mut parts = std::mem::take(&mut self.parts);
        parts.push(last);
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        // All parts come from one builder, so their types agree and concatenation cannot fail.
        concat(&parts).unwrap_or_else(|_| new_empty_array(&self.pg_type.arrow()))
    }
}
