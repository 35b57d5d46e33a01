//! Calls of functions.

use std::ops::ControlFlow;

use clientele_udfs::types::PgType;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, DataType, DuplicateTreatment, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, GroupByExpr,
    Ident, ObjectName, OrderByExpr, OrderByOptions, Query, SelectItem, SetExpr, Value, Visit,
    Visitor,
};

use super::{call, cast, own_call};
use crate::sql::place::name_parts;

/// The function that puts OIDs in place of roles' names.
const BY_OID: &str = "acl_by_oid";

/// Rewrites a call; what is to stand in its place, where that is no call.
pub(super) fn rewrite(function: &mut Function) -> Option<Expr> {
    if let FunctionArguments::Subquery(query) = &mut function.args {
        return array_of(query);
    }
    let parts = name_parts(&function.name);
    // `pg_catalog.f(…)` is `f(…)`, also for DataFusion's own functions.
    let name = match parts.as_slice() {
        [schema, name] if schema == "pg_catalog" || schema == "information_schema" => {
            function.name = ObjectName::from(vec![Ident::with_quote('"', name)]);
            name.clone()
        }
        [name] => name.clone(),
        _ => return None,
    };
    if let FunctionArguments::List(list) = &mut function.args {
        list.args.iter_mut().for_each(whole_row);
    }
    if name == "row"
        && let FunctionArguments::List(list) = &function.args
    {
        let values: Vec<Expr> = list.args.iter().filter_map(super::operators::argument).collect();
        return Some(super::operators::record(&values));
    }
    if let Some(choice) = choice_of_arrays(function, &name).or_else(|| cast_of(function, &name)) {
        return Some(choice);
    }
    let other = percentiles(function, &name).or_else(|| shifted(function, &name));
    if other.is_some() {
        return other;
    }
    positional(function, &name);
    if let FunctionArguments::List(list) = &mut function.args {
        by_oid(&name, &mut list.args);
    }
    if name == "normalize" {
        normal_form(function);
    }
    sorted_distinct(function, &name);
    if name == "unnest" {
        flat(function);
        return None;
    }
    let set = clientele_udfs::functions::set_returning().iter().any(|one| one.name == name);
    set.then(|| call("unnest", vec![Expr::Function(function.clone())]))
}

/// `f(t.*)` is `f(t)` (manual, 8.16.5).
fn whole_row(argument: &mut FunctionArg) {
    if let FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(relation)) = argument
        && let Some(name) = relation.0.last().and_then(|part| part.as_ident())
    {
        let row = Expr::Identifier(name.clone());
        *argument = FunctionArg::Unnamed(FunctionArgExpr::Expr(row));
    }
}

/// `aclexplode` takes items with OIDs, which only the engine knows.
pub(super) fn by_oid(name: &str, arguments: &mut [FunctionArg]) {
    if name == "aclexplode"
        && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(items))] = arguments
    {
        let known = matches!(items, Expr::Function(inner)
            if name_parts(&inner.name).last().is_some_and(|name| name == BY_OID));
        if !known {
            *items = call(BY_OID, vec![items.clone()]);
        }
    }
}

/// `date(x)`: the name of a type called with one argument is a cast (manual, 4.2.9). `None` where a
/// function has that name, too.
fn cast_of(function: &Function, name: &str) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let [argument] = list.args.as_slice() else { return None };
    let is_type = PgType::by_name(name).is_some_and(|pg_type| pg_type.name() == name);
    let argument = super::operators::argument(argument)?;
    // Only of an address is `text` a function.
    let of_address = |expr: &Expr| {
        matches!(expr, Expr::Cast { data_type, .. }
            if matches!(data_type.to_string().to_lowercase().as_str(), "inet" | "cidr"))
    };
    let is_function = match name {
        "text" => of_address(&argument),
        _ => clientele_udfs::functions::by_name(name).is_some(),
    };
    if !is_type || is_function {
        return None;
    }
    let named = DataType::Custom(ObjectName::from(vec![Ident::with_quote('"', name)]), vec![]);
    Some(cast(argument, named))
}

/// `percentile_cont(ARRAY[a, b])` is an array of both.
fn percentiles(function: &Function, name: &str) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Array(array)))] = list.args.as_slice()
    else {
        return None;
    };
    if !matches!(name, "percentile_cont" | "percentile_disc") || function.within_group.is_empty() {
        return None;
    }
    let one = |fraction: &Expr| {
        let args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(fraction.clone()))];
        let args = FunctionArguments::List(FunctionArgumentList { args, ..list.clone() });
        Expr::Function(Function { args, ..function.clone() })
    };
    Some(own_call("make_array", array.elem.iter().map(one).collect()))
}

/// `lag(a, 1, b)`, whose default is no literal, as CASE: no row is where a constant is NULL.
fn shifted(function: &Function, name: &str) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let [value, offset, default] = list.args.as_slice() else { return None };
    let default = super::operators::argument(default)?;
    let is_literal = match &default {
        Expr::Value(_) => true,
        Expr::UnaryOp { expr, .. } => matches!(expr.as_ref(), Expr::Value(_)),
        _ => false,
    };
    if !matches!(name, "lag" | "lead") || function.over.is_none() || is_literal {
        return None;
    }
    let of = |value: FunctionArg| {
        let args = vec![value, offset.clone()];
        let args = FunctionArguments::List(FunctionArgumentList { args, ..list.clone() });
        Expr::Function(Function { args, ..function.clone() })
    };
    let one = Expr::value(Value::Number("1".to_owned(), false));
    let one = of(FunctionArg::Unnamed(FunctionArgExpr::Expr(one)));
    let condition = Expr::IsNull(Box::new(one));
    Some(case(vec![CaseWhen { condition, result: default }], of(value.clone())))
}

fn case(conditions: Vec<CaseWhen>, otherwise: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions,
        else_result: Some(Box::new(otherwise)),
    }
}

/// `coalesce(a, '{}')` and `nullif(a, '{}')` as CASE: DataFusion's functions refuse text beside an
/// array before the literal can become one. `None` where no argument looks like an array's text.
fn choice_of_arrays(function: &Function, name: &str) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let arguments: Option<Vec<Expr>> = list.args.iter().map(super::operators::argument).collect();
    let arguments = arguments?;
    if !matches!(name, "coalesce" | "nullif") || !arguments.iter().any(is_text_of_array) {
        return None;
    }
    if let ("nullif", [one, other]) = (name, arguments.as_slice()) {
        let condition = Expr::BinaryOp {
            left: Box::new(one.clone()),
            op: BinaryOperator::Eq,
            right: Box::new(other.clone()),
        };
        let null = Expr::Value(Value::Null.with_empty_span());
        return Some(case(vec![CaseWhen { condition, result: null }], one.clone()));
    }
    let (last, others) = arguments.split_last().filter(|_| name == "coalesce")?;
    let when = |value: &Expr| CaseWhen {
        condition: Expr::IsNotNull(Box::new(value.clone())),
        result: value.clone(),
    };
    (!others.is_empty()).then(|| case(others.iter().map(when).collect(), last.clone()))
}

fn is_text_of_array(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(&value.value,
        Value::SingleQuotedString(text) if text.starts_with('{') && text.ends_with('}')))
}

/// `make_interval(days => 10)`: arguments by name take their places, the others their defaults.
fn positional(function: &mut Function, name: &str) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    let Ok(given) = crate::planning::relations::labelled(&list.args) else { return };
    if given.iter().all(|(label, _)| label.is_none()) {
        return;
    }
    let docs = clientele_udfs::functions::docs();
    let fitting = docs.iter().filter(|doc| doc.signature.name == name).find_map(|doc| {
        let mut values = Vec::new();
        let known = |label: &Option<String>| {
            label.is_none()
                || doc.signature.parameters.iter().any(|one| one.name == label.as_deref())
        };
        if !given.iter().all(|(label, _)| known(label)) {
            return None;
        }
        for (place, parameter) in doc.signature.parameters.iter().enumerate() {
            let named = |(label, _): &&(Option<String>, Expr)| {
                label.is_some() && label.as_deref() == parameter.name
            };
            let unnamed = given.get(place).filter(|(label, _)| label.is_none());
            let value = match unnamed.or_else(|| given.iter().find(named)) {
                Some((_, expr)) => expr.clone(),
                None => crate::sql::parse::expression(parameter.default?).ok()?,
            };
            values.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(value)));
        }
        Some(values)
    });
    if let Some(values) = fitting {
        list.args = values;
    }
}

/// In `normalize(x, NFKC)` the form is a word of SQL (manual, 9.4), not a column.
fn normal_form(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(form))) = list.args.get_mut(1) else {
        return;
    };
    let Expr::Identifier(Ident { value, quote_style: None, .. }) = form else { return };
    let word = value.to_ascii_uppercase();
    if matches!(word.as_str(), "NFC" | "NFD" | "NFKC" | "NFKD") {
        *form = Expr::value(Value::SingleQuotedString(word));
    }
}

/// PostgreSQL finds distinct arguments by sorting them, and the aggregate sees that order.
fn sorted_distinct(function: &mut Function, name: &str) {
    let collects = matches!(name, "array_agg" | "string_agg" | "json_agg" | "jsonb_agg");
    let FunctionArguments::List(list) = &mut function.args else { return };
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    if !collects || !distinct || !list.clauses.is_empty() {
        return;
    }
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))) = list.args.first() {
        let options = OrderByOptions { asc: None, nulls_first: None };
        let order = OrderByExpr { expr: expr.clone(), options, with_fill: None };
        list.clauses.push(FunctionArgumentClause::OrderBy(vec![order]));
    }
}

/// `unnest` takes the elements of all dimensions.
fn flat(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    for argument in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument {
            *expr = own_call("flat", vec![expr.clone()]);
        }
    }
}

/// `ARRAY(SELECT x …)`: `(SELECT array_agg(x) …)`, which of no rows is empty.
pub(crate) fn array_of(query: &mut Query) -> Option<Expr> {
    rows_of(query).map(|rows| call(crate::functions::ARRAY_QUERY, vec![rows]))
}

fn rows_of(query: &mut Query) -> Option<Expr> {
    let order = query.order_by.take();
    let SetExpr::Select(select) = query.body.as_mut() else { return wrapped(query) };
    let single = matches!(
        select.projection.as_slice(),
        [SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }]
    );
    if !single
        || select.distinct.is_some()
        || select.having.is_some()
        || !matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty())
        || select.projection.iter().any(calls_aggregate)
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
        list.clauses.push(FunctionArgumentClause::OrderBy(exprs));
    }
    select.projection.push(SelectItem::UnnamedExpr(aggregate));
    Some(Expr::Subquery(Box::new(query.clone())))
}

fn calls_aggregate(item: &SelectItem) -> bool {
    struct Calls;
    impl Visitor for Calls {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
            let name = name_parts(&function.name).pop().unwrap_or_default();
            let own = clientele_udfs::functions::docs();
            let aggregate = own.iter().any(|doc| doc.kind == 'a' && doc.signature.name == name);
            let set = clientele_udfs::functions::set_returning().iter().any(|one| one.name == name);
            match aggregate || set || function.over.is_some() || name == "unnest" {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(item, &mut Calls).is_break()
}

/// The same around any other query.
fn wrapped(inner: &mut Query) -> Option<Expr> {
    let mut query =
        crate::sql::parse::query("SELECT array_agg(element) FROM (SELECT 1) AS elements (element)")
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
pub(super) fn keyword_function(ident: &Ident) -> Option<Expr> {
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
