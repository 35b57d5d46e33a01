//! Aggregates that DataFusion cannot use as they are: [`clientele_udfs::functions::aggregates::adapted`].

use std::sync::Arc;

use clientele_udfs::functions::aggregates::adapted::adapted;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, WindowFrame, WindowFunctionDefinition,
};

/// Aggregates whose accumulators take no value back.
const FORWARD: &[&str] = &["bit_and", "bit_or", "bool_and", "bool_or", "every", "string_agg"];

/// Aggregates that give one of the values that they see.
const OF_ONE: &[&str] = &["first_value", "last_value", "max", "min", "mode"];

/// Adapts those that see arrays, or frames that lose rows.
///
/// # Errors
/// A type that cannot be told.
pub(super) fn adapt(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        let input = match &node {
            LogicalPlan::Aggregate(aggregate) => Arc::clone(aggregate.input.schema()),
            LogicalPlan::Window(window) => Arc::clone(window.input.schema()),
            _ => return Ok(Transformed::no(node)),
        };
        node.map_expressions(|expr| expr.transform_up(|expr| Ok(one(expr, &input))))
    })
    .map(|done| done.data)
}

fn one(mut expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match &mut expr {
        Expr::AggregateFunction(call)
            if OF_ONE.contains(&call.func.name()) && any_array(&call.params.args, schema) =>
        {
            call.func = adapted(&call.func);
        }
        Expr::WindowFunction(window) => {
            let frame = &window.params.window_frame;
            if let WindowFunctionDefinition::AggregateUDF(function) = &window.fun
                && (slides(frame) && FORWARD.contains(&function.name())
                    || OF_ONE.contains(&function.name()) && any_array(&window.params.args, schema))
            {
                window.fun = WindowFunctionDefinition::AggregateUDF(adapted(function));
            } else {
                return Transformed::no(expr);
            }
        }
        _ => return Transformed::no(expr),
    }
    Transformed::yes(expr)
}

fn slides(frame: &WindowFrame) -> bool {
    !frame.start_bound.is_unbounded()
}

/// Whether an argument is an array whose items say what PostgreSQL type they are.
fn any_array(arguments: &[Expr], schema: &DFSchema) -> bool {
    arguments.iter().any(|argument| match argument.get_type(schema) {
        Ok(DataType::List(item)) => !item.metadata().is_empty(),
        _ => false,
    })
}
