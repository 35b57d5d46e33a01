//! The type of a subquery that is an argument: DataFusion evaluates it on its own, and then knows
//! how its value is stored alone.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// `value`, which is of the type of `field`; itself where the stored type says so.
pub fn retyped(value: Expr, field: &FieldRef) -> Expr {
    let plain = field.as_ref().clone().with_metadata(Default::default());
    if PgType::from_field(field) == PgType::from_field(&plain) {
        return value;
    }
    stated(value, field)
}

/// A value under exactly this field: without what else is known of where it comes from.
pub fn stated(value: Expr, field: &FieldRef) -> Expr {
    let signature = Signature::any(1, Volatility::Immutable);
    ScalarUDF::new_from_impl(Retyped { signature, field: Arc::clone(field) }).call(vec![value])
}

/// The first argument, under a name that the second is part of: DataFusion calls `sum(a)` and
/// `sum(a::numeric)` the same.
pub const NAMED_APART: &str = "named apart";

pub(super) fn named_apart() -> Arc<ScalarUDF> {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(ScalarUDF::from(NamedApart { signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NamedApart {
    signature: Signature,
}

impl ScalarUDFImpl for NamedApart {
    fn name(&self) -> &'static str {
        NAMED_APART
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = args.arg_fields.first().cloned();
        field.ok_or_else(|| DataFusionError::Internal("a name without a value".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = args.args.into_iter().next();
        value.ok_or_else(|| DataFusionError::Internal("a name without a value".to_owned()))
    }
}

#[derive(Debug)]
struct Retyped {
    signature: Signature,
    field: FieldRef,
}

impl PartialEq for Retyped {
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field
    }
}

impl Eq for Retyped {}

impl Hash for Retyped {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.field.data_type().hash(state);
    }
}

impl ScalarUDFImpl for Retyped {
    fn name(&self) -> &'static str {
        "retyped"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.field.data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(self.field.as_ref().clone().with_nullable(true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = args.args.into_iter().next();
        value.ok_or_else(|| DataFusionError::Internal("a type without a value".to_owned()))
    }
}
