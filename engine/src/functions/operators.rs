//! Operators → the functions that stand for them in PostgreSQL (`pg_operator.oprcode`).

use std::sync::Arc;

use clientele_udfs::functions as kernels;
use clientele_udfs::types::PgType;
use datafusion::common::DFSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, Operator, ScalarUDF};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::BinaryOperator;

use super::expression_field;

/// The function behind an operator; `None` for those that DataFusion evaluates itself.
pub fn operator(op: Operator, left: PgType, right: PgType) -> Option<Arc<ScalarUDF>> {
    let symbol = match op {
        Operator::Plus => "+",
        Operator::Minus => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Modulo => "%",
        Operator::StringConcat => "||",
        Operator::Arrow => "->",
        Operator::LongArrow => "->>",
        Operator::HashArrow => "#>",
        Operator::HashLongArrow => "#>>",
        Operator::HashMinus => "#-",
        Operator::AtArrow => "@>",
        Operator::ArrowAt => "<@",
        Operator::Question => "?",
        Operator::QuestionAnd => "?&",
        Operator::QuestionPipe => "?|",
        Operator::AtAt => "@@",
        Operator::AtQuestion => "@?",
        Operator::BitwiseXor => "#",
        Operator::BitwiseShiftLeft => "<<",
        Operator::BitwiseShiftRight => ">>",
        _ => return None,
    };
    kernels::operator(symbol, &[left, right])
}

/// The type that decides about an operator: `unknown` for quoted literals.
pub fn operand_type(expr: &Expr, schema: &DFSchema) -> DataFusionResult<PgType> {
    if matches!(expr, Expr::Literal(ScalarValue::Utf8(_) | ScalarValue::Null, None)) {
        return Ok(PgType::UNKNOWN);
    }
    Ok(PgType::from_field(expression_field(expr, schema)?.as_ref()))
}

/// Operators that DataFusion's planner does not know at all.
#[derive(Debug)]
pub struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> DataFusionResult<PlannerResult<RawBinaryExpr>> {
        let Some(symbol) = own_symbol(&expr.op) else { return Ok(PlannerResult::Original(expr)) };
        let left = narrowed(expr.left.clone());
        let right = narrowed(expr.right.clone());
        let operands = [operand_type(&left, schema)?, operand_type(&right, schema)?];
        // Numbers wait until their literals have their types; see `planning::values`.
        let other = |operand: &PgType| matches!(operand.facts().category, 'D' | 'T' | 'U');
        if matches!(symbol, "+" | "-" | "*" | "/") && !operands.iter().any(other) {
            return Ok(PlannerResult::Original(expr));
        }
        Ok(match kernels::operator(symbol, &operands) {
            Some(function) => PlannerResult::Planned(Expr::ScalarFunction(
                ScalarFunction::new_udf(function, vec![left, right]),
            )),
            None => PlannerResult::Original(expr),
        })
    }
}

/// Operators that are planned here: those DataFusion lacks, and arithmetic on times.
fn own_symbol(op: &BinaryOperator) -> Option<&'static str> {
    Some(match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::PGOverlap => "&&",
        BinaryOperator::PGExp => "^",
        BinaryOperator::PGStartsWith => "^@",
        BinaryOperator::BitwiseXor | BinaryOperator::PGBitwiseXor => "#",
        BinaryOperator::Arrow => "->",
        BinaryOperator::LongArrow => "->>",
        BinaryOperator::HashArrow => "#>",
        BinaryOperator::HashLongArrow => "#>>",
        BinaryOperator::HashMinus => "#-",
        BinaryOperator::AtArrow => "@>",
        BinaryOperator::ArrowAt => "<@",
        BinaryOperator::AtQuestion => "@?",
        BinaryOperator::AtAt => "@@",
        BinaryOperator::Question => "?",
        BinaryOperator::QuestionAnd => "?&",
        BinaryOperator::QuestionPipe => "?|",
        _ => return None,
    })
}

/// A whole number literal is an integer where it fits.
fn narrowed(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), None) => match i32::try_from(value) {
            Ok(small) => Expr::Literal(ScalarValue::Int32(Some(small)), None),
            Err(_) => Expr::Literal(ScalarValue::Int64(Some(value)), None),
        },
        other => other,
    }
}
