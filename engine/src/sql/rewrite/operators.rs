//! Operators and special forms of expressions.

use clientele_udfs::functions::arrays::find::NULL_AMONG;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, FunctionArguments, SelectItem, SetExpr, Subscript,
    UnaryOperator, Value,
};

use super::{call, own_call, text};
use crate::sql::place::name_parts;

/// Rewrites one expression; its parts come after.
pub(super) fn rewrite(expr: &mut Expr) {
    match expr {
        Expr::BinaryOp { op: BinaryOperator::Overlaps, .. } => overlaps(expr),
        Expr::BinaryOp {
            op:
                BinaryOperator::HashArrow | BinaryOperator::HashLongArrow | BinaryOperator::HashMinus,
            right,
            ..
        } => super::literals::array(right),
        Expr::BinaryOp { left, op: BinaryOperator::PGStartsWith, right } => {
            *expr = call("starts_with", vec![left.as_ref().clone(), right.as_ref().clone()]);
        }
        Expr::BinaryOp { op, .. } => operator(op),
        // DataFusion plans the elements of a literal array without the outer query's columns.
        Expr::Array(array) if array.elem.iter().any(super::clauses::names_columns) => {
            *expr = own_call("make_array", array.elem.clone());
        }
        // ~x is x # -1, of every integer type.
        Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: operand } => {
            let left = Box::new(Expr::Nested(operand.clone()));
            let ones = Expr::Value(Value::Number("1".to_owned(), false).with_empty_span());
            let right = Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(ones) };
            *expr =
                Expr::BinaryOp { left, op: BinaryOperator::PGBitwiseXor, right: Box::new(right) };
        }
        // DataFusion's planner negates only what it knows to be a number.
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand }
            if !matches!(operand.as_ref(), Expr::Value(_)) =>
        {
            *expr = own_call(crate::functions::NEGATED, vec![operand.as_ref().clone()]);
        }
        Expr::UnaryOp { op, expr: operand } => {
            if let Some(function) = prefix(*op) {
                *expr = call(function, vec![operand.as_ref().clone()]);
            }
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            let arguments = vec![time_zone.as_ref().clone(), timestamp.as_ref().clone()];
            *expr = call("timezone", arguments);
        }
        Expr::Extract { field, expr: source, .. } => {
            let field = text(field.to_string().trim_matches('\'').to_lowercase());
            *expr = call("extract", vec![field, source.as_ref().clone()]);
        }
        Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
            if let Some(escape) = escape_char.take() {
                let arguments = vec![pattern.as_ref().clone(), Expr::Value(escape)];
                **pattern = call("like_escape", arguments);
            }
        }
        Expr::SimilarTo { .. } => similar(expr),
        Expr::Nested(inner) => {
            if let Some(query) = one_value(inner) {
                *expr = query;
            }
        }
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => distinct(expr),
        Expr::Substring { .. } => substring(expr),
        Expr::CompoundFieldAccess { .. } => fields(expr),
        // The whole row: `t.*` stands for columns only in lists.
        Expr::QualifiedWildcard(name, _) => {
            if let Some(table) = name.0.last().and_then(|part| part.as_ident()) {
                *expr = Expr::Identifier(table.clone());
            }
        }
        Expr::Between { .. } => symmetric(expr),
        Expr::IsNormalized { .. } => normalized(expr),
        _ => {}
    }
}

fn normalized(expr: &mut Expr) {
    let Expr::IsNormalized { expr: value, form, negated } = expr else { return };
    let form = form.map(|form| text(form.to_string()));
    let arguments = std::iter::once(value.as_ref().clone()).chain(form).collect();
    let test = call("is_normalized", arguments);
    *expr = match negated {
        true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(test) },
        false => test,
    };
}

fn similar(expr: &mut Expr) {
    let Expr::SimilarTo { negated, expr: text, pattern, escape_char } = expr else { return };
    let escape = escape_char.take().map(Expr::Value);
    let arguments = std::iter::once(pattern.as_ref().clone()).chain(escape).collect();
    let op = match negated {
        true => BinaryOperator::PGRegexNotMatch,
        false => BinaryOperator::PGRegexMatch,
    };
    let right = Box::new(call("similar_to_escape", arguments));
    *expr = Expr::BinaryOp { left: text.clone(), op, right };
}

/// `substring(x FROM 'pattern')` is the first element of what the pattern matches (manual:
/// functions-posix-regexp).
fn substring(expr: &mut Expr) {
    let Expr::Substring { expr: text, substring_from, substring_for, .. } = expr else { return };
    let is_text = |from: &Expr| {
        matches!(from, Expr::Value(value) if matches!(
            value.value, Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_)
        ))
    };
    let pattern = match (substring_from.as_deref(), substring_for.as_deref()) {
        (Some(pattern), None) if is_text(pattern) => pattern,
        (from, length) => {
            let first = Expr::Value(Value::Number("1".to_owned(), false).with_empty_span());
            let from = from.cloned().unwrap_or(first);
            let arguments = [text.as_ref().clone(), from].into_iter().chain(length.cloned());
            *expr = own_call(crate::functions::SUBSTRING, arguments.collect());
            return;
        }
    };
    let arguments = vec![text.as_ref().clone(), pattern.clone()];
    let first = Expr::Value(Value::Number("1".to_owned(), false).with_empty_span());
    *expr = Expr::CompoundFieldAccess {
        root: Box::new(call("regexp_match", arguments)),
        access_chain: vec![AccessExpr::Subscript(Subscript::Index { index: first })],
    };
}

/// `x = ANY (array)`; queries there are DataFusion's. `x < ANY (array)` is unknown where it is not
/// true and an element is NULL.
pub(super) fn any(expr: &mut Expr) {
    let Expr::AnyOp { left, compare_op, right, .. } = &*expr else { return };
    let given = |one: &Expr| matches!(one, Expr::Value(one) if one.value != Value::Null);
    let right = match right.as_ref() {
        Expr::Subquery(_) => return,
        array => array.clone(),
    };
    if *compare_op == BinaryOperator::Eq {
        *expr = own_call(crate::functions::EQUALS_ANY, vec![left.as_ref().clone(), right]);
        return;
    }
    if !matches!(&right, Expr::Array(array) if array.elem.iter().all(given)) {
        let either = Expr::BinaryOp {
            left: Box::new(expr.clone()),
            op: BinaryOperator::Or,
            right: Box::new(own_call(NULL_AMONG, vec![right])),
        };
        *expr = Expr::Nested(Box::new(either));
    }
}

/// `a IS DISTINCT FROM b OR c` is `(a IS DISTINCT FROM b) OR c`: sqlparser takes all that follows for
/// the right side.
fn distinct(expr: &mut Expr) {
    let right = match expr {
        Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => right,
        _ => return,
    };
    let loose = |expr: &Expr| {
        matches!(expr, Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. })
    };
    if !loose(right) {
        return;
    }
    let mut whole = std::mem::replace(right.as_mut(), Expr::Value(Value::Null.with_empty_span()));
    let mut place = &mut whole;
    while let Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, left, .. } = place {
        place = left.as_mut();
    }
    let operand = std::mem::replace(place, Expr::Value(Value::Null.with_empty_span()));
    *place = match expr {
        Expr::IsDistinctFrom(left, _) => Expr::IsDistinctFrom(left.clone(), Box::new(operand)),
        Expr::IsNotDistinctFrom(left, _) => {
            Expr::IsNotDistinctFrom(left.clone(), Box::new(operand))
        }
        _ => return,
    };
    *expr = whole;
}

/// `x BETWEEN SYMMETRIC a AND b` is between a and b or between b and a.
fn symmetric(expr: &mut Expr) {
    let Expr::Between { expr: value, negated, low, high } = expr else { return };
    if !take_symmetric(low) {
        return;
    }
    let between = |low: &Expr, high: &Expr| Expr::Between {
        expr: value.clone(),
        negated: *negated,
        low: Box::new(low.clone()),
        high: Box::new(high.clone()),
    };
    let op = if *negated { BinaryOperator::And } else { BinaryOperator::Or };
    let left = Box::new(between(low, high));
    let both = Expr::BinaryOp { left, op, right: Box::new(between(high, low)) };
    *expr = Expr::Nested(Box::new(both));
}

/// Takes off the mark of `BETWEEN SYMMETRIC`, which stands before the leftmost operand.
fn take_symmetric(low: &mut Expr) -> bool {
    match low {
        Expr::UnaryOp { op: UnaryOperator::PGPrefixFactorial, expr } => {
            *low = expr.as_ref().clone();
            true
        }
        Expr::BinaryOp { left, .. } => take_symmetric(left),
        Expr::Cast { expr, .. } | Expr::AtTimeZone { timestamp: expr, .. } => take_symmetric(expr),
        _ => false,
    }
}

/// `(a, b) OVERLAPS (c, d)` is `overlaps(a, b, c, d)` (manual, 9.9).
fn overlaps(expr: &mut Expr) {
    let Expr::BinaryOp { left, right, .. } = expr else { return };
    if let (Expr::Tuple(left), Expr::Tuple(right)) = (left.as_ref(), right.as_ref()) {
        *expr = call("overlaps", [left.as_slice(), right.as_slice()].concat());
    }
}

/// The function behind a prefix operator that DataFusion lacks.
fn prefix(op: UnaryOperator) -> Option<&'static str> {
    match op {
        UnaryOperator::PGSquareRoot => Some("dsqrt"),
        UnaryOperator::PGCubeRoot => Some("dcbrt"),
        UnaryOperator::PGAbs => Some("abs"),
        _ => None,
    }
}

/// `a[2:]` goes to the end, `a[:2]` begins with the first.
fn bounded(access: &mut AccessExpr) {
    let AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, .. }) = access else {
        return;
    };
    let number =
        |value: i32| Expr::Value(Value::Number(value.to_string(), false).with_empty_span());
    lower_bound.get_or_insert_with(|| number(1));
    upper_bound.get_or_insert_with(|| number(i32::MAX));
}

/// `(ROW(1, 'x')).f1` takes the field of that name.
fn fields(expr: &mut Expr) {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return };
    access_chain.iter_mut().for_each(bounded);
    let [AccessExpr::Dot(Expr::Identifier(field))] = access_chain.as_slice() else { return };
    let mut inner = root.as_ref();
    if !matches!(inner, Expr::Nested(_)) {
        return;
    }
    while let Expr::Nested(nested) = inner {
        inner = nested;
    }
    let composite = match inner {
        Expr::Tuple(values) => record(values),
        Expr::Function(function) => match &function.args {
            FunctionArguments::List(list) if name_parts(&function.name) == ["row"] => {
                let values = list.args.iter().filter_map(argument).collect::<Vec<_>>();
                record(&values)
            }
            _ => inner.clone(),
        },
        _ => inner.clone(),
    };
    *expr = own_call("get_field", vec![composite, text(crate::sql::place::folded(field))]);
}

/// `(VALUES (5))` as a value; the parser takes it for a call.
fn one_value(inner: &Expr) -> Option<Expr> {
    let Expr::Function(function) = inner else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    if name_parts(&function.name) != ["values"] {
        return None;
    }
    let [value] = list.args.as_slice() else { return None };
    let mut query = crate::sql::parse::query("SELECT 1 AS column1").ok()?;
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(SelectItem::ExprWithAlias { expr, .. }) = select.projection.first_mut()
    {
        *expr = argument(value)?;
    }
    Some(Expr::Subquery(Box::new(query)))
}

pub(super) fn argument(argument: &sqlparser::ast::FunctionArg) -> Option<Expr> {
    match argument {
        sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(expr)) => {
            Some(expr.clone())
        }
        _ => None,
    }
}

/// The fields of an anonymous row are `f1`, `f2`, …
pub(super) fn record(values: &[Expr]) -> Expr {
    let fields = values.iter().enumerate();
    let fields = fields.flat_map(|(place, value)| [text(format!("f{}", place + 1)), value.clone()]);
    own_call(crate::functions::RECORD, fields.collect())
}

/// `ROW(a, b) IS NULL` is `a IS NULL AND b IS NULL`, and so for NOT NULL (manual, 9.25).
pub(crate) fn row_is_null(expr: &mut Expr) {
    let (row, test): (_, fn(Box<Expr>) -> Expr) = match &*expr {
        Expr::IsNull(row) => (row, Expr::IsNull),
        Expr::IsNotNull(row) => (row, Expr::IsNotNull),
        _ => return,
    };
    let Expr::Function(function) = row.as_ref() else { return };
    let name = name_parts(&function.name).pop().unwrap_or_default();
    let is_row = |row: &&str| name.strip_prefix(crate::functions::OWN) == Some(row);
    let FunctionArguments::List(list) = &function.args else { return };
    if is_row(&crate::functions::ROW_OF) {
        let record = list.args.first().and_then(argument);
        if let Some(mut inner) = record.map(|record| test(Box::new(record))) {
            row_is_null(&mut inner);
            *expr = inner;
        }
        return;
    }
    if [crate::functions::RECORD, crate::functions::RECORD_OR_NULL].iter().any(is_row) {
        let fields = list.args.iter().skip(1).step_by(2).filter_map(argument);
        let both = |left: Expr, right: Expr| Expr::BinaryOp {
            left: Box::new(left),
            op: BinaryOperator::And,
            right: Box::new(right),
        };
        if let Some(all) = fields.map(|field| test(Box::new(field))).reduce(both) {
            *expr = Expr::Nested(Box::new(all));
        }
    }
}

/// `OPERATOR(pg_catalog.~)` is the operator itself.
fn operator(op: &mut BinaryOperator) {
    let BinaryOperator::PGCustomBinaryOperator(parts) = op else { return };
    let plain = match parts.last().map(String::as_str) {
        Some("~") => BinaryOperator::PGRegexMatch,
        Some("~*") => BinaryOperator::PGRegexIMatch,
        Some("!~") => BinaryOperator::PGRegexNotMatch,
        Some("!~*") => BinaryOperator::PGRegexNotIMatch,
        Some("~~") => BinaryOperator::PGLikeMatch,
        Some("=") => BinaryOperator::Eq,
        Some("<>") => BinaryOperator::NotEq,
        Some("<") => BinaryOperator::Lt,
        Some("<=") => BinaryOperator::LtEq,
        Some(">") => BinaryOperator::Gt,
        Some(">=") => BinaryOperator::GtEq,
        Some("+") => BinaryOperator::Plus,
        Some("-") => BinaryOperator::Minus,
        Some("*") => BinaryOperator::Multiply,
        Some("/") => BinaryOperator::Divide,
        Some("!~~") => BinaryOperator::PGNotLikeMatch,
        Some("~~*") => BinaryOperator::PGILikeMatch,
        Some("!~~*") => BinaryOperator::PGNotILikeMatch,
        Some("||") => BinaryOperator::StringConcat,
        _ => return,
    };
    *op = plain;
}
