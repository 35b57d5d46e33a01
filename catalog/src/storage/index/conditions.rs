//! Filters of a scan as conditions on single columns.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::utils::{split_binary, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::access::{Condition, Test};
use crate::definition::Relation;

/// What filters say of single columns; the rest of them narrows nothing.
pub(super) fn of_filters(relation: &Relation, filters: &[Expr]) -> Vec<Condition> {
    let parts = filters.iter().flat_map(split_conjunction);
    let tests = parts.flat_map(|part| {
        let (name, tests) = tests(part).unwrap_or_default();
        tests.into_iter().map(move |test| (name, test))
    });
    let condition = |(name, test): (&str, Test)| {
        let column = relation.live_columns().find(|column| column.name == name)?;
        Some(Condition { column: column.number, test })
    };
    tests.filter_map(condition).collect()
}

fn tests(condition: &Expr) -> Option<(&str, Vec<Test>)> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { op: Operator::Or, .. }) => any_of(condition),
        Expr::BinaryExpr(binary) => {
            let (column, op, value) = comparison(binary)?;
            Some((column, vec![test(op, value)?]))
        }
        Expr::InList(list) if !list.negated => {
            let values = list.list.iter().map(literal).collect::<Option<Vec<_>>>()?;
            Some((column(&list.expr)?, vec![Test::OneOf(values)]))
        }
        Expr::Between(Between { expr, negated: false, low, high }) => {
            Some((column(expr)?, vec![Test::From(literal(low)?), Test::UpTo(literal(high)?)]))
        }
        Expr::IsNull(expr) => Some((column(expr)?, vec![Test::Null])),
        Expr::IsNotNull(expr) => Some((column(expr)?, vec![Test::Present])),
        // A column of truth values.
        Expr::Column(_) => {
            Some((column(condition)?, vec![Test::OneOf(vec![ScalarValue::Boolean(Some(true))])]))
        }
        Expr::Not(expr) => {
            Some((column(expr)?, vec![Test::OneOf(vec![ScalarValue::Boolean(Some(false))])]))
        }
        _ => None,
    }
}

/// `c = 1 OR c = 2`: what DataFusion makes of a short list.
fn any_of(condition: &Expr) -> Option<(&str, Vec<Test>)> {
    let mut found: Option<&str> = None;
    let mut values = Vec::new();
    for part in split_binary(condition, Operator::Or) {
        let Expr::BinaryExpr(binary) = part else { return None };
        let (column, Operator::Eq, value) = comparison(binary)? else { return None };
        if *found.get_or_insert(column) != column {
            return None;
        }
        values.push(value.clone());
    }
    Some((found?, vec![Test::OneOf(values)]))
}

fn comparison(binary: &BinaryExpr) -> Option<(&str, Operator, &ScalarValue)> {
    match (binary.left.as_ref(), binary.right.as_ref()) {
        (Expr::Column(column), Expr::Literal(value, _)) => Some((&column.name, binary.op, value)),
        (Expr::Literal(value, _), Expr::Column(column)) => {
            Some((&column.name, binary.op.swap()?, value))
        }
        _ => None,
    }
}

fn test(op: Operator, value: &ScalarValue) -> Option<Test> {
    let value = value.clone();
    Some(match op {
        Operator::Eq => Test::OneOf(vec![value]),
        Operator::GtEq => Test::From(value),
        Operator::Gt => Test::Above(value),
        Operator::LtEq => Test::UpTo(value),
        Operator::Lt => Test::Below(value),
        _ => return None,
    })
}

fn column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(&column.name),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value.clone()),
        _ => None,
    }
}
