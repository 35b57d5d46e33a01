//! Arguments on their way into a kernel: converted to what the signature says, then read by row.

use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array,
    IntervalMonthDayNanoArray, ListArray, StringViewArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Field, FieldRef, Float64Type, Int64Type, IntervalMonthDayNanoType,
    IntervalUnit, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};

use super::datetime::zone::Zone;
use super::signature::{ANY, ANY_ARRAY, ANY_ELEMENT};
use super::value::internal;
use crate::numeric::Number;
use crate::numeric::column::{Numbers, free};
use crate::types::{Kept, PgType};
use crate::{Result, ValueError};
use datafusion::arrow::datatypes::IntervalMonthDayNano;

/// An argument column, converted to its parameter's type. Of a constant it has one row.
#[derive(Debug, Clone)]
pub struct Argument {
    /// The values.
    pub array: ArrayRef,
    /// Whether one value stands for all rows.
    pub constant: bool,
    /// Its exact type, as given.
    pub pg_type: PgType,
    /// Downcast when a row kernel first asks; column kernels have no use for it.
    column: OnceLock<Column>,
    texts: Arc<OnceLock<Vec<Option<String>>>>,
}

#[derive(Debug, Clone)]
enum Column {
    Bool(BooleanArray),
    Int(Int64Array),
    Float(Float64Array),
    Numeric(Numbers),
    Text(StringViewArray),
    Bytes(BinaryArray),
    Date(Date32Array),
    Time(Time64MicrosecondArray),
    Timestamp(TimestampMicrosecondArray),
    Interval(IntervalMonthDayNanoArray),
    List(ListArray),
    Other,
}

/// What a whole call has beside its arguments.
pub struct Call<'a> {
    /// The arguments.
    pub arguments: &'a [Argument],
    /// Number of rows; 1 when all arguments are constant.
    pub rows: usize,
    /// The field that was promised as result.
    pub result: &'a FieldRef,
    /// The session's time zone by name, looked up when a kernel asks.
    pub zone_name: &'a str,
    zone: OnceLock<Zone>,
}

impl<'a> Call<'a> {
    /// Puts a call together.
    pub fn new(
        arguments: &'a [Argument],
        rows: usize,
        result: &'a FieldRef,
        zone_name: &'a str,
    ) -> Self {
        Self { arguments, rows, result, zone_name, zone: OnceLock::new() }
    }

    /// The session's time zone.
    pub fn zone(&self) -> &Zone {
        self.zone.get_or_init(|| Zone::parse(self.zone_name).unwrap_or(Zone::UTC))
    }
}

/// One row of a call.
pub struct Row<'a> {
    call: &'a Call<'a>,
    index: usize,
}

macro_rules! reads {
    ($($(#[$doc:meta])* $name:ident $variant:ident $type:ty = $read:expr, $default:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(&self, argument: usize) -> $type {
            let Some((argument, row)) = self.place(argument) else { return $default };
            match argument.column() {
                Column::$variant(array) => $read(array, row),
                _ => $default,
            }
        })*
    };
}

impl<'a> Row<'a> {
    /// The row at an index.
    pub fn new(call: &'a Call<'a>, index: usize) -> Self {
        Self { call, index }
    }

    fn argument(&self, argument: usize) -> Option<&'a Argument> {
        self.call.arguments.get(argument)
    }

    reads! {
        /// A `boolean`.
        bool Bool bool = |array: &BooleanArray, row| array.value(row), false;
        /// Any integer.
        int Int i64 = |array: &Int64Array, row| array.value(row), 0;
        /// A float.
        float Float f64 = |array: &Float64Array, row| array.value(row), 0.0;
        /// A `date`: days since 1970.
        date Date i32 = |array: &Date32Array, row| array.value(row), 0;
        /// A `time`: microseconds of the day.
        time Time i64 = |array: &Time64MicrosecondArray, row| array.value(row), 0;
        /// A `timestamp` or `timestamptz`: microseconds since 1970.
        timestamp Timestamp i64 = |array: &TimestampMicrosecondArray, row| array.value(row), 0;
        /// An `interval`.
        interval Interval IntervalMonthDayNano =
            |array: &IntervalMonthDayNanoArray, row| array.value(row), IntervalMonthDayNano::ZERO;
        /// A `numeric`.
        number Numeric Number = |array: &Numbers, row| array.number(row), Number::from(0);
        /// A `text`, or what is kept as text.
        text Text &'a str = |array: &'a StringViewArray, row| array.value(row), "";
        /// A `bytea`.
        bytes Bytes &'a [u8] = |array: &'a BinaryArray, row| array.value(row), &[];
    }

    /// The elements of an array; empty when the array is NULL.
    pub fn list(&self, argument: usize) -> Option<ArrayRef> {
        let (argument, row) = self.place(argument)?;
        match argument.column() {
            Column::List(array) => Some(array.value(row)),
            _ => None,
        }
    }

    /// The elements of a `text[]`.
    pub fn texts(&self, argument: usize) -> Vec<Option<String>> {
        let Some(list) = self.list(argument) else { return vec![] };
        let list = cast(&list, &DataType::Utf8View).unwrap_or(list);
        match list.as_string_view_opt() {
            Some(texts) => texts.iter().map(|text| text.map(str::to_owned)).collect(),
            None => vec![None; list.len()],
        }
    }

    /// An integer as 32 bits; the signature has it as `int4`.
    pub fn int4(&self, argument: usize) -> i32 {
        self.int(argument).clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }

    /// Whether an argument is NULL in this row; an argument that was not given is.
    pub fn is_null(&self, argument: usize) -> bool {
        self.argument(argument).is_none_or(|argument| argument.is_null(self.index))
    }

    /// A text, unless NULL.
    pub fn text_opt(&self, argument: usize) -> Option<&'a str> {
        (!self.is_null(argument)).then(|| self.text(argument))
    }

    /// Number of arguments given.
    pub fn len(&self) -> usize {
        self.call.arguments.len()
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.call.arguments.is_empty()
    }

    /// The exact type of an argument.
    pub fn pg_type(&self, argument: usize) -> PgType {
        self.argument(argument).map_or(PgType::UNKNOWN, |argument| argument.pg_type)
    }

    /// The type that an argument was converted to.
    pub fn kind(&self, argument: usize) -> PgType {
        self.argument(argument)
            .map_or(PgType::UNKNOWN, |argument| PgType::from_arrow(argument.array.data_type()))
    }

    /// An argument's column and this row's place in it.
    pub fn place(&self, argument: usize) -> Option<(&'a Argument, usize)> {
        let argument = self.argument(argument)?;
        Some((argument, if argument.constant { 0 } else { self.index }))
    }

    /// Any argument as text, as its type prints it; `None` for NULL.
    ///
    /// # Errors
    /// A type that has no text.
    pub fn shown(&self, argument: usize) -> Result<Option<std::borrow::Cow<'a, str>>> {
        if self.is_null(argument) {
            return Ok(None);
        }
        let Some((argument, row)) = self.place(argument) else { return Ok(None) };
        if let Column::Text(texts) = argument.column() {
            return Ok(Some(texts.value(row).into()));
        }
        let texts = argument.texts(self.call.zone_name)?;
        Ok(texts.get(row).and_then(Option::as_deref).map(Into::into))
    }

    /// The session's time zone by name.
    pub fn zone_name(&self) -> &'a str {
        self.call.zone_name
    }

    /// The session's time zone.
    pub fn zone(&self) -> &'a Zone {
        self.call.zone()
    }
}

impl Argument {
    /// Converts an argument to its parameter's type.
    ///
    /// # Errors
    /// A value that does not go (22003, 22P02 …).
    pub fn new(
        array: &ArrayRef,
        field: &Field,
        constant: bool,
        wanted: PgType,
        zone_name: &str,
    ) -> Result<Self> {
        let given = super::signature::type_of(field);
        let array = convert(array, given, wanted, zone_name)?;
        let column = OnceLock::new();
        Ok(Self { column, array, constant, pg_type: given, texts: Arc::default() })
    }

    fn column(&self) -> &Column {
        self.column.get_or_init(|| Column::new(&self.array).unwrap_or(Column::Other))
    }

    /// The values as text, made once for the column.
    ///
    /// # Errors
    /// A type that has no text.
    pub fn texts(&self, zone_name: &str) -> Result<&[Option<String>]> {
        if self.texts.get().is_none() {
            let texts = super::strings::text::texts(&self.array, self.pg_type, zone_name)?;
            return Ok(self.texts.get_or_init(|| texts));
        }
        Ok(self.texts.get().map_or(&[], Vec::as_slice))
    }

    /// Whether it is NULL in a row.
    pub fn is_null(&self, row: usize) -> bool {
        self.array.is_null(if self.constant { 0 } else { row })
            || *self.array.data_type() == DataType::Null
    }
}

impl Column {
    fn new(array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            DataType::Int16 | DataType::Int32 => {
                Self::Int(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            DataType::Int64 => Self::Int(array.as_primitive::<Int64Type>().clone()),
            DataType::Float32 => {
                Self::Float(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
            }
            DataType::Float64 => Self::Float(array.as_primitive::<Float64Type>().clone()),
            DataType::Decimal128(..) | DataType::LargeBinary => {
                Numbers::new(array).map_or(Self::Other, Self::Numeric)
            }
            DataType::Utf8View => Self::Text(array.as_string_view().clone()),
            DataType::Binary => Self::Bytes(array.as_binary::<i32>().clone()),
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>().clone()),
            DataType::Time64(TimeUnit::Microsecond) => {
                Self::Time(array.as_primitive::<Time64MicrosecondType>().clone())
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Timestamp(array.as_primitive::<TimestampMicrosecondType>().clone())
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                Self::Interval(array.as_primitive::<IntervalMonthDayNanoType>().clone())
            }
            DataType::List(_) => Self::List(array.as_list::<i32>().clone()),
            _ => Self::Other,
        })
    }
}

/// Converts a column from one PostgreSQL type to another, where that is implicit.
///
/// # Errors
/// A value that does not go.
pub fn convert(
    array: &ArrayRef,
    given: PgType,
    wanted: PgType,
    zone_name: &str,
) -> Result<ArrayRef> {
    match wanted {
        ANY | ANY_ELEMENT | PgType::RECORD => return plain(array),
        ANY_ARRAY => return as_list(array),
        _ => {}
    }
    let target = wanted.arrow();
    let stated = given.oid == wanted.oid || super::signature::is_text(wanted);
    if is_string(array.data_type()) && !stated {
        return parse(array, wanted, zone_name);
    }
    if wanted.facts().kept_as == Kept::Decimal && wanted.element().is_none() {
        return as_decimal(array);
    }
    match (given.oid, wanted.oid) {
        (1082, 1184) => cast_with_zone(&cast(array, &PgType::TIMESTAMP.arrow())?, zone_name),
        (1114, 1184) => cast_with_zone(&plain(array)?, zone_name),
        _ => cast(array, &target),
    }
}

/// One representation for each kind of value: what [`PgType::arrow`] gives.
///
/// # Errors
/// A value outside of the kept range (nanoseconds never are).
pub fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    let target = match array.data_type() {
        DataType::Timestamp(unit, zone) if *unit != TimeUnit::Microsecond => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        DataType::Time32(_) | DataType::Time64(TimeUnit::Nanosecond) => {
            DataType::Time64(TimeUnit::Microsecond)
        }
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Int8 | DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Interval(IntervalUnit::YearMonth | IntervalUnit::DayTime)
        | DataType::Duration(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Dictionary(_, value) => {
            let array = cast(array, value)?;
            return plain(&array);
        }
        DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::ListView(_) => {
            return as_list(array);
        }
        _ => return Ok(Arc::clone(array)),
    };
    cast(array, &target)
}

fn as_list(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field) => cast(array, &DataType::List(Arc::clone(field))),
        _ => Ok(Arc::clone(array)),
    }
}

/// A text that stands for another type: a literal whose type nobody stated.
fn parse(array: &ArrayRef, wanted: PgType, zone_name: &str) -> Result<ArrayRef> {
    let texts = cast(array, &DataType::Utf8View)?;
    let context = crate::input::Context {
        time_zone: zone_name.parse().unwrap_or(chrono_tz::Tz::UTC),
        ..Default::default()
    };
    let mut builder = crate::input::Builder::new(wanted, texts.len())?;
    for text in texts.as_string_view() {
        builder.append(text, &context)?;
    }
    Ok(builder.finish())
}

fn as_decimal(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Decimal128(..) | DataType::LargeBinary => Ok(Arc::clone(array)),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => {
            cast(array, &DataType::Decimal128(5, 0))
        }
        DataType::Int32 | DataType::UInt16 => cast(array, &DataType::Decimal128(10, 0)),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => {
            cast(array, &DataType::Decimal128(20, 0))
        }
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            cast(array, &DataType::Decimal128(*precision, *scale))
        }
        DataType::Decimal256(..) => free(array),
        _ => cast(array, &DataType::Decimal128(38, 0)),
    }
}

fn cast_with_zone(array: &ArrayRef, zone_name: &str) -> Result<ArrayRef> {
    let zone = Zone::parse(zone_name).unwrap_or(Zone::UTC);
    let local = array
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| internal("timestamp expected"))?;
    let utc = local.unary::<_, TimestampMicrosecondType>(|local| zone.to_utc(local));
    Ok(Arc::new(utc.with_timezone("UTC")))
}

/// Numbers with scales of their own, which Arrow's cast does not know.
fn of_numbers(array: &ArrayRef, target: &DataType) -> Option<Result<ArrayRef>> {
    let free_list = |data_type: &DataType| match data_type {
        DataType::List(item) => *item.data_type() == DataType::LargeBinary,
        _ => false,
    };
    match (array.data_type(), target) {
        (from, DataType::LargeBinary) if from.is_numeric() => Some(free(array)),
        (from @ DataType::List(_), to) if free_list(to) && !free_list(from) => {
            Some(free(array).and_then(|array| cast(&array, to)))
        }
        (DataType::LargeBinary, to) if to.is_numeric() => {
            let to = match to {
                DataType::Decimal128(precision, scale) => {
                    PgType::numeric((*precision).into(), (*scale).into())
                }
                other => PgType::from_arrow(other),
            };
            Some(crate::cast::numbers(array, to))
        }
        _ => None,
    }
}

pub(crate) fn is_string(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Arrow's cast, with PostgreSQL's errors.
///
/// # Errors
/// A value that does not go (22003, 22P02).
pub fn cast(array: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    if array.data_type() == target {
        return Ok(Arc::clone(array));
    }
    if let Some(numbers) = of_numbers(array, target) {
        return numbers;
    }
    let options = CastOptions { safe: false, ..Default::default() };
    cast_with_options(array, target, &options).map_err(|error| {
        let pg_type = PgType::from_arrow(target);
        if is_string(array.data_type()) {
            let text = cast(array, &DataType::Utf8View).ok().and_then(|texts| {
                Some(texts.as_string_view_opt()?.iter().flatten().next()?.to_owned())
            });
            return ValueError::invalid_text(&pg_type.sql_name(), &text.unwrap_or_default());
        }
        match array.data_type() {
            from if from.is_integer() => ValueError::out_of_range(&pg_type.sql_name()),
            _ => internal(error),
        }
    })
}
