//! What `ARRAY(SELECT …)` does to the array of its rows: of no rows it is empty, not NULL.

use std::sync::{Arc, LazyLock};

use clientele_udfs::functions::arrays::flat::typed;
use datafusion::arrow::array::{Array, AsArray, ListArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// Its name: `ARRAY`, which as a keyword nobody can call.
pub const ARRAY_QUERY: &str = "array query";

static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::from(ArrayQuery { signature }))
});

/// The function.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ArrayQuery {
    signature: Signature,
}

impl ScalarUDFImpl for ArrayQuery {
    fn name(&self) -> &str {
        ARRAY_QUERY
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = args.arg_fields.first();
        Ok(field.map_or_else(
            || Arc::new(datafusion::arrow::datatypes::Field::new("array", DataType::Null, true)),
            Arc::clone,
        ))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(value) = args.args.into_iter().next() else {
            return Ok(ColumnarValue::Scalar(ScalarValue::Null));
        };
        let array = typed(value.into_array(args.number_rows)?, args.return_field.data_type())?;
        let Some(lists) = array.as_list_opt::<i32>() else {
            return Ok(ColumnarValue::Array(array));
        };
        let (DataType::List(item), Some(_)) = (array.data_type(), array.nulls()) else {
            return Ok(ColumnarValue::Array(array));
        };
        // A NULL list may have elements behind it: `filter` leaves them, `take` does not.
        let places = datafusion::arrow::array::UInt32Array::from_iter_values(0..array.len() as u32);
        let packed = datafusion::arrow::compute::take(lists, &places, None)?;
        let packed = packed.as_list::<i32>();
        let nulls: Option<NullBuffer> = None;
        let full = ListArray::try_new(
            Arc::clone(item),
            packed.offsets().clone(),
            Arc::clone(packed.values()),
            nulls,
        )?;
        Ok(ColumnarValue::Array(Arc::new(full)))
    }
}
