//! `x = ANY (array)` (manual, 9.24.3): NULL where no element is x and one of them is NULL.
//!
//! DataFusion's search says false there. Where only what is true counts, as in WHERE, that is as
//! good, and what keys and files are searched by.

use clientele_udfs::functions as kernels;
use clientele_udfs::functions::arrays::find::NULL_AMONG;
use datafusion::arrow::array::Array;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, or};

/// What was found by a search of an array, or NULL where it may be among the array's NULLs.
pub(super) fn or_unknown(found: Expr, array: Expr) -> Expr {
    match kernels::by_name(NULL_AMONG).filter(|_| !is_whole(&array)) {
        Some(unknown) => or(found, unknown.call(vec![array])),
        None => found,
    }
}

/// Whether none of its elements can be NULL.
fn is_whole(array: &Expr) -> bool {
    match array {
        Expr::Literal(ScalarValue::List(list), _) => list.values().logical_null_count() == 0,
        Expr::ScalarFunction(call) if call.func.name() == "make_array" => {
            let given = |one: &Expr| matches!(one, Expr::Literal(value, _) if !value.is_null());
            call.args.iter().all(given)
        }
        _ => false,
    }
}

/// The node with what its condition needs no more than be true.
pub(super) fn conditions(node: LogicalPlan) -> LogicalPlan {
    match node {
        LogicalPlan::Filter(mut filter) => {
            filter.predicate = only_true(filter.predicate);
            LogicalPlan::Filter(filter)
        }
        LogicalPlan::Join(mut join) => {
            join.filter = join.filter.map(only_true);
            LogicalPlan::Join(join)
        }
        other => other,
    }
}

fn only_true(condition: Expr) -> Expr {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (op, right.as_ref()) {
            (Operator::Or, Expr::ScalarFunction(call)) if call.func.name() == NULL_AMONG => *left,
            (Operator::And | Operator::Or, _) => {
                let (left, right) = (Box::new(only_true(*left)), Box::new(only_true(*right)));
                Expr::BinaryExpr(BinaryExpr { left, op, right })
            }
            _ => Expr::BinaryExpr(BinaryExpr { left, op, right }),
        },
        other => other,
    }
}
