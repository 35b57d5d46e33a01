//! `json_agg`, `jsonb_agg`, `json_object_agg`, `jsonb_object_agg` (manual, 9.21).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;

use super::collect::{Collect, Plan, field_of};
use crate::ValueError;
use crate::functions::json::build::value;
use crate::functions::json::scan::quoted;
use crate::functions::strings::text::texts;
use crate::input::json::normalise;
use crate::types::PgType;

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    vec![
        Collect::udaf(
            "json_agg",
            false,
            |_| field_of(PgType::JSON),
            |plan, columns| list(plan, columns, false),
        ),
        Collect::udaf(
            "jsonb_agg",
            false,
            |_| field_of(PgType::JSONB),
            |plan, columns| list(plan, columns, true),
        ),
        Collect::udaf(
            "json_object_agg",
            false,
            |_| field_of(PgType::JSON),
            |plan, columns| object(plan, columns, false),
        ),
        Collect::udaf(
            "jsonb_object_agg",
            false,
            |_| field_of(PgType::JSONB),
            |plan, columns| object(plan, columns, true),
        ),
    ]
}

fn json(text: String, binary: bool) -> Result<ScalarValue> {
    Ok(ScalarValue::Utf8View(Some(if binary { normalise(&text)? } else { text })))
}

fn values(plan: &Plan, columns: &[ArrayRef], index: usize) -> Result<Vec<String>> {
    let (Some(array), Some(field)) = (columns.get(index), plan.fields.get(index)) else {
        return Ok(vec![]);
    };
    let pg_type = PgType::from_field(field);
    let values = (0..array.len()).map(|row| value(array, pg_type, row, "UTC"));
    Ok(values.collect::<crate::Result<Vec<_>>>()?)
}

fn list(plan: &Plan, columns: &[ArrayRef], binary: bool) -> Result<ScalarValue> {
    let values = values(plan, columns, 0)?;
    if values.is_empty() {
        return Ok(ScalarValue::Utf8View(None));
    }
    // PostgreSQL begins a line with each row and each array.
    let of_rows = columns.first().is_some_and(|one| one.data_type().is_nested());
    let between = if of_rows { ", \n " } else { ", " };
    json(format!("[{}]", values.join(between)), binary)
}

fn object(plan: &Plan, columns: &[ArrayRef], binary: bool) -> Result<ScalarValue> {
    let (Some(keys), Some(field)) = (columns.first(), plan.fields.first()) else {
        return Ok(ScalarValue::Utf8View(None));
    };
    let keys = texts(keys, PgType::from_field(field), "UTC")?;
    if keys.is_empty() {
        return Ok(ScalarValue::Utf8View(None));
    }
    let mut members = vec![];
    for (key, value) in keys.into_iter().zip(values(plan, columns, 1)?) {
        let key =
            key.ok_or_else(|| ValueError::invalid_parameter("field name must not be null"))?;
        members.push(format!("{} : {value}", quoted(&key)));
    }
    json(format!("{{ {} }}", members.join(", ")), binary)
}
