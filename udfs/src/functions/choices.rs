//! `coalesce`, `greatest`, `least` and `nullif` (manual, 9.18): DataFusion's, which take numbers with
//! scales of their own beside others. The planner makes them alike once it knows their types.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::functions::core;
use datafusion::logical_expr::binary::comparison_coercion;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// All of them.
pub fn all() -> Vec<Arc<ScalarUDF>> {
    let choice = |inner| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::from(Choice { inner, signature }))
    };
    [core::coalesce(), core::greatest(), core::least(), core::nullif()].map(choice).into()
}

#[derive(Debug)]
struct Choice {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl PartialEq for Choice {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Choice {}

impl Hash for Choice {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

fn is_free(data_type: &DataType) -> bool {
    *data_type == DataType::LargeBinary
}

impl ScalarUDFImpl for Choice {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            types if types.iter().any(is_free) => Ok(types.to_vec()),
            [one, other] if self.name() == "nullif" => match comparison_coercion(one, other) {
                Some(common) => Ok(vec![common.clone(), common]),
                None => datafusion::common::plan_err!("nullif: {one} and {other} do not compare"),
            },
            types if self.name() == "nullif" => {
                datafusion::common::plan_err!("nullif takes 2 arguments, not {}", types.len())
            }
            types => self.inner.inner().coerce_types(types),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.inner().return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types = || args.arg_fields.iter().map(|field| field.data_type());
        if !types().any(is_free) {
            return self.inner.inner().return_field_from_args(args);
        }
        let floating = types().find(|data_type| data_type.is_floating());
        let data_type = floating.map_or(DataType::LargeBinary, |_| DataType::Float64);
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.inner().simplify(args, info)
    }

    fn short_circuits(&self) -> bool {
        self.inner.inner().short_circuits()
    }

    fn conditional_arguments<'a>(
        &self,
        args: &'a [Expr],
    ) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.inner().conditional_arguments(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.inner().invoke_with_args(args)
    }
}
