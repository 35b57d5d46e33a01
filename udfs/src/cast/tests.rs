use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::config::ConfigOptions;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

use super::*;
use crate::ValueError;
use crate::input::{Context, parse};
use crate::output::{Style, to_text_array};

const ZONE: &str = "America/New_York";

fn apply(function: &ScalarUDF, field: Field, array: &ArrayRef) -> Result<String, ValueError> {
    let mut config = ConfigOptions::default();
    config.execution.time_zone = Some(ZONE.to_owned());
    let field = Arc::new(field);
    let arg_fields = vec![field];
    let return_field = function
        .return_field_from_args(ReturnFieldArgs {
            arg_fields: &arg_fields,
            scalar_arguments: &[None],
        })
        .unwrap();
    let args = ScalarFunctionArgs {
        args: vec![ColumnarValue::Array(Arc::clone(array))],
        arg_fields,
        number_rows: array.len(),
        return_field: Arc::clone(&return_field),
        config_options: Arc::new(config),
    };
    let result = function.invoke_with_args(args).map_err(|error| match error {
        DataFusionError::External(error) => error.downcast_ref::<ValueError>().unwrap().clone(),
        other => panic!("{other}"),
    })?;
    let result = result.into_array(1).unwrap();
    assert_eq!(result.data_type(), return_field.data_type());
    let style = Style { time_zone: ZONE.parse().unwrap(), ..Style::default() };
    let texts = to_text_array(&result, PgType::from_field(&return_field), &style).unwrap();
    Ok(texts.as_string_view().value(0).to_owned())
}

fn outcome(result: Result<String, ValueError>) -> String {
    result.unwrap_or_else(|error| format!("{} {}", error.sqlstate, error.message))
}

fn casted(from: PgType, text: &str, to: PgType, explicit: bool) -> String {
    let ctx = Context { time_zone: ZONE.parse().unwrap(), ..Context::default() };
    let array = parse(from, Some(text), &ctx).unwrap().to_array().unwrap();
    let field = from.field("x", true).as_ref().clone();
    match cast(&field, to, explicit) {
        Some(function) => outcome(apply(&function, field, &array)),
        None => "left to Arrow".to_owned(),
    }
}

const fn varchar(length: i32) -> PgType {
    PgType { oid: 1043, modifier: length + 4 }
}

#[test]
fn numbers() {
    for (from, text, to, expected) in [
        (PgType::FLOAT8, "2.5", PgType::INT4, "2"),
        (PgType::FLOAT8, "3.5", PgType::INT4, "4"),
        (PgType::FLOAT8, "-2.5", PgType::INT8, "-2"),
        (PgType::FLOAT8, "2147483647.5", PgType::INT4, "22003 integer out of range"),
        (PgType::FLOAT8, "NaN", PgType::INT8, "22003 bigint out of range"),
        (PgType::FLOAT8, "9223372036854775808", PgType::INT8, "22003 bigint out of range"),
        (PgType::NUMERIC, "2.5", PgType::INT4, "3"),
        (PgType::NUMERIC, "-2.5", PgType::INT4, "-3"),
        (PgType::NUMERIC, "3.7", PgType::INT2, "4"),
        (PgType::NUMERIC, "32767.5", PgType::INT2, "22003 smallint out of range"),
        (PgType::INT8, "2147483648", PgType::INT4, "22003 integer out of range"),
        (PgType::INT4, "7", PgType::INT8, "left to Arrow"),
        (PgType::INT4, "7", PgType::FLOAT8, "left to Arrow"),
        (PgType::INT4, "-1", PgType::OID, "4294967295"),
        (PgType::INT8, "4294967296", PgType::OID, "22003 OID out of range"),
        (PgType::INT4, "7", PgType::numeric(5, 2), "7.00"),
        (PgType::INT4, "1000", PgType::numeric(5, 2), "22003 numeric field overflow"),
        (PgType::NUMERIC, "1.005", PgType::numeric(5, 2), "1.01"),
        (PgType::numeric(12, 2), "1.50", PgType::NUMERIC, "1.50"),
        (PgType::FLOAT8, "0.1", PgType::NUMERIC, "0.1"),
        (PgType::FLOAT8, "1e20", PgType::NUMERIC, "100000000000000000000"),
        (PgType::FLOAT4, "0.1", PgType::NUMERIC, "0.1"),
        (PgType::numeric(38, 20), "0.10000000000000000001", PgType::FLOAT8, "0.1"),
        (PgType::NUMERIC, "0.3", PgType::FLOAT8, "0.3"),
        (PgType::FLOAT8, "1e40", PgType::FLOAT4, "22003 value out of range: overflow"),
        (PgType::BOOL, "t", PgType::TEXT, "true"),
        (PgType::BOOL, "t", PgType::INT4, "left to Arrow"),
        (PgType::INT8, "-5", PgType::OID, "22003 OID out of range"),
        (PgType::numeric(12, 2), "16777217", PgType::FLOAT4, "1.6777216e+07"),
        (PgType::JSONB, "1.5", PgType::INT4, "2"),
        (PgType::JSONB, "\"x\"", PgType::INT4, "22023 cannot cast jsonb string to type integer"),
    ] {
        assert_eq!(casted(from, text, to, true), expected, "{text} {}", to.sql_name());
    }
}

#[test]
fn texts() {
    let bpchar = PgType { oid: 1042, modifier: 9 };
    for (from, text, to, explicit, expected) in [
        (
            PgType::TEXT,
            "abc",
            PgType::INT4,
            true,
            "22P02 invalid input syntax for type integer: \"abc\"",
        ),
        (PgType::TEXT, " 42 ", PgType::INT4, true, "42"),
        (PgType::TEXT, "abcdef", varchar(3), true, "abc"),
        (
            PgType::TEXT,
            "abcdef",
            varchar(3),
            false,
            "22001 value too long for type character varying(3)",
        ),
        (PgType::TEXT, "abc   ", varchar(3), false, "abc"),
        (varchar(20), "abc", varchar(3), true, "abc"),
        (PgType::TEXT, "ab", bpchar, false, "ab   "),
        (bpchar, "ab", PgType::TEXT, true, "ab"),
        (PgType::INT4, "12345", varchar(3), true, "123"),
        (
            PgType::INT4,
            "12345",
            varchar(3),
            false,
            "22001 value too long for type character varying(3)",
        ),
        (PgType::TEXT, "{1,2}", PgType::INT4_ARRAY, true, "{1,2}"),
        (PgType::INT4_ARRAY, "{1,NULL}", PgType::TEXT, true, "{1,NULL}"),
        (PgType::INT8_ARRAY, "{1,NULL}", PgType::INT4_ARRAY, true, "{1,NULL}"),
        (PgType::INT4_ARRAY, "{1,NULL}", PgType::TEXT_ARRAY, true, "{1,NULL}"),
        (PgType::TEXT, "{\"a\":1}", PgType::JSONB, true, "{\"a\": 1}"),
        (PgType::JSON, "{\"a\":1}", PgType::JSONB, true, "{\"a\": 1}"),
        (PgType::TEXT, "\\x6869", PgType::BYTEA, true, "\\x6869"),
        (PgType::TIMESTAMPTZ, "2024-07-01 12:00Z", PgType::TEXT, true, "2024-07-01 08:00:00-04"),
        (PgType::TEXT, "x", PgType::TEXT, true, "left to Arrow"),
    ] {
        assert_eq!(casted(from, text, to, explicit), expected, "{text} {}", to.sql_name());
    }
}

#[test]
fn times() {
    for (from, text, to, expected) in [
        (PgType::DATE, "2024-07-01", PgType::TIMESTAMP, "2024-07-01 00:00:00"),
        (PgType::DATE, "2024-07-01", PgType::TIMESTAMPTZ, "2024-07-01 00:00:00-04"),
        (PgType::DATE, "infinity", PgType::TIMESTAMP, "infinity"),
        (PgType::DATE, "5000000-01-01", PgType::TIMESTAMP, "22008 date out of range for timestamp"),
        (PgType::TIMESTAMP, "2024-07-01 23:30:00.6", PgType::DATE, "2024-07-01"),
        (
            PgType::TIMESTAMP,
            "2024-07-01 23:30:00.6",
            PgType::TIMESTAMPTZ,
            "2024-07-01 23:30:00.6-04",
        ),
        (PgType::TIMESTAMPTZ, "2024-07-01 02:00Z", PgType::DATE, "2024-06-30"),
        (PgType::TIMESTAMPTZ, "2024-07-01 02:00Z", PgType::TIMESTAMP, "2024-06-30 22:00:00"),
        (PgType::TIMESTAMPTZ, "2024-07-01 02:00Z", PgType::TIME, "22:00:00"),
        (
            PgType::TIMESTAMP,
            "2024-07-01 23:30:00.6",
            PgType { oid: 1114, modifier: 0 },
            "2024-07-01 23:30:01",
        ),
        (PgType::TIMESTAMP, "1969-12-31 12:00", PgType::DATE, "1969-12-31"),
        (PgType::TIME, "03:04", PgType::INTERVAL, "03:04:00"),
        (PgType::INTERVAL, "1 day 25:00", PgType::TIME, "01:00:00"),
        (PgType::TEXT, "2024-07-01 12:00", PgType::TIMESTAMPTZ, "2024-07-01 12:00:00-04"),
    ] {
        assert_eq!(casted(from, text, to, true), expected, "{text} {}", to.sql_name());
    }
}

#[test]
fn which_casts_exist() {
    for (from, to, explicit, expected) in [
        (PgType::TEXT, PgType::INT4, true, true),
        (PgType::TEXT, PgType::INT4, false, false),
        (PgType::UNKNOWN, PgType::INT4, false, true),
        (PgType::INT4, PgType::TEXT, false, true),
        (PgType::INT4, PgType::DATE, true, false),
        (PgType::DATE, PgType::TIME, true, false),
        (PgType::INT8, PgType::BOOL, true, false),
        (PgType::INT4, PgType::BOOL, true, true),
        (PgType::INT4, PgType::BOOL, false, false),
        (PgType::INT8, PgType::INT2, false, true),
        (PgType::UUID, PgType::BYTEA, true, false),
        (PgType::INT4_ARRAY, PgType::TEXT_ARRAY, true, true),
        (PgType::INT4_ARRAY, PgType::INT4, true, false),
    ] {
        assert_eq!(exists(from, to, explicit), expected, "{} {}", from.sql_name(), to.sql_name());
    }
}

#[test]
fn layouts_that_plans_produce() {
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let field = Field::new("x", DataType::UInt64, true);
    let function = cast(&field, PgType::INT8, true).unwrap();
    assert_eq!(outcome(apply(&function, field, &unsigned)), "22003 bigint out of range");
    let single: ArrayRef = Arc::new(Float32Array::from(vec![2.5]));
    let field = Field::new("x", DataType::Float32, true);
    let function = numeric_to_integer(PgType::INT4);
    assert_eq!(outcome(apply(&function, field, &single)), "2");
    let double: ArrayRef = Arc::new(Float64Array::from(vec![1.0 / 3.0]));
    let field = Field::new("x", DataType::Float64, true);
    let function = to_text(PgType::FLOAT8, PgType::TEXT);
    assert_eq!(outcome(apply(&function, field, &double)), "0.3333333333333333");
    assert_eq!(cast(&Field::new("x", DataType::Null, true), PgType::INT4, true), None);
    let function = cast(&Field::new("x", DataType::Null, true), PgType::JSONB, true);
    assert!(function.is_some());
}
