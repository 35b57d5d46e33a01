//! The elements of an array of any number of dimensions, as one list: what `unnest` takes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray};
use datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::functions::value::internal;

/// The function; SQL cannot call it.
pub fn flat() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Flat { signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Flat {
    signature: Signature,
}

impl ScalarUDFImpl for Flat {
    fn name(&self) -> &str {
        "flat"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().map(of_one_dimension).ok_or_else(|| internal("an array expected").into())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = args.arg_fields.first().ok_or_else(|| internal("an array expected"))?;
        let data_type = of_one_dimension(field.data_type());
        let flat = Field::new(self.name(), data_type, true);
        Ok(Arc::new(flat.with_metadata(field.metadata().clone())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = args.args.first().ok_or_else(|| internal("an array expected"))?;
        let array = value.clone().into_array(args.number_rows)?;
        typed(flattened(&array)?, args.return_field.data_type()).map(ColumnarValue::Array)
    }
}

/// The list with the item that a type has: a list loses what the metadata of its item say on the way
/// through a scalar.
pub fn typed(array: ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let (Some(list), DataType::List(item)) = (array.as_list_opt::<i32>(), data_type) else {
        return Ok(array);
    };
    let (offsets, values) = (list.offsets().clone(), Arc::clone(list.values()));
    let list = ListArray::try_new(Arc::clone(item), offsets, values, list.nulls().cloned())?;
    Ok(Arc::new(list))
}

fn of_one_dimension(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(item) if matches!(item.data_type(), DataType::List(_)) => {
            of_one_dimension(item.data_type())
        }
        other => other.clone(),
    }
}

fn flattened(array: &ArrayRef) -> Result<ArrayRef> {
    let mut array = Arc::clone(array);
    while let Some(outer) = array.as_list_opt::<i32>() {
        let Some(inner) = outer.values().as_list_opt::<i32>() else { break };
        let DataType::List(item) = inner.data_type() else { break };
        let ends = inner.value_offsets();
        let place = |row: &i32| ends.get(*row as usize).copied().unwrap_or_default();
        let offsets: ScalarBuffer<i32> = outer.value_offsets().iter().map(place).collect();
        array = Arc::new(ListArray::try_new(
            Arc::clone(item),
            OffsetBuffer::new(offsets),
            Arc::clone(inner.values()),
            outer.nulls().cloned(),
        )?);
    }
    Ok(array)
}
