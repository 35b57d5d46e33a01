//! The few Arrow layouts that values are read in, made from the many that plans produce.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, DurationMicrosecondArray, IntervalMonthDayNanoArray, PrimitiveArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, ArrowTimestampType, DataType, Field, IntervalMonthDayNano, IntervalUnit,
    Time32MillisecondType, Time32SecondType, Time64NanosecondType, TimeUnit,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use datafusion::arrow::error::ArrowError;

use crate::{Result, ValueError};

/// Turns rare layouts into the usual one of their kind.
///
/// What remains: `Null`, `Boolean`, `Int16`, `Int32`, `Int64`, `Float32`, `Float64`, `Decimal128`,
/// `Decimal256`, `Utf8`, `LargeUtf8`, `Utf8View`, `Binary`, `LargeBinary` (`numeric`), `Date32`, `Time64(µs)`,
/// `Timestamp(µs)`, `Interval(MonthDayNano)`, `List`, `Struct`.
pub(crate) fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    use DataType as D;
    match array.data_type() {
        D::Int8 | D::UInt8 => converted(array, &D::Int16),
        D::UInt16 => converted(array, &D::Int32),
        D::UInt32 => converted(array, &D::Int64),
        D::UInt64 => converted(array, &D::Decimal128(20, 0)),
        D::Float16 => converted(array, &D::Float32),
        D::Decimal32(precision, scale) | D::Decimal64(precision, scale) => {
            converted(array, &D::Decimal128(*precision, *scale))
        }
        D::BinaryView | D::FixedSizeBinary(_) => converted(array, &D::Binary),
        D::Date64 => converted(array, &D::Date32),
        D::Time32(_) | D::Time64(TimeUnit::Nanosecond) => Ok(time(array)),
        D::Timestamp(unit, zone) if *unit != TimeUnit::Microsecond => {
            timestamp(array, *unit, zone.clone())
        }
        D::Interval(IntervalUnit::DayTime | IntervalUnit::YearMonth) => {
            converted(array, &D::Interval(IntervalUnit::MonthDayNano))
        }
        D::Duration(_) => duration(array),
        D::Dictionary(_, value) => plain(&converted(array, value)?),
        D::RunEndEncoded(_, values) => plain(&converted(array, values.data_type())?),
        D::LargeList(field)
        | D::FixedSizeList(field, _)
        | D::ListView(field)
        | D::LargeListView(field) => converted(array, &D::List(Arc::clone(field))),
        D::Union(..) | D::Map(..) => {
            let message =
                format!("values of Arrow type {} have no PostgreSQL form", array.data_type());
            Err(ValueError::new("0A000", message))
        }
        _ => Ok(Arc::clone(array)),
    }
}

/// Arrow's own cast, which must not turn what does not fit into NULL.
pub(crate) fn converted(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array.as_ref(), to, &options).map_err(|error| out_of_range(&error, array))
}

fn out_of_range(error: &ArrowError, array: &ArrayRef) -> ValueError {
    let type_name =
        crate::types::PgType::from_field(&Field::new("", array.data_type().clone(), true));
    match error {
        ArrowError::CastError(_)
        | ArrowError::ComputeError(_)
        | ArrowError::ArithmeticOverflow(_) => ValueError::out_of_range(&type_name.sql_name()),
        other => ValueError::new("0A000", other.to_string()),
    }
}

fn time(array: &ArrayRef) -> ArrayRef {
    fn micros<T: ArrowPrimitiveType>(
        array: &ArrayRef,
        convert: impl Fn(T::Native) -> i64,
    ) -> ArrayRef {
        let array: &PrimitiveArray<T> = array.as_primitive();
        let converted: Time64MicrosecondArray = array.unary(convert);
        Arc::new(converted)
    }
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            micros::<Time32SecondType>(array, |value| i64::from(value) * 1_000_000)
        }
        DataType::Time32(_) => {
            micros::<Time32MillisecondType>(array, |value| i64::from(value) * 1_000)
        }
        _ => micros::<Time64NanosecondType>(array, |value| value / 1_000),
    }
}

fn timestamp(array: &ArrayRef, unit: TimeUnit, zone: Option<Arc<str>>) -> Result<ArrayRef> {
    fn micros<T: ArrowTimestampType>(
        array: &ArrayRef,
        convert: impl Fn(i64) -> Option<i64>,
    ) -> Result<TimestampMicrosecondArray> {
        let array: &PrimitiveArray<T> = array.as_primitive();
        array.try_unary(|value| {
            convert(value).ok_or_else(|| ValueError::new("22008", "timestamp out of range"))
        })
    }
    let converted = match unit {
        TimeUnit::Second => {
            micros::<TimestampSecondType>(array, |value| value.checked_mul(1_000_000))?
        }
        TimeUnit::Millisecond => {
            micros::<TimestampMillisecondType>(array, |value| value.checked_mul(1_000))?
        }
        _ => micros::<TimestampNanosecondType>(array, |value| Some(value.div_euclid(1_000)))?,
    };
    Ok(Arc::new(converted.with_timezone_opt(zone)))
}

fn duration(array: &ArrayRef) -> Result<ArrayRef> {
    let micros = converted(array, &DataType::Duration(TimeUnit::Microsecond))?;
    let micros: &DurationMicrosecondArray = micros.as_primitive();
    let intervals: IntervalMonthDayNanoArray = micros.try_unary(|value| {
        let nanos = value.checked_mul(1_000);
        nanos
            .map(|nanos| IntervalMonthDayNano::new(0, 0, nanos))
            .ok_or_else(|| ValueError::new("22008", "interval out of range"))
    })?;
    Ok(Arc::new(intervals))
}
