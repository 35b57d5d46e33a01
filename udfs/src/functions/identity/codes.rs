//! `soundex`, `metaphone`, `dmetaphone` (manual, F.17), `cologne`: what words sound like.

use clientele_identity::text::compare;

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

/// What fuzzystrmatch allows.
const BYTES_MAX: usize = 255;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("soundex(text) -> text", "Soundex code: a letter and three digits.", |row| {
            Ok(compare::soundex(row.text(0)).into())
        }),
        function("text_soundex(text) -> text", "Soundex code.", |row| {
            Ok(compare::soundex(row.text(0)).into())
        }),
        function(
            "difference(text, text) -> int4",
            "Places in which two Soundex codes agree, 0 to 4.",
            |row| {
                let agreeing = compare::soundex_difference(row.text(0), row.text(1));
                Ok(i64::try_from(agreeing).unwrap_or_default().into())
            },
        ),
        function(
            "metaphone(text, int4) -> text",
            "Metaphone code of at most that length.",
            metaphone,
        ),
        function("dmetaphone(text) -> text", "Primary Double Metaphone code.", |row| {
            Ok(compare::double_metaphone(row.text(0)).primary.into())
        }),
        function("dmetaphone_alt(text) -> text", "Alternate Double Metaphone code.", |row| {
            Ok(compare::double_metaphone(row.text(0)).alternate.into())
        }),
        function(
            "double_metaphone(text) -> text[]",
            "Primary and alternate Double Metaphone code.",
            |row| {
                let codes = compare::double_metaphone(row.text(0));
                Ok(Value::texts([codes.primary, codes.alternate]))
            },
        ),
        function("cologne(text) -> text", "Code of Kölner Phonetik, for German names.", |row| {
            Ok(compare::cologne(row.text(0)).into())
        }),
    ]
}

fn metaphone(row: &Row<'_>) -> Result<Value> {
    let text = row.text(0);
    if text.is_empty() {
        return Ok("".into());
    }
    let error = |message: String| ValueError::new("22023", message);
    if text.len() > BYTES_MAX {
        return Err(error(format!("argument exceeds the maximum length of {BYTES_MAX} bytes")));
    }
    match usize::try_from(row.int(1)) {
        Ok(length @ 1..=BYTES_MAX) => Ok(compare::metaphone(text, length).into()),
        Ok(1..) => Err(error(format!("output exceeds the maximum length of {BYTES_MAX} bytes"))),
        _ => Err(ValueError::new("2200F", "output cannot be empty string")),
    }
}
