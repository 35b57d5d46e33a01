use std::sync::Arc;

use datafusion::arrow::array::{
    Array, AsArray, Date64Array, Decimal64Array, Decimal256Array, DictionaryArray,
    DurationSecondArray, FixedSizeBinaryArray, Int8Array, Int32Array, IntervalDayTimeArray,
    LargeListArray, LargeStringArray, ListArray, NullArray, StringArray, StructArray,
    Time32SecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
    UInt32Array, UInt64Array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{Field, Int32Type, IntervalDayTime, i256};

use super::*;
use crate::input::{Context, parse};

fn printed(array: &ArrayRef, pg_type: PgType, time_zone: Tz) -> String {
    let texts = to_text_array(array, pg_type, &Style { time_zone, ..Style::default() }).unwrap();
    let texts = texts.as_string_view();
    if texts.is_null(0) { "∅".to_owned() } else { texts.value(0).to_owned() }
}

fn of_arrow(array: impl Array + 'static) -> String {
    let pg_type = PgType::from_arrow(array.data_type());
    printed(&(Arc::new(array) as ArrayRef), pg_type, Tz::UTC)
}

/// What goes in comes out, or comes out as PostgreSQL would print it.
#[test]
fn input_then_output() {
    let varchar = PgType { oid: 1043, modifier: 9 };
    let bpchar = PgType { oid: 1042, modifier: 9 };
    for (pg_type, text, expected) in [
        (PgType::BOOL, "yes", "t"),
        (PgType::INT2, "-32768", "-32768"),
        (PgType::INT8, "9223372036854775807", "9223372036854775807"),
        (PgType::OID, "4294967295", "4294967295"),
        (PgType::TID, "(7,42)", "(7,42)"),
        (PgType::FLOAT4, "3.14159274", "3.1415927"),
        (PgType::FLOAT8, "1e-7", "1e-07"),
        (PgType::numeric(12, 2), "1.5", "1.50"),
        (PgType::NUMERIC, "1.500", "1.500"),
        (PgType::NUMERIC, "nan", "NaN"),
        (PgType::NUMERIC, "-inf", "-Infinity"),
        (PgType::NUMERIC, "1000", "1000"),
        (PgType::BYTEA, "\\x00ff", "\\x00ff"),
        (varchar, "abc", "abc"),
        (bpchar, "abc", "abc  "),
        (PgType::DATE, "0044-03-15 BC", "0044-03-15 BC"),
        (PgType::TIME, "03:04:05.1200", "03:04:05.12"),
        (PgType::TIMESTAMP, "2024-01-02T03:04:05.5", "2024-01-02 03:04:05.5"),
        (PgType::INTERVAL, "P1Y2M3DT4H5M6.789S", "1 year 2 mons 3 days 04:05:06.789"),
        (PgType::UUID, "A0EEBC999C0B4EF8BB6D6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (PgType::JSON, "{\"b\":1,  \"a\":2}", "{\"b\":1,  \"a\":2}"),
        (PgType::JSONB, "{\"b\":1,  \"a\":2}", "{\"a\": 2, \"b\": 1}"),
        (PgType::INT4_ARRAY, "{1,NULL, 3}", "{1,NULL,3}"),
        (
            PgType::TEXT_ARRAY,
            "{a,\"b c\",\"NULL\",\"\",\"x\\\"y\\\\z\"}",
            "{a,\"b c\",\"NULL\",\"\",\"x\\\"y\\\\z\"}",
        ),
        (PgType::plain(1182), "{2024-01-02,infinity}", "{2024-01-02,infinity}"),
        (PgType::plain(1115), "{2024-01-02 03:04}", "{\"2024-01-02 03:04:00\"}"),
        (PgType::plain(1000), "{t,f}", "{t,f}"),
        (PgType::INT2VECTOR, "1 2 3", "1 2 3"),
        (PgType::OIDVECTOR, "", ""),
    ] {
        let value = parse(pg_type, Some(text), &Context::default()).unwrap();
        let array = value.to_array().unwrap();
        assert_eq!(value.data_type(), pg_type.arrow(), "{text}");
        assert_eq!(printed(&array, pg_type, Tz::UTC), expected, "{text}");
    }
}

#[test]
fn zones() {
    let value =
        parse(PgType::TIMESTAMPTZ, Some("2024-07-01 12:00:00Z"), &Context::default()).unwrap();
    let array = value.to_array().unwrap();
    for (zone, expected) in [
        (Tz::UTC, "2024-07-01 12:00:00+00"),
        (Tz::America__New_York, "2024-07-01 08:00:00-04"),
        (Tz::Asia__Kolkata, "2024-07-01 17:30:00+05:30"),
    ] {
        assert_eq!(printed(&array, PgType::TIMESTAMPTZ, zone), expected);
    }
}

#[test]
fn rare_layouts() {
    assert_eq!(of_arrow(Int8Array::from(vec![-1])), "-1");
    assert_eq!(of_arrow(UInt32Array::from(vec![u32::MAX])), "4294967295");
    assert_eq!(of_arrow(UInt64Array::from(vec![u64::MAX])), "18446744073709551615");
    assert_eq!(of_arrow(NullArray::new(1)), "∅");
    assert_eq!(of_arrow(StringArray::from(vec!["a"])), "a");
    assert_eq!(of_arrow(LargeStringArray::from(vec!["a"])), "a");
    let fixed = FixedSizeBinaryArray::try_from_iter([[1u8; 16]].into_iter()).unwrap();
    assert_eq!(
        printed(&(Arc::new(fixed) as ArrayRef), PgType::UUID, Tz::UTC),
        "01010101-0101-0101-0101-010101010101"
    );
    let dictionary: DictionaryArray<Int32Type> = vec![Some("x"), None].into_iter().collect();
    assert_eq!(of_arrow(dictionary), "x");
    assert_eq!(of_arrow(Date64Array::from(vec![86_400_000])), "1970-01-02");
    assert_eq!(of_arrow(Time32SecondArray::from(vec![61])), "00:01:01");
    assert_eq!(of_arrow(TimestampSecondArray::from(vec![-1])), "1969-12-31 23:59:59");
    assert_eq!(of_arrow(TimestampMillisecondArray::from(vec![1])), "1970-01-01 00:00:00.001");
    assert_eq!(of_arrow(TimestampNanosecondArray::from(vec![-1])), "1969-12-31 23:59:59.999999");
    assert_eq!(of_arrow(DurationSecondArray::from(vec![3_600])), "01:00:00");
    let day_time = IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, 500)]);
    assert_eq!(of_arrow(day_time), "1 day 00:00:00.5");
    let decimal = Decimal64Array::from(vec![150]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(of_arrow(decimal), "1.50");
    let decimal =
        Decimal256Array::from(vec![i256::from(-5)]).with_precision_and_scale(76, 3).unwrap();
    assert_eq!(of_arrow(decimal), "-0.005");
}

#[test]
fn nested_layouts() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None]), None]);
    assert_eq!(of_arrow(list.clone()), "{1,NULL}");
    assert_eq!(of_arrow(list.slice(1, 1)), "∅");
    let large = LargeListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    assert_eq!(of_arrow(large), "{1}");
    let outer = ListArray::new(
        Arc::new(Field::new("item", list.data_type().clone(), true)),
        OffsetBuffer::from_lengths([1]),
        Arc::new(list.slice(0, 1)),
        None,
    );
    assert_eq!(of_arrow(outer), "{{1,NULL}}");
    let record = StructArray::try_from(vec![
        ("a", Arc::new(Int32Array::from(vec![1])) as ArrayRef),
        ("b", Arc::new(StringArray::from(vec!["x\"y, z"])) as ArrayRef),
        ("c", Arc::new(StringArray::from(vec![""])) as ArrayRef),
        ("d", Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef),
    ]);
    assert_eq!(of_arrow(record.unwrap()), "(1,\"x\"\"y, z\",\"\",)");
}
