//! Types as the SQL standard describes them in `information_schema`.

use clientele_udfs::types::PgType;

/// Bytes of the longest text, PostgreSQL's own limit, which the views show.
const TEXT_BYTES_MAX: i64 = 1 << 30;
/// Longest UTF-8 sequence.
const BYTES_PER_CHARACTER: i64 = 4;

/// The columns that `columns`, `domains`, `parameters` … have in common.
pub(crate) struct SqlType {
    /// `integer`, `ARRAY`.
    pub(crate) data_type: String,
    pub(crate) character_maximum_length: Option<i64>,
    pub(crate) character_octet_length: Option<i64>,
    pub(crate) numeric_precision: Option<i64>,
    pub(crate) numeric_precision_radix: Option<i64>,
    pub(crate) numeric_scale: Option<i64>,
    pub(crate) datetime_precision: Option<i64>,
    /// `int4`.
    pub(crate) udt_name: String,
}

impl SqlType {
    /// An enumerated type.
    pub(crate) fn user_defined(name: &str) -> Self {
        Self {
            data_type: "USER-DEFINED".to_owned(),
            character_maximum_length: None,
            character_octet_length: None,
            numeric_precision: None,
            numeric_precision_radix: None,
            numeric_scale: None,
            datetime_precision: None,
            udt_name: name.to_owned(),
        }
    }
}

/// What the standard says of a type.
pub(crate) fn sql_type(pg_type: PgType) -> SqlType {
    let is_array = pg_type.element().is_some() && pg_type.name().starts_with('_');
    let modifier = (pg_type.modifier >= 0).then_some(i64::from(pg_type.modifier));
    let scalar = (!is_array).then_some(pg_type.oid);
    let length = match scalar {
        Some(1042 | 1043) => modifier.map(|modifier| modifier - 4),
        Some(1560 | 1562) => modifier,
        _ => None,
    };
    let octets = match scalar {
        Some(25 | 1042 | 1043) => {
            Some(length.map_or(TEXT_BYTES_MAX, |length| length * BYTES_PER_CHARACTER))
        }
        _ => None,
    };
    let (precision, radix, scale) = numeric(pg_type, scalar);
    SqlType {
        data_type: if is_array {
            "ARRAY".to_owned()
        } else {
            PgType::plain(pg_type.oid).sql_name()
        },
        character_maximum_length: length,
        character_octet_length: octets,
        numeric_precision: precision,
        numeric_precision_radix: radix,
        numeric_scale: scale,
        datetime_precision: datetime_precision(scalar, modifier),
        udt_name: pg_type.name(),
    }
}

fn numeric(pg_type: PgType, scalar: Option<u32>) -> (Option<i64>, Option<i64>, Option<i64>) {
    let parts = pg_type.numeric_parts();
    match scalar {
        Some(21) => (Some(16), Some(2), Some(0)),
        Some(23) => (Some(32), Some(2), Some(0)),
        Some(20) => (Some(64), Some(2), Some(0)),
        Some(700) => (Some(24), Some(2), None),
        Some(701) => (Some(53), Some(2), None),
        Some(1700) => (parts.map(|one| one.0.into()), Some(10), parts.map(|one| one.1.into())),
        _ => (None, None, None),
    }
}

fn datetime_precision(scalar: Option<u32>, modifier: Option<i64>) -> Option<i64> {
    match scalar {
        Some(1082) => Some(0),
        Some(1083 | 1114 | 1184 | 1266 | 1186) => {
            Some(modifier.filter(|digits| *digits <= 6).unwrap_or(6))
        }
        _ => None,
    }
}
