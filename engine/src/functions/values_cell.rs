//! The values of a column of VALUES while DataFusion plans them. It refuses rows of different
//! kinds of expressions under one another before PostgreSQL's rules for their type can be applied:
//! each value says that it is of the type of one of them, until [`opened`] takes that back.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Values, Volatility,
};

use crate::error::Error;
use crate::planning::values::external;

/// Its name; no name in a statement has a zero byte.
pub const NAME: &str = "\0values cell";

static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(ScalarUDF::from(ValuesCell { signature }))
});

/// The function: a value, and the one whose type it passes for.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&FUNCTION)
}

/// VALUES with the values themselves; any other plan as it is.
///
/// # Errors
/// A plan that cannot be built.
pub fn opened(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Values(values) = plan else { return Ok(plan) };
    let rows = values.values.into_iter().map(|row| row.into_iter().map(open).collect());
    Ok(LogicalPlan::Values(Values { schema: values.schema, values: rows.collect() }))
}

fn open(cell: Expr) -> Expr {
    match cell {
        Expr::ScalarFunction(mut call) if call.func.name() == NAME && !call.args.is_empty() => {
            call.args.swap_remove(0)
        }
        other => other,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ValuesCell {
    signature: Signature,
}

impl ScalarUDFImpl for ValuesCell {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments.get(1).cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let data_type =
            args.arg_fields.get(1).map_or(DataType::Null, |one| one.data_type().clone());
        Ok(Arc::new(Field::new(NAME, data_type, true)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(external(Error::internal("a value of VALUES was not opened")))
    }
}
