//! `format_type`, `pg_typeof`, `hashtext` (manual, 9.26).

use crate::Result;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::types::{PgType, TYPES};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "format_type(oid, int4) -> text",
            "The name of a type with its modifier.",
            format_type,
        )
        .nulls(),
        // The OID as regtype: it prints as the type's name.
        function("pg_typeof(\"any\") -> regtype", "The type of a value.", |row| {
            Ok(i64::from(row.pg_type(0).told().oid).into())
        })
        .nulls()
        .stable(),
        function(
            "pg_encoding_to_char(int4) -> name",
            "The name of an encoding; 6 is UTF8.",
            |row| {
                Ok(match row.int(0) {
                    6 => "UTF8",
                    0 => "SQL_ASCII",
                    8 => "LATIN1",
                    _ => "",
                }
                .into())
            },
        )
        .stable(),
        function("hashtext(text) -> int4", "A hash of a text, stable within a release.", |row| {
            Ok(i64::from(hash(row.text(0).as_bytes()) as i32).into())
        }),
    ]
}

fn format_type(row: &Row<'_>) -> Result<Value> {
    if row.is_null(0) {
        return Ok(Value::Null);
    }
    let Ok(oid) = u32::try_from(row.int(0)) else { return Ok("???".into()) };
    if oid == 0 {
        return Ok("-".into());
    }
    if !TYPES.iter().any(|facts| facts.oid == oid || facts.array_oid == oid) {
        return Ok("???".into());
    }
    let modifier = if row.is_null(1) { -1 } else { row.int4(1) };
    // A fixed-length character type without modifier is `bpchar` where a modifier was asked for.
    if oid == 1042 && !row.is_null(1) && modifier < 0 {
        return Ok("bpchar".into());
    }
    Ok(PgType { oid, modifier }.sql_name().into())
}

/// FNV-1a, folded by a finalizer: short texts differ in all bits.
fn hash(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    (hash ^ hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn types() {
        check(&[
            ("format_type(23, null)", "integer"),
            ("format_type(1043, 24)", "character varying(20)"),
            ("format_type(1700, 655366)", "numeric(10,2)"),
            ("format_type(1007, -1)", "integer[]"),
            ("format_type(1042, -1)", "bpchar"),
            ("format_type(999999, -1)", "???"),
            ("format_type(0, null)", "-"),
        ]);
    }
}
