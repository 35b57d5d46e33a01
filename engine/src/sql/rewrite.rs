//! PostgreSQL's syntax that DataFusion's planner does not know, put into forms that it knows.
//! On the tree, never on text.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, Query, SelectItem, SetExpr, Value, VisitMut, VisitorMut,
};

use crate::error::{Error, Result};
use crate::sql::place::name_parts;

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

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        // FOR UPDATE locks rows; with first-committer-wins a conflict shows at commit instead.
        query.locks.clear();
        if let SetExpr::Values(values) = query.body.as_mut() {
            align(&mut values.rows);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let Expr::Value(value) = expr
            && let Value::Number(number, _) = &value.value
            && let Some((_, exponent)) = number.to_lowercase().split_once('e')
            && exponent
                .trim_start_matches(['-', '+'])
                .parse::<u32>()
                .is_ok_and(|digits| digits > 20)
        {
            // Arrow's decimals have 38 digits: what is larger or finer is a float here.
            let text = Expr::Value(Value::SingleQuotedString(number.clone()).with_empty_span());
            let kind = sqlparser::ast::CastKind::Cast;
            let data_type = DataType::DoublePrecision;
            *expr =
                Expr::Cast { kind, expr: Box::new(text), data_type, array: false, format: None };
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expr {
            Expr::BinaryOp { op, .. } => operator(op),
            Expr::Identifier(ident) => {
                if let Some(call) = keyword_function(ident) {
                    *expr = call;
                }
            }
            Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => array_literal(right),
            Expr::Function(function) => {
                function_name(function);
                if let Some(aggregate) = array_of(function) {
                    *expr = aggregate;
                }
            }
            Expr::Value(value) => literal(&mut value.value),
            Expr::Collate { expr: inner, .. } => *expr = inner.as_ref().clone(),
            Expr::Cast { data_type: DataType::Array(_), .. } => {}
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// In VALUES, one cast decides about the column: DataFusion wants every row to state the same type.
fn align<R: std::ops::DerefMut<Target = Vec<Expr>>>(rows: &mut [R]) {
    let width = rows.first().map_or(0, |row| row.len());
    for column in 0..width {
        let cast = rows.iter().find_map(|row| match row.get(column) {
            Some(Expr::Cast { data_type, .. }) => Some(data_type.clone()),
            _ => None,
        });
        let Some(data_type) = cast else { continue };
        for value in rows.iter_mut().filter_map(|row| row.get_mut(column)) {
            if !matches!(value, Expr::Cast { .. }) {
                let expr = Box::new(value.clone());
                let kind = sqlparser::ast::CastKind::Cast;
                *value = Expr::Cast {
                    kind,
                    expr,
                    data_type: data_type.clone(),
                    array: false,
                    format: None,
                };
            }
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
        Some("||") => BinaryOperator::StringConcat,
        _ => return,
    };
    *op = plain;
}

/// Literals that DataFusion's planner does not read.
fn literal(value: &mut Value) {
    match value {
        Value::UnicodeStringLiteral(text) | Value::SingleQuotedByteStringLiteral(text) => {
            *value = Value::SingleQuotedString(std::mem::take(text));
        }
        _ => {}
    }
}

/// `ARRAY(SELECT x …)` is `(SELECT array_agg(x) …)`.
fn array_of(function: &mut Function) -> Option<Expr> {
    let FunctionArguments::Subquery(query) = &mut function.args else { return None };
    let order = query.order_by.take();
    let SetExpr::Select(select) = query.body.as_mut() else { return wrapped(query) };
    let single = matches!(
        select.projection.as_slice(),
        [SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }]
    );
    if !single
        || select.distinct.is_some()
        || select.having.is_some()
        || query.limit_clause.is_some()
    {
        query.order_by = order;
        return wrapped(query);
    }
    let item = select.projection.pop()?;
    let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
        return None;
    };
    let mut aggregate = call("array_agg", vec![expr]);
    if let (Expr::Function(function), Some(order)) = (&mut aggregate, order)
        && let FunctionArguments::List(list) = &mut function.args
        && let sqlparser::ast::OrderByKind::Expressions(exprs) = order.kind
        && exprs.iter().all(|one| !matches!(one.expr, Expr::Value(_)))
    {
        list.clauses.push(sqlparser::ast::FunctionArgumentClause::OrderBy(exprs));
    }
    select.projection.push(SelectItem::UnnamedExpr(aggregate));
    Some(Expr::Subquery(query.clone()))
}

/// The same around any other query.
fn wrapped(inner: &mut Query) -> Option<Expr> {
    let mut query =
        super::parse::query("SELECT array_agg(element) FROM (SELECT 1) AS elements (element)")
            .ok()?;
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(sqlparser::ast::TableFactor::Derived { subquery, .. }) =
            select.from.first_mut().map(|table| &mut table.relation)
    {
        std::mem::swap(subquery.as_mut(), inner);
    }
    Some(Expr::Subquery(Box::new(query)))
}

/// `current_user` and its kin are functions without parentheses (manual: functions-info).
fn keyword_function(ident: &Ident) -> Option<Expr> {
    if ident.quote_style.is_some() {
        return None;
    }
    let name = ident.value.to_lowercase();
    matches!(
        name.as_str(),
        "current_user"
            | "session_user"
            | "user"
            | "current_role"
            | "current_catalog"
            | "current_schema"
            | "localtimestamp"
            | "localtime"
    )
    .then(|| call(&name, Vec::new()))
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

/// `= ANY ('{a,b}')`: an unknown literal there is an array of text.
fn array_literal(right: &mut Box<Expr>) {
    if let Expr::Value(value) = right.as_ref()
        && matches!(value.value, Value::SingleQuotedString(_))
    {
        let data_type = DataType::Array(sqlparser::ast::ArrayElemTypeDef::SquareBracket(
            Box::new(DataType::Text),
            None,
        ));
        let inner = right.as_ref().clone();
        **right = Expr::Cast {
            kind: sqlparser::ast::CastKind::Cast,
            expr: Box::new(inner),
            data_type,
            array: false,
            format: None,
        };
    }
}

/// `pg_catalog.f(…)` is `f(…)`, also for DataFusion's own functions.
fn function_name(function: &mut Function) {
    let parts = name_parts(&function.name);
    if let [schema, name] = parts.as_slice()
        && schema == "pg_catalog"
    {
        function.name = ObjectName::from(vec![Ident::with_quote('"', name)]);
    }
}
