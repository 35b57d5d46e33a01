//! `pg_sleep(seconds)`: waits without holding a thread, so that a cancel ends it at once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::StringViewArray;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;

/// The function.
pub(super) fn function() -> Arc<ScalarUDF> {
    let accepts = Signature::any(1, Volatility::Volatile);
    Arc::new(AsyncScalarUDF::new(Arc::new(Sleep { accepts })).into_scalar_udf())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sleep {
    accepts: Signature,
}

impl ScalarUDFImpl for Sleep {
    fn name(&self) -> &str {
        "pg_sleep"
    }

    fn signature(&self) -> &Signature {
        &self.accepts
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Utf8View)
    }

    fn return_field_from_args(
        &self,
        _arguments: ReturnFieldArgs<'_>,
    ) -> DataFusionResult<FieldRef> {
        Ok(PgType::VOID.field("pg_sleep", true))
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8View(Some(String::new()))))
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Sleep {
    async fn invoke_async_with_args(
        &self,
        arguments: ScalarFunctionArgs,
    ) -> DataFusionResult<ColumnarValue> {
        for argument in &arguments.args {
            for row in 0..arguments.number_rows {
                let value = match argument {
                    ColumnarValue::Scalar(value) => value.clone(),
                    ColumnarValue::Array(array) => ScalarValue::try_from_array(array, row)?,
                };
                if let ScalarValue::Float64(Some(seconds)) = value.cast_to(&DataType::Float64)?
                    && seconds > 0.0
                {
                    tokio::time::sleep(Duration::from_secs_f64(seconds.min(1e9))).await;
                }
            }
        }
        let array =
            StringViewArray::from_iter_values(std::iter::repeat_n("", arguments.number_rows));
        Ok(ColumnarValue::Array(Arc::new(array)))
    }
}
