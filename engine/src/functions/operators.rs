//! Operators → the functions that stand for them in PostgreSQL (`pg_operator.oprcode`).

use std::sync::Arc;

use clientele_udfs::cast;
use clientele_udfs::functions as kernels;
use clientele_udfs::input::exact_numeric;
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::functions::unicode::expr_fn::substring;
use datafusion::functions_nested::expr_fn::array_element;
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr,
};
use datafusion::logical_expr::{
    Expr, ExprSchemable, GetFieldAccess, Operator, ScalarUDF, binary_expr, lit,
};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::BinaryOperator;

use super::expression_field;
use crate::planning::comparable;

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
        if let Some(op) = comparison(&expr.op) {
            return compared(expr, op, schema);
        }
        let Some(symbol) = own_symbol(&expr.op).or_else(|| of_ranges(&expr.op)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let mut left = narrowed(exact(expr.left.clone()));
        let mut right = narrowed(exact(expr.right.clone()));
        let mut operands = [operand_type(&left, schema)?, operand_type(&right, schema)?];
        let has_shifts = |one: &PgType| {
            matches!(one.facts().category, 'R' | 'I' | 'V') && one.element().is_none()
        };
        if own_symbol(&expr.op).is_none() && !operands.iter().any(has_shifts) {
            return Ok(PlannerResult::Original(expr));
        }
        let is_number = |one: PgType| one.facts().category == 'N' && one.element().is_none();
        let sides = match operands {
            [PgType::UNKNOWN, other] if is_number(other) => Some((&mut left, other)),
            [other, PgType::UNKNOWN] if is_number(other) => Some((&mut right, other)),
            _ => None,
        };
        // A quoted literal beside a number is one of its type (manual: typeconv-oper).
        if let Some((literal, other)) = sides
            && matches!(symbol, "+" | "-" | "*" | "/")
            && !matches!(literal, Expr::Literal(ScalarValue::Null, _))
        {
            let other = PgType { modifier: -1, ..other };
            *literal = cast::text_to(other, false).call(vec![literal.clone()]);
            if let Some(function) = kernels::operator(symbol, &[other, other]) {
                return Ok(PlannerResult::Planned(function.call(vec![left, right])));
            }
            operands = [other, other];
        }
        // Numbers wait until their literals have their types; see `planning::values`. Those with
        // scales of their own are unknown to DataFusion.
        let other =
            |operand: &PgType| matches!(operand.facts().category, 'D' | 'I' | 'R' | 'T' | 'U');
        let free = is_free(&expr.left, schema) || is_free(&expr.right, schema);
        let waits = matches!(symbol, "+" | "-" | "*" | "/" | "%");
        if waits && !free && !operands.iter().any(other) {
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

/// `(array_agg(x ORDER BY y))[n]` takes an element of the array: DataFusion has `nth_value` for it,
/// which differs in its order and refuses small groups. `name[0]` is the first letter of a name.
#[derive(Debug)]
pub struct Elements;

impl ExprPlanner for Elements {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> DataFusionResult<PlannerResult<RawBinaryExpr>> {
        Ok(match beside_null(&expr, schema) {
            Some(array) => PlannerResult::Planned(array),
            None => PlannerResult::Original(expr),
        })
    }

    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> DataFusionResult<PlannerResult<RawFieldAccessExpr>> {
        let is_name = |expr: &Expr| operand_type(expr, schema).is_ok_and(|one| one == PgType::NAME);
        let is_document =
            |expr: &Expr| operand_type(expr, schema).is_ok_and(|one| one == PgType::JSONB);
        let of_document = |document: Expr, place: Expr| -> DataFusionResult<Option<Expr>> {
            let types = [PgType::JSONB, operand_type(&place, schema)?];
            let function = kernels::operator("->", &types);
            let call = |function: Arc<ScalarUDF>| function.call(vec![document.clone(), place]);
            Ok(function.map(call))
        };
        Ok(match (access.expr, access.field_access) {
            // `document['a'][0]` is `document -> 'a' -> 0` (manual, 8.14.5).
            (document, access) if is_document(&document) => {
                let place = match &access {
                    GetFieldAccess::ListIndex { key } => Some(narrowed(key.as_ref().clone())),
                    GetFieldAccess::NamedStructField { name } => Some(lit(name.clone())),
                    GetFieldAccess::ListRange { .. } => None,
                };
                let element =
                    place.map(|place| of_document(document.clone(), place)).transpose()?;
                let original = RawFieldAccessExpr { expr: document, field_access: access };
                element.flatten().map_or(PlannerResult::Original(original), PlannerResult::Planned)
            }
            // A name is an array of letters to PostgreSQL, counted from 0.
            (name, GetFieldAccess::ListIndex { key }) if is_name(&name) => {
                PlannerResult::Planned(substring(name, *key + lit(1_i64), lit(1_i64)))
            }
            (array @ Expr::AggregateFunction(_), GetFieldAccess::ListIndex { key }) => {
                PlannerResult::Planned(array_element(array, *key))
            }
            (expr, field_access) => {
                PlannerResult::Original(RawFieldAccessExpr { expr, field_access })
            }
        })
    }
}

/// The array of `array || NULL`: NULL is an array there, too (manual: functions-array).
fn beside_null(expr: &RawBinaryExpr, schema: &DFSchema) -> Option<Expr> {
    let is_null = |one: &Expr| matches!(one, Expr::Literal(ScalarValue::Null, _));
    let other = match (&expr.op, is_null(&expr.left), is_null(&expr.right)) {
        (BinaryOperator::StringConcat, false, true) => &expr.left,
        (BinaryOperator::StringConcat, true, false) => &expr.right,
        _ => return None,
    };
    let is_array = operand_type(other, schema).ok()?.element().is_some();
    is_array.then(|| other.clone())
}

/// Digits of a literal on which arithmetic cannot overflow.
const DIGITS_MAX: usize = 28;

/// Operators that mean something else, or nothing, beside ranges, addresses and bit strings.
fn of_ranges(op: &BinaryOperator) -> Option<&'static str> {
    Some(match op {
        BinaryOperator::BitwiseAnd => "&",
        BinaryOperator::BitwiseOr => "|",
        BinaryOperator::PGBitwiseShiftLeft => "<<",
        BinaryOperator::PGBitwiseShiftRight => ">>",
        BinaryOperator::AndLt => "&<",
        BinaryOperator::AndGt => "&>",
        BinaryOperator::Custom(op) => match op.as_str() {
            "-|-" => "-|-",
            "<<=" => "<<=",
            ">>=" => ">>=",
            _ => return None,
        },
        _ => return None,
    })
}

/// Operators that are planned here: those DataFusion lacks, and arithmetic on times.
fn own_symbol(op: &BinaryOperator) -> Option<&'static str> {
    Some(match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::PGOverlap => "&&",
        BinaryOperator::PGExp => "^",
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

/// Whether a value is a number with a scale of its own.
fn is_free(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| data_type == DataType::LargeBinary)
}

fn comparison(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    })
}

/// Numbers with scales of their own are compared by value, which DataFusion does not know.
fn compared(
    expr: RawBinaryExpr,
    op: Operator,
    schema: &DFSchema,
) -> DataFusionResult<PlannerResult<RawBinaryExpr>> {
    if !is_free(&expr.left, schema) && !is_free(&expr.right, schema) {
        return Ok(PlannerResult::Original(expr));
    }
    let expr = RawBinaryExpr { left: exact(expr.left), right: exact(expr.right), ..expr };
    let number = |one: &Expr| {
        let numeric = |one: DataType| one.is_numeric() || one == DataType::LargeBinary;
        one.get_type(schema).is_ok_and(numeric)
    };
    let open = |one: &Expr| matches!(one, Expr::Placeholder(_));
    let sides = [&expr.left, &expr.right];
    if !sides.iter().all(|one| number(one) && !open(one)) {
        return Ok(PlannerResult::Original(expr));
    }
    let mut sides = comparable(vec![expr.left, expr.right], schema)?.into_iter();
    match (sides.next(), sides.next()) {
        (Some(left), Some(right)) => Ok(PlannerResult::Planned(binary_expr(left, op, right))),
        _ => datafusion::common::internal_err!("two sides of a comparison expected"),
    }
}

/// A literal that is cast to `numeric` with the scale that it is written in.
fn exact(expr: Expr) -> Expr {
    let Expr::Cast(Cast { expr: literal, field }) = &expr else { return expr };
    if PgType::from_field(field) != PgType::NUMERIC {
        return expr;
    }
    let text = match literal.as_ref() {
        Expr::Literal(ScalarValue::Utf8(Some(text)), None) => text.clone(),
        Expr::Literal(ScalarValue::Int64(Some(value)), None) => value.to_string(),
        Expr::Literal(ScalarValue::Decimal128(..), None) => return literal.as_ref().clone(),
        _ => return expr,
    };
    match exact_numeric(&text, DIGITS_MAX) {
        Some(value) => Expr::Literal(value, None),
        None => expr,
    }
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
