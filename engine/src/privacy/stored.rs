//! The values that an UPDATE, a DELETE or a MERGE only carries: they stay as they are stored, for
//! whoever asks. Nobody sees them: RETURNING treats the rows it shows.
//!
//! The statement's query marks them with a function that SQL cannot call; the scan of the target
//! then has a second, untreated column for each, under a name that no statement can say.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::DFSchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use sqlparser::ast;

use crate::error::Error;
use crate::planning::values::external;
use crate::sql::rewrite::call;

/// Its name; no name in a statement has a zero byte.
pub(crate) const NAME: &str = "\0stored";

static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::from(Stored { signature }))
});

/// The mark.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&FUNCTION)
}

/// A column of the target as it is stored.
pub(crate) fn marked(column: ast::Expr) -> ast::Expr {
    call(NAME, vec![column])
}

/// Name of the untreated column beside a treated one.
pub(super) fn name_of(column: &str) -> String {
    format!("{NAME} {column}")
}

/// Puts the untreated columns, or the columns themselves where they are not treated, in the place
/// of the marks. The scans are open.
///
/// # Errors
/// A plan that cannot be built.
pub(crate) fn unmarked(plan: LogicalPlan) -> Result<LogicalPlan> {
    let unmarked = plan.transform_up_with_subqueries(|node| {
        let inputs: Vec<_> = node.inputs().iter().map(|one| Arc::clone(one.schema())).collect();
        let changed = inputs.iter().any(has_stored);
        let node = node.map_expressions(|expr| {
            expr.transform_up(|expr| {
                let Expr::ScalarFunction(mut marked) = expr else {
                    return Ok(Transformed::no(expr));
                };
                if marked.func.name() != NAME || marked.args.is_empty() {
                    return Ok(Transformed::no(Expr::ScalarFunction(marked)));
                }
                let value = marked.args.swap_remove(0);
                let Expr::Column(column) = &value else { return Ok(Transformed::yes(value)) };
                let mut stored = column.clone();
                stored.name = name_of(&column.name);
                let treated = inputs.iter().any(|one| one.has_column(&stored));
                Ok(Transformed::yes(if treated { Expr::Column(stored) } else { value }))
            })
        })?;
        match changed || node.transformed {
            true => node.map_data(LogicalPlan::recompute_schema),
            false => Ok(node),
        }
    })?;
    Ok(unmarked.data)
}

fn has_stored(schema: &DFSchemaRef) -> bool {
    schema.fields().iter().any(|field| field.name().starts_with(NAME))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Stored {
    signature: Signature,
}

impl ScalarUDFImpl for Stored {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = args.arg_fields.first();
        let missing = || external(Error::internal("a mark without a column"));
        field.map(Arc::clone).ok_or_else(missing)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(external(Error::internal("a stored value was not put in place")))
    }
}
