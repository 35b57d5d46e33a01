//! What numbers are compared, grouped and ordered by: the same bytes for `1.10` and `1.1`
//! ([`crate::numeric::stored::key`]). Of an array, the keys of its elements.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::input;
use crate::numeric::column::keys;

static KEY: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(false));
static ORDER: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(true));

fn function(as_text: bool) -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::from(NumberKey { as_text, signature }))
}

/// `numeric → numeric`: no trailing fractional zeros. Its name is none that SQL can call.
pub fn key() -> Arc<ScalarUDF> {
    Arc::clone(&KEY)
}

/// `numeric → text` that sorts as the numbers do: DataFusion's windows know no order of bytes.
pub fn order() -> Arc<ScalarUDF> {
    Arc::clone(&ORDER)
}

/// Whether a function is one of these.
pub fn is_key(function: &ScalarUDF) -> bool {
    function.inner().is::<NumberKey>()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NumberKey {
    as_text: bool,
    signature: Signature,
}

impl NumberKey {
    fn keys(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let keys = keys(array)?;
        if !self.as_text {
            return Ok(keys);
        }
        let mut texts = StringViewBuilder::with_capacity(keys.len());
        for bytes in keys.as_binary::<i64>() {
            let shown = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            texts.append_option(bytes.map::<String, _>(shown));
        }
        Ok(Arc::new(texts.finish()))
    }
}

impl ScalarUDFImpl for NumberKey {
    fn name(&self) -> &str {
        if self.as_text { "number order" } else { "number key" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(match arg_types.first() {
            Some(DataType::List(_)) => {
                DataType::List(Arc::new(Field::new("item", DataType::LargeBinary, true)))
            }
            _ if self.as_text => DataType::Utf8View,
            _ => DataType::LargeBinary,
        })
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.first() {
            Some(ColumnarValue::Array(array)) => Ok(ColumnarValue::Array(self.keys(array)?)),
            Some(ColumnarValue::Scalar(scalar)) => {
                Ok(ColumnarValue::Scalar(input::scalar(&self.keys(&scalar.to_array()?)?)?))
            }
            None => datafusion::common::exec_err!("an argument expected"),
        }
    }
}
