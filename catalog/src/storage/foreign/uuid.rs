//! UUIDs, which Parquet keeps as sixteen bytes and the engine as text.

use std::sync::Arc;

use ::uuid::Uuid;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, FixedSizeBinaryArray, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result as DataFusionResult;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The function that reads them.
pub(super) fn function() -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(UuidOfBytes { signature }))
}

/// Internal: sixteen bytes to a UUID.
#[derive(Debug, PartialEq, Eq, Hash)]
struct UuidOfBytes {
    signature: Signature,
}

impl ScalarUDFImpl for UuidOfBytes {
    fn name(&self) -> &'static str {
        "uuid_of_bytes"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(PgType::UUID.arrow())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let bytes = arrays.first().and_then(|one| one.as_any().downcast_ref());
        let bytes: &FixedSizeBinaryArray =
            bytes.ok_or_else(|| DataFusionError::Internal("a UUID has no bytes".to_owned()))?;
        let text = |bytes: &[u8]| Uuid::from_slice(bytes).ok().map(|uuid| uuid.to_string());
        let texts = bytes.iter().map(|bytes| bytes.and_then(text));
        Ok(ColumnarValue::Array(Arc::new(texts.collect::<StringViewArray>())))
    }
}
