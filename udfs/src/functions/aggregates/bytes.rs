//! `string_agg` of byte strings (manual, 9.21).

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, BinaryArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::cast::as_binary_array;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;

use super::collect::{Collect, Plan, field_of};
use crate::types::PgType;

static STRING_AGG: LazyLock<Arc<AggregateUDF>> =
    LazyLock::new(|| Collect::udaf("string_agg", false, |_| field_of(PgType::BYTEA), joined));

/// `string_agg(bytea, bytea)`.
pub fn string_agg() -> Arc<AggregateUDF> {
    Arc::clone(&STRING_AGG)
}

/// The values with the delimiter of each before it, but for the first.
fn joined(plan: &Plan, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let bytes = |column: &ArrayRef| -> Result<BinaryArray> {
        Ok(as_binary_array(&cast(column, &DataType::Binary)?)?.clone())
    };
    let [values, delimiters] = columns else { return ScalarValue::try_from(&plan.result) };
    let (values, delimiters) = (bytes(values)?, bytes(delimiters)?);
    let mut whole: Option<Vec<u8>> = None;
    for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
        let start = whole.is_none();
        let whole = whole.get_or_insert_default();
        if !start && delimiters.is_valid(row) {
            whole.extend_from_slice(delimiters.value(row));
        }
        whole.extend_from_slice(values.value(row));
    }
    ScalarValue::Binary(whole).cast_to(&plan.result)
}
