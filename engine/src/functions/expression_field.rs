//! The field of an expression, found without making its name.
//!
//! DataFusion's `to_field` prints each expression below on the way down: in `a + b + c + …` that
//! costs the third power of the length, and planning asks for the field of each node.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, ReturnFieldArgs};

/// The field of an expression: its type, its metadata, whether it may be NULL. Its name means
/// nothing.
///
/// # Errors
/// The expression has no type.
pub fn expression_field(expr: &Expr, schema: &DFSchema) -> Result<FieldRef> {
    match expr {
        Expr::Negative(inner) => expression_field(inner, schema),
        Expr::BinaryExpr(binary) => of_binary(binary, schema),
        Expr::ScalarFunction(call) => of_call(call, schema),
        other => other.to_field(schema).map(|(_, field)| field),
    }
}

fn of_binary(binary: &BinaryExpr, schema: &DFSchema) -> Result<FieldRef> {
    let left = expression_field(&binary.left, schema)?;
    let right = expression_field(&binary.right, schema)?;
    let coercer = BinaryTypeCoercer::new(left.data_type(), &binary.op, right.data_type());
    let nullable = left.is_nullable() || right.is_nullable();
    Ok(Arc::new(Field::new("", coercer.get_result_type()?, nullable)))
}

fn of_call(call: &ScalarFunction, schema: &DFSchema) -> Result<FieldRef> {
    let fields = call.args.iter().map(|argument| expression_field(argument, schema));
    let fields = fields_with_udf(&fields.collect::<Result<Vec<_>>>()?, call.func.as_ref())?;
    let scalar_arguments: Vec<_> = call.args.iter().map(Expr::as_literal).collect();
    call.func.return_field_from_args(ReturnFieldArgs {
        arg_fields: &fields,
        scalar_arguments: &scalar_arguments,
    })
}
