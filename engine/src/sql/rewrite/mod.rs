//! PostgreSQL's syntax that DataFusion's planner does not know, put into forms that it knows.
//! On the tree, never on text.
//!
//! | part | what |
//! |---|---|
//! | [`clauses`] | `FETCH FIRST`, `VALUES`, `GROUP BY ()`, functions in `FROM` |
//! | [`calls`] | named arguments, functions that return sets, `ARRAY(SELECT …)`, sorted `DISTINCT` |
//! | [`operators`] | `AT TIME ZONE`, `OVERLAPS`, `\|/`, `LIKE … ESCAPE` |
//! | [`literals`] | intervals, bit strings, numbers |
//! | [`quantified`] | `~ ANY (array)`, `LIKE ALL (array)` |
//! | [`row_queries`] | `(a, b) IN (SELECT …)` |
//! | [`sets`] | functions that return sets beside outputs named like columns |
//! | [`windows`] | windows that go on from a named one |

mod calls;
mod clauses;
mod literals;
mod operators;
mod quantified;
mod row_queries;
mod sets;
mod windows;

use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, NamedWindowDefinition, NamedWindowExpr, ObjectName, Query, Select,
    SetExpr, TableFactor, Value, VisitMut, VisitorMut, WindowType,
};

use crate::error::{Error, Result};

pub(crate) use calls::array_of;
pub(crate) use operators::row_is_null;

/// Rewrites a query in place.
///
/// # Errors
/// 0A000 for what cannot be expressed.
pub fn rewrite(query: &mut Query) -> Result<()> {
    match VisitMut::visit(query, &mut Rewriter) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The same for an expression that stands alone: a condition, a default.
///
/// # Errors
/// 0A000 for what cannot be expressed.
pub fn rewrite_expression(expr: &mut Expr) -> Result<()> {
    match VisitMut::visit(expr, &mut Rewriter) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        // FOR UPDATE locks rows; with first-committer-wins a conflict shows at commit instead.
        query.locks.clear();
        clauses::table(&mut query.body);
        clauses::values(&mut query.body);
        literals::narrow_recursion(query);
        clauses::fetch(query);
        if let (SetExpr::Select(select), Some(order)) = (query.body.as_ref(), &mut query.order_by) {
            windows::complete_order(select, order);
        }
        sets::sort_outside(query);
        sets::separate(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        clauses::grand_total(select);
        clauses::grouped_places(select);
        clauses::full_wildcards(select);
        clauses::conditions(select);
        clauses::having_alone(select);
        row_queries::condition(select);
        windows::complete(select);
        literals::narrow_items(select);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        for NamedWindowDefinition(_, window) in &mut select.named_window {
            if let NamedWindowExpr::WindowSpec(window) = window {
                clauses::frame(window);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        clauses::view_function(factor);
        clauses::record_function(factor);
        clauses::lateral_function(factor);
        if let TableFactor::Function { name, args, .. } = factor {
            let name = crate::sql::place::name_parts(name).pop().unwrap_or_default();
            calls::by_oid(&name, args);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        literals::rewrite(expr);
        quantified::operator(expr);
        quantified::like(expr);
        row_queries::rewrite(expr);
        operators::rewrite(expr);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expr {
            Expr::Identifier(ident) => {
                if let Some(call) = calls::keyword_function(ident) {
                    *expr = call;
                }
            }
            Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
                literals::array(right);
                literals::element(left, right);
                operators::any(expr);
            }
            Expr::Function(function) => {
                if let Some(WindowType::WindowSpec(window)) = &mut function.over {
                    clauses::frame(window);
                }
                if let Some(other) = calls::rewrite(function) {
                    *expr = other;
                }
            }
            Expr::IsNull(_) | Expr::IsNotNull(_) => row_is_null(expr),
            Expr::Value(_) => literals::text(expr),
            Expr::Collate { expr: inner, .. } => *expr = inner.as_ref().clone(),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// A call of a function of DataFusion's that SQL cannot call.
pub fn own_call(name: &str, arguments: Vec<Expr>) -> Expr {
    call(&format!("{}{name}", crate::functions::OWN), arguments)
}

/// A call of a function.
pub fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|one| FunctionArg::Unnamed(FunctionArgExpr::Expr(one)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// A cast.
pub fn cast(expr: Expr, data_type: DataType) -> Expr {
    let kind = sqlparser::ast::CastKind::Cast;
    Expr::Cast { kind, expr: Box::new(expr), data_type, array: false, format: None }
}

/// A text literal.
pub fn text(value: impl Into<String>) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.into()).with_empty_span())
}
