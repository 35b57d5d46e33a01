//! Any value as text, for `concat`, `format` and JSON.

use chrono_tz::Tz;
use datafusion::arrow::array::{ArrayRef, AsArray};

use crate::Result;
use crate::functions::value::internal;
use crate::output::{Style, to_text_array};
use crate::types::PgType;

/// The texts of a column's values as PostgreSQL prints them.
///
/// # Errors
/// A type that has no text.
pub fn texts(array: &ArrayRef, pg_type: PgType, zone_name: &str) -> Result<Vec<Option<String>>> {
    if array.data_type().is_null() {
        return Ok(vec![None; array.len()]);
    }
    let style = Style { time_zone: zone_name.parse().unwrap_or(Tz::UTC), ..Style::default() };
    let texts = to_text_array(array, pg_type, &style)?;
    let texts = texts.as_string_view_opt().ok_or_else(|| internal("text expected"))?;
    Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
}
