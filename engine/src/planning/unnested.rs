//! Lists as rows: functions in FROM whose arguments are columns of other relations.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DFSchema, UnnestOptions};
use datafusion::error::Result;
use datafusion::functions::core::expr_fn::{get_field, greatest};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit};

use crate::error::Error;
use crate::functions::SCALAR_RESULT_KEY;
use crate::sql::mended::ROWS_FROM;

/// A row for each element of the lists, side by side; `ordinality` counts them.
///
/// # Errors
/// 42883 where an expression is no list.
pub fn plan(name: &str, lists: Vec<Expr>, ordinality: bool) -> Result<LogicalPlan> {
    let label = name.rsplit('.').next().unwrap_or(name);
    let empty = DFSchema::empty();
    let lengths = lists.iter().map(|list| {
        clientele_udfs::functions::by_name("cardinality")
            .map(|function| function.call(vec![list.clone()]))
    });
    let lengths: Vec<Expr> = lengths.flatten().collect();
    let mut shown = Vec::new();
    let mut exprs = Vec::new();
    for (place, list) in lists.into_iter().enumerate() {
        let field = list.to_field(&empty)?.1;
        let DataType::List(item) = field.data_type() else {
            return Err(super::values::external(Error::new(
                "42883",
                format!("function {label}({}) does not exist", field.data_type()),
            )));
        };
        let own = match &list {
            Expr::ScalarFunction(call) if label == ROWS_FROM => called(call),
            _ => label,
        };
        let column = format!("{label}{place}");
        let value = Expr::Column(Column::new_unqualified(column.clone()));
        match item.data_type() {
            DataType::Struct(fields) => {
                for field in fields {
                    let value = get_field(value.clone(), field.name().as_str());
                    shown.push(typed(value, field.as_ref()).alias(field.name()));
                }
            }
            data_type => {
                let named = clientele_udfs::functions::set_column(own);
                let mut metadata = item.metadata().clone();
                if named == own {
                    metadata.insert(SCALAR_RESULT_KEY.to_owned(), "true".to_owned());
                }
                let field = Field::new(named, data_type.clone(), true).with_metadata(metadata);
                let number = if place == 0 { String::new() } else { (place + 1).to_string() };
                shown.push(typed(value, &field).alias(format!("{named}{number}")));
            }
        }
        exprs.push(list.alias(column));
    }
    if ordinality {
        exprs.push(numbers(lengths).alias("ordinality"));
        shown.push(Expr::Column(Column::new_unqualified("ordinality")));
    }
    let columns = exprs.iter().map(|expr| Column::new_unqualified(expr.schema_name().to_string()));
    let columns = columns.collect();
    let options = UnnestOptions::new().with_preserve_nulls(false);
    LogicalPlanBuilder::empty(true)
        .project(exprs)?
        .unnest_columns_with_options(columns, options)?
        .project(shown)?
        .alias(label)?
        .build()
}

/// The function that gives a list of `ROWS FROM` its name.
fn called(call: &ScalarFunction) -> &str {
    match (call.name(), call.args.first()) {
        ("flat", _) => "unnest",
        ("make_array", Some(Expr::ScalarFunction(inner))) => inner.name(),
        (name, _) => name,
    }
}

/// A row of one value.
///
/// # Errors
/// An expression that does not fit.
pub fn value(name: &str, value: Expr) -> Result<LogicalPlan> {
    let field = value.to_field(&DFSchema::empty())?.1;
    let mut metadata = field.metadata().clone();
    metadata.insert(SCALAR_RESULT_KEY.to_owned(), "true".to_owned());
    let field = Field::new(name, field.data_type().clone(), true).with_metadata(metadata);
    LogicalPlanBuilder::empty(true)
        .project([typed(value, &field).alias(name)])?
        .alias(name)?
        .build()
}

/// The numbers from one to the length of the longest list.
fn numbers(mut lengths: Vec<Expr>) -> Expr {
    let longest = match lengths.len() {
        1 => lengths.swap_remove(0),
        _ => greatest(lengths),
    };
    let longest = Expr::Cast(Cast::new(Box::new(longest), DataType::Int64));
    match clientele_udfs::functions::by_name("generate_series") {
        Some(function) => function.call(vec![lit(1_i64), longest]),
        None => longest,
    }
}

/// The value with its type's metadata.
fn typed(value: Expr, field: &Field) -> Expr {
    Expr::Cast(Cast::new_from_field(Box::new(value), Arc::new(field.clone())))
}
