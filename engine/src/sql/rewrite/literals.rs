//! Literals that DataFusion's planner reads otherwise than PostgreSQL.

use std::ops::ControlFlow;

use sqlparser::ast::{
    ArrayElemTypeDef, DataType, ExactNumberInfo, Expr, Interval, Query, Select, SelectItem,
    SetExpr, UnaryOperator, Value, VisitMut, VisitorMut,
};

use super::cast;

/// Rewrites one literal.
pub(super) fn rewrite(expr: &mut Expr) {
    match expr {
        Expr::Interval(interval) => {
            if let Some(value) = interval_value(interval) {
                let kind = DataType::Interval { fields: None, precision: None };
                *expr = cast(value, kind);
            }
        }
        Expr::Cast { expr: inner, data_type, .. } => {
            if let Some(number) = bits(inner, data_type) {
                **inner = number;
            }
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => {
            if let Expr::Value(value) = inner.as_ref()
                && let Value::Number(number, _) = &value.value
                && let Some(data_type) = wide(number)
            {
                *expr = cast(super::text(format!("-{number}")), data_type);
            }
        }
        Expr::Value(value) => {
            if let Value::Number(number, _) = &value.value
                && let Some(data_type) = wide(number)
            {
                *expr = cast(super::text(number.clone()), data_type);
            }
        }
        _ => {}
    }
}

/// Digits of a number that DataFusion reads as PostgreSQL does.
const DIGITS_MAX: usize = 38;

/// The type of a number that DataFusion reads as another: one with an exponent, a whole number
/// beyond bigint and one of many digits are numeric.
fn wide(number: &str) -> Option<DataType> {
    let whole = number.bytes().all(|byte| byte.is_ascii_digit());
    let large = match whole {
        true => number.parse::<i64>().is_err(),
        false => number.len() > DIGITS_MAX || number.contains(['e', 'E']),
    };
    large.then_some(DataType::Numeric(ExactNumberInfo::None))
}

/// `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1' DAY`: the input function reads the text, with the
/// unit behind a bare number.
fn interval_value(interval: &Interval) -> Option<Expr> {
    let Expr::Value(value) = interval.value.as_ref() else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    let bare = text.trim().parse::<f64>().is_ok();
    let unit = interval.last_field.as_ref().or(interval.leading_field.as_ref());
    let text = match unit {
        Some(unit) if bare => format!("{text} {unit}"),
        _ => text.clone(),
    };
    Some(super::text(text))
}

/// `x'1F'::int`, `b'101'::int`.
fn bits(literal: &Expr, data_type: &DataType) -> Option<Expr> {
    let Expr::Value(value) = literal else { return None };
    let (digits, radix) = match &value.value {
        Value::HexStringLiteral(digits) => (digits, 16),
        Value::SingleQuotedByteStringLiteral(digits) => (digits, 2),
        _ => return None,
    };
    let whole = matches!(
        data_type,
        DataType::Int(_)
            | DataType::Integer(_)
            | DataType::Int4(_)
            | DataType::Int8(_)
            | DataType::BigInt(_)
    );
    let number = i64::from_str_radix(digits, radix).ok().filter(|_| whole)?;
    Some(Expr::Value(Value::Number(number.to_string(), false).with_empty_span()))
}

/// Literals with a prefix; `B'101'` and `X'1F'` are bit strings as long as they are written.
pub(super) fn text(expr: &mut Expr) {
    let Expr::Value(value) = &*expr else { return };
    let (text, length) = match &value.value {
        Value::UnicodeStringLiteral(text) => (text.clone(), None),
        Value::SingleQuotedByteStringLiteral(digits) => (digits.clone(), Some(digits.len())),
        Value::HexStringLiteral(digits) => (format!("x{digits}"), Some(digits.len() * 4)),
        _ => return,
    };
    let text = super::text(text);
    *expr = match length.filter(|length| *length > 0) {
        Some(length) => cast(text, DataType::Bit(Some(length as u64))),
        None => text,
    };
}

/// A whole number as a column is an integer where it fits: set operations, recursion and VALUES
/// take their types from it before [`crate::planning::values`] sees it.
pub(super) fn narrow_items(select: &mut Select) {
    for item in &mut select.projection {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            continue;
        };
        narrow(expr);
    }
}

/// The same within expressions, for recursive queries: what they begin with decides about the types
/// of what follows.
pub(super) fn narrow_recursion(query: &mut Query) {
    let Some(with) = query.with.as_mut().filter(|with| with.recursive) else { return };
    for cte in &mut with.cte_tables {
        narrow_selects(&mut cte.query.body);
        if let SetExpr::SetOperation { left, .. } = cte.query.body.as_mut() {
            state_types(left);
        }
    }
}

/// Literals that a recursion begins with are text, or numbers of any scale.
fn state_types(body: &mut SetExpr) {
    match body {
        SetExpr::SetOperation { left, right, .. } => {
            state_types(left);
            state_types(right);
        }
        SetExpr::Query(query) => state_types(&mut query.body),
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                {
                    state_type(expr);
                }
            }
        }
        SetExpr::Values(values) => {
            values.rows.iter_mut().flat_map(|row| row.iter_mut()).for_each(state_type);
        }
        _ => {}
    }
}

fn state_type(expr: &mut Expr) {
    let free = DataType::Numeric(ExactNumberInfo::None);
    let literal = match &*expr {
        Expr::Cast { expr: inner, data_type, .. } if *data_type == free => inner.as_ref(),
        other => other,
    };
    match kind(literal) {
        Some(Kind::Fraction) => {
            let digits = cast(super::text(literal.to_string()), DataType::Text);
            *expr = cast(digits, free);
        }
        Some(Kind::Text) if literal == expr => *expr = cast(expr.clone(), DataType::Text),
        _ => {}
    }
}

fn narrow_selects(body: &mut SetExpr) {
    match body {
        SetExpr::SetOperation { left, right, .. } => {
            narrow_selects(left);
            narrow_selects(right);
        }
        SetExpr::Query(query) => narrow_selects(&mut query.body),
        SetExpr::Select(select) => {
            let _ = VisitMut::visit(&mut select.projection, &mut Narrower);
        }
        _ => {}
    }
}

struct Narrower;

impl VisitorMut for Narrower {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Value(_)) {
            narrow(expr);
        }
        ControlFlow::Continue(())
    }
}

/// Whether an expression is a whole number that fits into integer, or NULL.
pub(super) fn is_small_or_null(expr: &Expr) -> bool {
    let number = match expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => expr.as_ref(),
        expr => expr,
    };
    let small = matches!(number, Expr::Value(value)
        if matches!(&value.value, Value::Number(digits, _) if digits.parse::<i32>().is_ok()));
    small || is_null(expr)
}

/// What a literal is, the one that tells most about its column first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Fraction,
    Whole,
    Boolean,
    Text,
    Null,
}

/// The kind of a literal; `None` also for parameters, and numbers that are read through a cast.
pub(super) fn kind(expr: &Expr) -> Option<Kind> {
    let value = match expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => expr.as_ref(),
        expr => expr,
    };
    let Expr::Value(value) = value else { return None };
    Some(match &value.value {
        Value::Number(digits, _) if wide(digits).is_some() => return None,
        Value::Number(digits, _) if digits.parse::<i64>().is_ok() => Kind::Whole,
        Value::Number(..) => Kind::Fraction,
        Value::Boolean(_) => Kind::Boolean,
        Value::Null => Kind::Null,
        Value::Placeholder(_) => return None,
        _ => Kind::Text,
    })
}

pub(super) fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

/// Casts a whole number that fits to integer.
pub(super) fn narrow(expr: &mut Expr) {
    if !is_null(expr) && is_small_or_null(expr) {
        *expr = cast(expr.clone(), DataType::Integer(None));
    }
}

/// `$1 = ANY ($2::int[])`: a parameter is of the type of the elements.
pub(super) fn element(left: &mut Box<Expr>, right: &Expr) {
    if let (Expr::Value(value), Expr::Cast { data_type, .. }) = (left.as_ref(), right)
        && matches!(value.value, Value::Placeholder(_))
        && let DataType::Array(
            ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element),
        ) = data_type
    {
        **left = cast(left.as_ref().clone(), element.as_ref().clone());
    }
}

/// `= ANY ('{a,b}')`: an unknown literal there is an array of text.
pub(super) fn array(right: &mut Box<Expr>) {
    if let Expr::Value(value) = right.as_ref()
        && matches!(value.value, Value::SingleQuotedString(_))
    {
        let element = Box::new(DataType::Text);
        let kind = DataType::Array(ArrayElemTypeDef::SquareBracket(element, None));
        **right = cast(right.as_ref().clone(), kind);
    }
}
