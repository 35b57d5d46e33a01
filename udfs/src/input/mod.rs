//! Text → value, as PostgreSQL's type input functions do it, with their errors.
//!
//! ```text
//! "2024-01-02" ─▶ Builder::append ─▶ Date32 array      (COPY, many values)
//!              └▶ parse           ─▶ ScalarValue       (a literal, a text parameter)
//! ```
//!
//! The Arrow type is always [`PgType::arrow`]. One file per family of types; [`Builder`] picks the
//! parser once per column, so a value costs a `match` and its parser. Limits that differ from
//! PostgreSQL's: `numeric(p,s)` of up to 38 digits holds no `NaN`; arrays of columns have one
//! dimension.

pub(crate) mod array;
mod boolean;
pub(crate) mod builder;
mod bytes;
mod date;
mod date_order;
mod datetime;
mod decoder;
pub(crate) mod fields;
pub(crate) mod float;
pub(crate) mod integer;
pub(crate) mod interval;
mod interval_iso;
pub(crate) mod json;
mod json_lexer;
mod json_number;
pub(crate) mod numeric;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod timestamp;
mod tokens;
mod units;
mod words;
pub(crate) mod zone;

pub use array::nested as nested_array;
pub use numeric::exact as exact_numeric;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::scalar::ScalarValue;

use crate::types::PgType;
use crate::{Result, ValueError};

pub use builder::Builder;
pub use date_order::DateOrder;

/// What the meaning of a text depends on beside its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The session's zone: times without a zone are local to it.
    pub time_zone: Tz,
    /// Start of the transaction, for `now`, `today`, `yesterday`, `tomorrow`.
    pub now: DateTime<Utc>,
    /// What the numbers of a date are.
    pub date_order: DateOrder,
}

impl Default for Context {
    /// UTC, and the present.
    fn default() -> Self {
        Self { time_zone: Tz::UTC, now: Utc::now(), date_order: DateOrder::default() }
    }
}

/// Reads one value, as `'text'::type` does.
///
/// # Errors
/// PostgreSQL's own: 22P02, 22003, 22007, 22008, 22001 and neighbours.
pub fn parse(pg_type: PgType, text: Option<&str>, ctx: &Context) -> Result<ScalarValue> {
    let mut builder = Builder::new(pg_type, 1)?;
    builder.append(text, ctx)?;
    first(&mut builder)
}

/// The one value in a builder.
pub(crate) fn first(builder: &mut Builder) -> Result<ScalarValue> {
    scalar(&builder.finish())
}

/// The first value of an array. Lists are taken whole: DataFusion's own way drops what the
/// metadata of the element field say.
pub(crate) fn scalar(array: &ArrayRef) -> Result<ScalarValue> {
    match array.as_list_opt::<i32>() {
        Some(list) => Ok(ScalarValue::List(Arc::new(list.slice(0, 1)))),
        None => ScalarValue::try_from_array(array, 0)
            .map_err(|error| ValueError::new("XX000", error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TYPES;

    const PIECES: &str = "0 1 9 99 2147483647 9223372036854775807 - + . : / , e E { } [ ] \" \\ \\x ( ) é \
        T Z P Y M D J BC jan 2024-01-02 03:04:05 infinity now NaN null ago day year @ Europe/Paris am pm \
        true t _ \u{0} \u{1} -08 8388608";

    /// Text at random never does more than be refused, and what is read can be printed.
    #[test]
    fn any_text_is_a_value_or_an_error() {
        let ctx = Context { time_zone: Tz::America__New_York, ..Context::default() };
        let mut seed = 1u64;
        let mut random = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let pieces: Vec<&str> = PIECES.split_ascii_whitespace().chain([" "]).collect();
        for round in 0..30_000 {
            let text: String = (0..random(8)).map(|_| pieces[random(pieces.len())]).collect();
            let facts = &TYPES[round % TYPES.len()];
            let base = PgType { oid: facts.oid, modifier: [-1, 0, 3, 5, 786_438][random(5)] };
            for pg_type in [base, base.array()] {
                if let Ok(value) = parse(pg_type, Some(&text), &ctx) {
                    let array = value.to_array().unwrap();
                    let style = crate::output::Style {
                        time_zone: ctx.time_zone,
                        ..crate::output::Style::default()
                    };
                    crate::output::to_text_array(&array, pg_type, &style).unwrap();
                    crate::binary::ArrayEncoder::for_array(pg_type, &array)
                        .unwrap()
                        .write(0, &mut Vec::new());
                }
            }
        }
    }
}
