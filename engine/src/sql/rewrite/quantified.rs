//! `x ~ ANY (array)`, `x LIKE ALL (array)`: operators of text and each element (manual, 9.24).
//! DataFusion knows the comparisons alone.

use sqlparser::ast::{BinaryOperator, Expr, FunctionArguments, Ident, Query, SetExpr, TableFactor};

use super::literals;
use super::operators::argument;
use crate::sql::place::name_parts;

/// How an element is compared with the value.
type Comparison<'a> = &'a dyn Fn(Expr) -> Expr;

/// Rewrites `x op ANY (array)` and `x op ALL (array)` of operators that are no comparisons.
pub(super) fn operator(expr: &mut Expr) {
    let (left, op, array, all) = match &*expr {
        Expr::AnyOp { left, compare_op, right, .. } => (left, compare_op, right, false),
        Expr::AllOp { left, compare_op, right } => (left, compare_op, right, true),
        _ => return,
    };
    let known = matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    );
    if known || matches!(array.as_ref(), Expr::Subquery(_)) {
        return;
    }
    let one = |element: Expr| Expr::BinaryOp {
        left: left.clone(),
        op: op.clone(),
        right: Box::new(element),
    };
    if let Some(whole) = over_elements(array, all, &one) {
        *expr = whole;
    }
}

/// Rewrites `x LIKE ANY (array)`, `x NOT ILIKE ALL (array)`; the parser takes ALL for a function.
pub(super) fn like(expr: &mut Expr) {
    let (Expr::Like { any, pattern, .. } | Expr::ILike { any, pattern, .. }) = &*expr else {
        return;
    };
    let (array, all) = match (any, pattern.as_ref()) {
        (true, array) => (array.clone(), false),
        (false, Expr::Function(function)) if name_parts(&function.name) == ["all"] => {
            let FunctionArguments::List(list) = &function.args else { return };
            let [array] = list.args.as_slice() else { return };
            let Some(array) = argument(array) else { return };
            (array, true)
        }
        _ => return,
    };
    let one = |element: Expr| {
        let mut one = expr.clone();
        if let Expr::Like { any, pattern, .. } | Expr::ILike { any, pattern, .. } = &mut one {
            *any = false;
            **pattern = element;
        }
        one
    };
    if let Some(whole) = over_elements(&array, all, &one) {
        *expr = whole;
    }
}

/// The elements of a literal under one another; of any other array a query over them.
fn over_elements(array: &Expr, all: bool, one: Comparison<'_>) -> Option<Expr> {
    let mut inner = array;
    while let Expr::Nested(nested) = inner {
        inner = nested;
    }
    if let Expr::Array(literal) = inner
        && !literal.elem.is_empty()
    {
        let op = if all { BinaryOperator::And } else { BinaryOperator::Or };
        let joined = |left: Expr, right: Expr| Expr::BinaryOp {
            left: Box::new(left),
            op: op.clone(),
            right: Box::new(right),
        };
        let each = literal.elem.iter().cloned().map(|element| Expr::Nested(Box::new(one(element))));
        return each.reduce(joined).map(|whole| Expr::Nested(Box::new(whole)));
    }
    let mut array = Box::new(inner.clone());
    literals::array(&mut array);
    Some(Expr::Subquery(Box::new(query_over(*array, all, one)?)))
}

/// True or false as soon as one element says so, unknown where one might.
fn query_over(array: Expr, all: bool, one: Comparison<'_>) -> Option<Query> {
    let (decided, otherwise) = if all { ("false", "true") } else { ("true", "false") };
    let shape = format!(
        "SELECT CASE WHEN bool_or((NULL) IS {decided}) THEN {decided} \
         WHEN bool_or((NULL) IS NULL) THEN NULL ELSE {otherwise} END \
         FROM unnest(NULL) AS elements(element)"
    );
    let mut query = crate::sql::parse::query(&shape).ok()?;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let element = Expr::CompoundIdentifier(vec![Ident::new("elements"), Ident::new("element")]);
    fill(&mut select.projection, &one(element));
    match &mut select.from.first_mut()?.relation {
        TableFactor::Table { args: Some(args), .. } => {
            args.args = vec![unnamed(array)];
        }
        TableFactor::UNNEST { array_exprs, .. } => *array_exprs = vec![array],
        TableFactor::Function { args, .. } => *args = vec![unnamed(array)],
        _ => return None,
    }
    Some(query)
}

fn unnamed(expr: Expr) -> sqlparser::ast::FunctionArg {
    sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(expr))
}

/// Puts the comparison in place of each `(NULL)`.
fn fill(items: &mut Vec<sqlparser::ast::SelectItem>, comparison: &Expr) {
    struct Fill<'a>(&'a Expr);
    impl sqlparser::ast::VisitorMut for Fill<'_> {
        type Break = ();
        fn post_visit_expr(&mut self, expr: &mut Expr) -> std::ops::ControlFlow<()> {
            if let Expr::Nested(inner) = expr
                && literals::is_null(inner)
            {
                **inner = self.0.clone();
            }
            std::ops::ControlFlow::Continue(())
        }
    }
    let _ = sqlparser::ast::VisitMut::visit(items, &mut Fill(comparison));
}
