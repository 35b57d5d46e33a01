//! Operators → the functions that stand for them in PostgreSQL (`pg_operator.oprcode`).

use std::sync::Arc;

use clientele_udfs::functions as kernels;
use clientele_udfs::types::PgType;
use datafusion::common::DFSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, ScalarUDF};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::BinaryOperator;

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
    Ok(PgType::from_field(expr.to_field(schema)?.1.as_ref()))
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
        let symbol = match &expr.op {
            BinaryOperator::PGOverlap => "&&",
            BinaryOperator::PGExp => "^",
            BinaryOperator::PGStartsWith => "^@",
            BinaryOperator::BitwiseXor | BinaryOperator::PGBitwiseXor => "#",
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let operands = [operand_type(&expr.left, schema)?, operand_type(&expr.right, schema)?];
        Ok(match kernels::operator(symbol, &operands) {
            Some(function) => PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(
                function,
                vec![expr.left, expr.right],
            ))),
            None => PlannerResult::Original(expr),
        })
    }
}
