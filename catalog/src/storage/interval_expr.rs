//! Intervals out of files: Parquet keeps them as bytes.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::catalog::Session;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use super::provider::external;
use super::stored;

/// The expression for a column that was read: itself, or the interval that its bytes are.
pub(super) fn decoded(
    column: Arc<dyn PhysicalExpr>,
    pg_type: PgType,
    field: &Arc<Field>,
    state: &dyn Session,
) -> Arc<dyn PhysicalExpr> {
    if stored::stored_type(pg_type) == pg_type.arrow() {
        return column;
    }
    let function = Arc::new(ScalarUDF::new_from_impl(DecodeInterval::new()));
    let options = Arc::clone(state.config().options());
    Arc::new(ScalarFunctionExpr::new(
        "stored_interval",
        function,
        vec![column],
        Arc::clone(field),
        options,
    ))
}

/// Internal: bytes of a file to an interval.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DecodeInterval {
    signature: Signature,
}

impl DecodeInterval {
    fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DecodeInterval {
    fn name(&self) -> &'static str {
        "stored_interval"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(PgType::INTERVAL.arrow())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let bytes = arrays.first().ok_or_else(|| {
            datafusion::error::DataFusionError::Internal("an interval has no bytes".to_owned())
        })?;
        let intervals = stored::from_stored(bytes, PgType::INTERVAL).map_err(external)?;
        Ok(ColumnarValue::Array(intervals))
    }
}
