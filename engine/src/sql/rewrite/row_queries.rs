//! Rows compared with the rows of a query: `(a, b) IN (SELECT x, y …)`, `(a, b) = (SELECT …)`
//! (manual, 9.23 and 9.24). DataFusion compares single values with queries.
//!
//! The query stands in FROM and its columns get names, so that each field has a partner.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, FunctionArguments, Ident, Query, Select, SelectItem, SetExpr,
    TableAliasColumnDef, TableFactor, UnaryOperator, Value, helpers::attached_token::AttachedToken,
};

use super::operators::argument;
use crate::sql::place::name_parts;

/// What the query is called.
const NAME: &str = "rows compared";

/// Rewrites the conjuncts of a condition: there, what is not known counts as false.
pub(super) fn condition(select: &mut Select) {
    if let Some(condition) = &mut select.selection {
        conjuncts(condition);
    }
}

fn conjuncts(expr: &mut Expr) {
    match expr {
        Expr::Nested(inner) => conjuncts(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left);
            conjuncts(right);
        }
        other => {
            if let Some((fields, query, negated)) = membership(other) {
                *other = match negated {
                    false => exists(&query, equal(&fields), false),
                    true => both(
                        exists(&query, equal(&fields), true),
                        exists(&query, Expr::IsNull(Box::new(equal(&fields))), true),
                    ),
                };
            }
        }
    }
}

/// Rewrites one expression wherever it stands.
pub(super) fn rewrite(expr: &mut Expr) {
    if let Some((fields, query, negated)) = membership(expr) {
        *expr = three_valued(&fields, &query, negated);
        return;
    }
    let Expr::BinaryOp { left, op, right } = expr else { return };
    let (Some(fields), Expr::Subquery(query)) = (fields(left), unnested(right)) else { return };
    let columns: Vec<Expr> = (0..fields.len()).map(column).collect();
    let comparison = match op {
        BinaryOperator::Eq => equal(&fields),
        BinaryOperator::NotEq => {
            Expr::UnaryOp { op: UnaryOperator::Not, expr: nested(equal(&fields)) }
        }
        BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => {
            let (left, right) = (Expr::Tuple(fields.clone()), Expr::Tuple(columns));
            Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) }
        }
        _ => return,
    };
    if let Some(query) = over(query, fields.len(), comparison, None) {
        *expr = Expr::Subquery(Box::new(query));
    }
}

/// `row IN (query)` and what is the same: fields, query, whether it is NOT IN.
fn membership(expr: &Expr) -> Option<(Vec<Expr>, Query, bool)> {
    let (row, query, negated) = match expr {
        Expr::InSubquery { expr, subquery, negated } => (expr, subquery, *negated),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => match right.as_ref() {
            Expr::Subquery(query) => (left, query, false),
            _ => return None,
        },
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => match right.as_ref() {
            Expr::Subquery(query) => (left, query, true),
            _ => return None,
        },
        _ => return None,
    };
    Some((fields(row)?, query.as_ref().clone(), negated))
}

/// The fields of `(a, b)` and `ROW(a, b)`.
fn fields(row: &Expr) -> Option<Vec<Expr>> {
    let fields = match unnested(row) {
        Expr::Tuple(fields) => fields.clone(),
        Expr::Function(function) if name_parts(&function.name) == ["row"] => match &function.args {
            FunctionArguments::List(list) => {
                list.args.iter().map(argument).collect::<Option<Vec<_>>>()?
            }
            _ => return None,
        },
        _ => return None,
    };
    (fields.len() > 1).then_some(fields)
}

fn unnested(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

fn nested(expr: Expr) -> Box<Expr> {
    Box::new(Expr::Nested(Box::new(expr)))
}

fn both(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) }
}

/// A name that no field has by chance: within the query, a field without a table means its own.
fn name(place: usize) -> Ident {
    Ident::with_quote('"', format!("field {} compared", place + 1))
}

fn column(place: usize) -> Expr {
    Expr::CompoundIdentifier(vec![Ident::with_quote('"', NAME), name(place)])
}

/// `(a = rows.first AND b = rows.second)`.
fn equal(fields: &[Expr]) -> Expr {
    let pairs = fields.iter().enumerate().map(|(place, field)| Expr::BinaryOp {
        left: nested(field.clone()),
        op: BinaryOperator::Eq,
        right: Box::new(column(place)),
    });
    let all = pairs.reduce(both);
    Expr::Nested(Box::new(all.unwrap_or(boolean(Some(true)))))
}

fn boolean(value: Option<bool>) -> Expr {
    Expr::Value(value.map_or(Value::Null, Value::Boolean).with_empty_span())
}

fn exists(query: &Query, condition: Expr, negated: bool) -> Expr {
    let width = width_of(&condition);
    match over(query, width, boolean(Some(true)), Some(condition)) {
        Some(subquery) => Expr::Exists { subquery: Box::new(subquery), negated },
        None => boolean(None),
    }
}

/// How many fields a condition that [`equal`] made compares.
fn width_of(condition: &Expr) -> usize {
    match condition {
        Expr::Nested(inner) | Expr::IsNull(inner) => width_of(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => width_of(left) + width_of(right),
        _ => 1,
    }
}

/// True where a row is equal, else unknown where one may be, else false; or the contrary.
fn three_valued(fields: &[Expr], query: &Query, negated: bool) -> Expr {
    let when = |condition: Expr, value: Option<bool>| CaseWhen {
        condition: exists(query, condition, false),
        result: boolean(value),
    };
    let unknown = Expr::IsNull(Box::new(equal(fields)));
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![when(equal(fields), Some(!negated)), when(unknown, None)],
        else_result: Some(Box::new(boolean(Some(negated)))),
    }
}

/// `SELECT item FROM (query) AS rows (…) WHERE condition`.
fn over(query: &Query, width: usize, item: Expr, condition: Option<Expr>) -> Option<Query> {
    let text = format!("SELECT 1 FROM (SELECT 1) AS \"{NAME}\"");
    let mut around = crate::sql::parse::query(&text).ok()?;
    let SetExpr::Select(select) = around.body.as_mut() else { return None };
    select.projection = vec![SelectItem::UnnamedExpr(item)];
    select.selection = condition;
    if let TableFactor::Derived { subquery, alias: Some(alias), .. } =
        &mut select.from.first_mut()?.relation
    {
        **subquery = query.clone();
        alias.columns = (0..width)
            .map(|place| TableAliasColumnDef { name: name(place), data_type: None })
            .collect();
    }
    Some(around)
}
