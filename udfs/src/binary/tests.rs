use crate::input::{Context, parse};
use crate::types::PgType;

use super::*;

fn sent(pg_type: PgType, text: &str) -> Vec<u8> {
    let array = parse(pg_type, Some(text), &Context::default()).unwrap().to_array().unwrap();
    let mut bytes = Vec::new();
    assert!(ArrayEncoder::for_array(pg_type, &array).unwrap().write(0, &mut bytes));
    bytes
}

#[test]
fn what_is_sent_is_received() {
    for (pg_type, text) in [
        (PgType::BOOL, "t"),
        (PgType::INT2, "-1"),
        (PgType::INT4, "2147483647"),
        (PgType::INT8, "-9223372036854775808"),
        (PgType::OID, "4294967295"),
        (PgType::TID, "(70000,5)"),
        (PgType::FLOAT4, "1.5"),
        (PgType::FLOAT8, "NaN"),
        (PgType::NUMERIC, "-12345678.0001"),
        (PgType::NUMERIC, "0"),
        (PgType::numeric(12, 2), "10000.10"),
        (PgType::numeric(30, 20), "0.00000000000000012345"),
        (PgType::TEXT, "é\n"),
        (PgType::BYTEA, "\\x00ff"),
        (PgType::DATE, "0044-03-15 BC"),
        (PgType::DATE, "infinity"),
        (PgType::TIME, "24:00:00"),
        (PgType::TIMESTAMP, "1999-12-31 23:59:59.999999"),
        (PgType::TIMESTAMP, "-infinity"),
        (PgType::TIMESTAMPTZ, "9999-12-31 00:00:00+00"),
        (PgType::INTERVAL, "-1 years +2 days 03:00:00"),
        (PgType::UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (PgType::JSON, "{\"a\" : 1}"),
        (PgType::JSONB, "{\"a\":1}"),
        (PgType::INET, "10.0.0.0/8"),
        (PgType::INET, "::1"),
        (PgType::TIMETZ, "03:04:05.5-08"),
        (PgType::plain(1562), "101010101"),
        (PgType::plain(3220), "16/B374D848"),
        (PgType::REGCLASS, "1259"),
        (PgType::INT4_ARRAY, "{1,NULL,3}"),
        (PgType::INT4_ARRAY, "{}"),
        (PgType::TEXT_ARRAY, "{a,\"b c\"}"),
        (PgType::OIDVECTOR, "1 2"),
    ] {
        let value = parse(pg_type, Some(text), &Context::default()).unwrap();
        let received = decode(pg_type, Some(&sent(pg_type, text))).unwrap();
        // NaN equals itself as text only.
        assert_eq!(received.to_string(), value.to_string(), "{text}");
        assert_eq!(received.data_type(), value.data_type(), "{text}");
    }
}

#[test]
fn bytes() {
    for (pg_type, text, bytes) in [
        (PgType::BOOL, "f", vec![0]),
        (PgType::INT4, "258", vec![0, 0, 1, 2]),
        (PgType::DATE, "2000-01-02", vec![0, 0, 0, 1]),
        (PgType::TIMESTAMP, "2000-01-01 00:00:00.000002", vec![0, 0, 0, 0, 0, 0, 0, 2]),
        (PgType::JSONB, "1", vec![1, b'1']),
        (PgType::numeric(12, 2), "-1.50", vec![0, 2, 0, 0, 0x40, 0, 0, 2, 0, 1, 0x13, 0x88]),
        (
            PgType::INT4_ARRAY,
            "{7}",
            vec![
                0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7,
            ],
        ),
        (
            PgType::INTERVAL,
            "1 mon 2 days 00:00:00.000003",
            vec![0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1],
        ),
    ] {
        assert_eq!(sent(pg_type, text), bytes, "{text}");
    }
}

#[test]
fn refusals() {
    for (pg_type, bytes, sqlstate) in [
        (PgType::INT4, [0, 1].as_slice(), "08P01"),
        (PgType::INT4, &[0; 5], "22P03"),
        (PgType::UUID, &[0; 15], "08P01"),
        (PgType::TEXT, &[0xff], "22021"),
        (PgType::TEXT, &[0], "22021"),
        (PgType::JSON, b"{", "22P02"),
        (PgType::JSONB, b"\x02{}", "22P03"),
        (PgType::TIMESTAMP, &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], "22008"),
        (PgType::NUMERIC, &[0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff], "22P03"),
        (
            PgType::INT4_ARRAY,
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1],
            "08P01",
        ),
        (PgType::INT4_ARRAY, &[0; 12], "42804"),
    ] {
        assert_eq!(decode(pg_type, Some(bytes)).unwrap_err().sqlstate, sqlstate, "{bytes:?}");
    }
    assert!(decode(PgType::INT4, None).unwrap().is_null());
}

/// Bytes at random never do more than be refused.
#[test]
fn any_bytes_are_a_value_or_an_error() {
    let mut seed = 7u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    };
    for round in 0..20_000usize {
        let facts = &crate::types::TYPES[round % crate::types::TYPES.len()];
        let bytes: Vec<u8> =
            (0..round % 30).map(|_| if random() < 128 { 0 } else { random() }).collect();
        let pg_type = PgType::plain(facts.oid);
        for pg_type in [pg_type, pg_type.array()] {
            let _ = decode(pg_type, Some(&bytes));
        }
    }
}
