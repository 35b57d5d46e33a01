//! PostgreSQL's rules for values, put into a plan right after DataFusion's SQL planner.
//!
//! | before | after |
//! |---|---|
//! | `CAST('42' AS int)` (Arrow's parser) | `int4('42')`: PostgreSQL's input function |
//! | `a + b` on integers (wraps) | `int4pl(a, b)`: 22003 on overflow |
//! | `date_column = '2024-01-01'` | the unknown literal takes the other side's type |
//! | `1` is `bigint` | `1` is `integer` where it fits |
//! | `sum(bigint)` wraps | `sum(numeric)` |

use std::sync::Arc;

use clientele_udfs::functions::misc::inet::INET_ORDER;
use clientele_udfs::input::{Context, nested_array};
use clientele_udfs::types::PgType;
use clientele_udfs::{cast, functions as kernels};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::functions::string;
use datafusion::functions_nested::expr_fn::array_has;
use datafusion::logical_expr::expr::{
    AggregateFunction, Cast, InList, Placeholder, ScalarFunction, WindowFunction,
};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Between, BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF,
    WindowFunctionDefinition,
};

use super::context::QueryContext;
use super::types::DOMAIN_KEY;
use super::{blanks, choice, common_type, elements, numerics};
use crate::functions::{self, values_cell};

/// Rewrites every expression of a plan, subqueries included.
///
/// # Errors
/// What the planner or a constant value refuses.
pub fn rewrite_plan(
    plan: LogicalPlan,
    context: &Arc<QueryContext>,
) -> DataFusionResult<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| rewrite_node(node, context)).map(|done| done.data)
}

fn rewrite_node(
    node: LogicalPlan,
    context: &Arc<QueryContext>,
) -> DataFusionResult<Transformed<LogicalPlan>> {
    if matches!(node, LogicalPlan::Limit(_)) {
        return Ok(Transformed::no(node));
    }
    let node = values_cell::opened(node)?;
    let mut schema = match node.inputs().as_slice() {
        [] => node.schema().as_ref().clone(),
        [first, rest @ ..] => {
            let mut schema = first.schema().as_ref().clone();
            rest.iter().for_each(|input| schema.merge(input.schema()));
            schema
        }
    };
    if let LogicalPlan::TableScan(scan) = &node {
        schema =
            DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
    }
    let names = NamePreserver::new(&node);
    let done = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let rewritten = rewrite(expr, &schema, context)?;
        Ok(rewritten.update_data(|expr| name.restore(expr)))
    })?;
    let done = done.update_data(super::one_of::conditions);
    done.map_data(|node| match node {
        // The schema of VALUES follows its expressions only when it is built anew.
        LogicalPlan::Values(values) => common_type::values(values.values),
        LogicalPlan::Union(union) => common_type::union(union),
        LogicalPlan::RecursiveQuery(query) => common_type::recursion(query),
        other => other.recompute_schema(),
    })
}

/// Rewrites one expression over a schema.
///
/// # Errors
/// As [`rewrite_plan`].
pub fn rewrite_expression(
    expr: Expr,
    schema: &DFSchema,
    context: &Arc<QueryContext>,
) -> DataFusionResult<Expr> {
    let rewritten = rewrite(expr, schema, context)?.data;
    numerics::expression_by_value(rewritten, schema)
}

fn rewrite(
    expr: Expr,
    schema: &DFSchema,
    context: &Arc<QueryContext>,
) -> DataFusionResult<Transformed<Expr>> {
    expr.transform_down_up(
        |expr| match expr {
            // A cast says what its literal is: it must see the text or number as written.
            Expr::Cast(Cast { expr, field }) if matches!(*expr, Expr::Literal(..)) => {
                let cast = convert_cast(*expr, field, schema, context)?;
                Ok(Transformed::new(cast, true, TreeNodeRecursion::Jump))
            }
            other => Ok(Transformed::no(other)),
        },
        |expr| rewrite_inside_out(expr, schema, context),
    )
}

fn rewrite_inside_out(
    expr: Expr,
    schema: &DFSchema,
    context: &Arc<QueryContext>,
) -> DataFusionResult<Transformed<Expr>> {
    Ok(Transformed::yes(match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), None) => match i32::try_from(value) {
            Ok(small) => Expr::Literal(ScalarValue::Int32(Some(small)), None),
            Err(_) => {
                let wide = Expr::Literal(ScalarValue::Int64(Some(value)), None);
                return Ok(Transformed::no(wide));
            }
        },
        Expr::Cast(Cast { expr, field }) => convert_cast(*expr, field, schema, context)?,
        Expr::BinaryExpr(binary) => convert_binary(binary, schema, context)?,
        Expr::ScalarSubquery(_) => {
            let field = field_of(&expr, schema)?;
            match field.data_type() {
                // Its value comes without what the metadata of the items say.
                DataType::List(item)
                    if !item.metadata().is_empty() && !item.data_type().is_nested() =>
                {
                    call(kernels::arrays::flat::flat(), vec![expr])
                }
                _ => return Ok(Transformed::no(expr)),
            }
        }
        Expr::Negative(inner) => negate(*inner, schema)?,
        Expr::InList(list) => convert_list(list, schema)?,
        Expr::Between(between) => convert_between(between, schema)?,
        Expr::Case(case) => choice::case(case, schema)?,
        Expr::ScalarFunction(one) => return convert_function(one, schema, context),
        Expr::WindowFunction(window) => convert_window(*window, schema)?,
        Expr::AggregateFunction(call) => convert_aggregate(call, schema)?,
        other => return Ok(Transformed::no(other)),
    }))
}

fn convert_function(
    mut function: ScalarFunction,
    schema: &DFSchema,
    context: &Arc<QueryContext>,
) -> DataFusionResult<Transformed<Expr>> {
    for argument in &mut function.args {
        if matches!(argument, Expr::ScalarSubquery(_)) {
            let field = field_of(argument, schema)?;
            *argument = functions::retyped(argument.clone(), &field);
        }
    }
    let name = function.func.name();
    if name == "array_element" && elements::is_vector(&function, schema)? {
        // The places of int2vector and oidvector are counted from 0.
        if let Some(place) = function.args.get_mut(1) {
            let one = Expr::Literal(ScalarValue::Int64(Some(1)), None);
            *place = std::mem::replace(place, one.clone()) + one;
        }
    } else if blanks::OF_TEXT.contains(&name) {
        blanks::unpad(&mut function.args, schema)?;
    } else if PRINTING.contains(&name) {
        if name.starts_with("quote_") {
            blanks::unpad(&mut function.args, schema)?;
        }
        let arguments = std::mem::take(&mut function.args).into_iter();
        let shown = arguments.map(|argument| shown(argument, schema, context));
        function.args = shown.collect::<DataFusionResult<_>>()?;
    } else if name == functions::NEGATED {
        let operand = function.args.pop().unwrap_or(Expr::Literal(ScalarValue::Null, None));
        return Ok(Transformed::yes(negate(operand, schema)?));
    } else if choice::is_choice(&function) {
        return Ok(Transformed::yes(choice::function(function, schema)?));
    } else if matches!(name, functions::LOWER | functions::UPPER) {
        return Ok(Transformed::yes(lower_or_upper(function, schema)?));
    } else if name == "make_array" {
        return Ok(Transformed::yes(elements::array_of(function, schema)?));
    } else if name == functions::EQUALS_ANY {
        return Ok(Transformed::yes(equals_any(function, schema)?));
    } else if name == functions::SUBSTRING {
        return Ok(Transformed::yes(substring(function.args, schema)?));
    } else {
        return Ok(Transformed::no(Expr::ScalarFunction(function)));
    }
    Ok(Transformed::yes(Expr::ScalarFunction(function)))
}

fn call(function: Arc<ScalarUDF>, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
}

/// `lower(x)`, `upper(x)`: of a range its bound, of anything else the text in such letters.
fn lower_or_upper(mut function: ScalarFunction, schema: &DFSchema) -> DataFusionResult<Expr> {
    blanks::unpad(&mut function.args, schema)?;
    let lower = function.func.name() == functions::LOWER;
    let pg_type = match function.args.first() {
        Some(value) => functions::operand_type(value, schema)?,
        None => PgType::UNKNOWN,
    };
    let of_range = kernels::by_name(if lower { "range lower" } else { "range upper" });
    let of_text = if lower { string::lower() } else { string::upper() };
    let is_range = pg_type.facts().category == 'R' && pg_type.element().is_none();
    function.func = of_range.filter(|_| is_range).unwrap_or(of_text);
    Ok(Expr::ScalarFunction(function))
}

/// `x = ANY (array)`; a parameter there is an array of x's type, numbers are found by value.
fn equals_any(mut call: ScalarFunction, schema: &DFSchema) -> DataFusionResult<Expr> {
    let (Some(mut array), Some(element)) = (call.args.pop(), call.args.pop()) else {
        return datafusion::common::internal_err!("an element and an array expected");
    };
    if let Expr::Placeholder(array) = &mut array
        && array.field.is_none()
    {
        let pg_type = PgType::from_field(field_of(&element, schema)?.as_ref());
        array.field = Some(PgType { modifier: -1, ..pg_type }.array().field("", true));
        return Ok(found(Expr::Placeholder(array.clone()), element));
    }
    let open = matches!(&element, Expr::Placeholder(one) if one.field.is_none());
    if open || element.get_type(schema)?.is_null() {
        return Ok(found(array, element));
    }
    let mut sides = numerics::findable(array, element, schema)?.into_iter();
    match (sides.next(), sides.next()) {
        (Some(array), Some(element)) => Ok(found(array, element)),
        _ => datafusion::common::internal_err!("an element and an array expected"),
    }
}

fn found(array: Expr, element: Expr) -> Expr {
    super::one_of::or_unknown(array_has(array.clone(), element), array)
}

/// `substring(x FROM a FOR b)`: of bytes with bytes, of anything else with characters.
fn substring(mut arguments: Vec<Expr>, schema: &DFSchema) -> DataFusionResult<Expr> {
    blanks::unpad(&mut arguments, schema)?;
    let of_bytes = arguments.first().is_some_and(|value| {
        functions::operand_type(value, schema).is_ok_and(|one| one == PgType::BYTEA)
    });
    let own = kernels::by_name("substring").filter(|_| of_bytes);
    Ok(call(own.unwrap_or_else(datafusion::functions::unicode::substr), arguments))
}

pub(super) fn field_of(expr: &Expr, schema: &DFSchema) -> DataFusionResult<FieldRef> {
    functions::expression_field(expr, schema)
}

fn convert_cast(
    expr: Expr,
    field: FieldRef,
    schema: &DFSchema,
    context: &Arc<QueryContext>,
) -> DataFusionResult<Expr> {
    let domain = field.metadata().get(DOMAIN_KEY).and_then(|oid| oid.parse().ok());
    let domain = domain.and_then(|oid| context.catalog().domain_by_oid(oid));
    let value = convert_to_base(expr, field, schema, context)?;
    Ok(match domain {
        Some(domain) => functions::of_domain(value, domain, context),
        None => value,
    })
}

fn convert_to_base(
    expr: Expr,
    field: FieldRef,
    schema: &DFSchema,
    context: &Arc<QueryContext>,
) -> DataFusionResult<Expr> {
    let expr = match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), None) if i32::try_from(value).is_ok() => {
            Expr::Literal(ScalarValue::Int32(Some(value as i32)), None)
        }
        other => other,
    };
    let expr = match expr {
        Expr::Placeholder(placeholder) if placeholder.field.is_none() => {
            return Ok(Expr::Placeholder(Placeholder { field: Some(field), ..placeholder }));
        }
        other => other,
    };
    let from = field_of(&expr, schema)?;
    let target = PgType::from_field(&field);
    if target == PgType::NUMERIC {
        // An unconstrained numeric keeps the scale that its value came with.
        if matches!(from.data_type(), DataType::Decimal128(..)) {
            return Ok(expr);
        }
        if let Some(literal) = exact_numeric(&expr) {
            return Ok(literal);
        }
    }
    if let (Expr::Literal(ScalarValue::Utf8(Some(text)), None), Some(_)) = (&expr, target.element())
        && let Some(array) = nested_array(text, target, &Context::default())?
    {
        return Ok(Expr::Literal(array, None));
    }
    if let Some(function) = functions::register_cast(&from, target, context) {
        return Ok(call(function, vec![expr]));
    }
    let expr = match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), metadata) => {
            let numbers = functions::numbered_array(context, target, &text).map_err(external)?;
            Expr::Literal(ScalarValue::Utf8(Some(numbers.unwrap_or(text))), metadata)
        }
        other => other,
    };
    match cast::cast(&from, target, true) {
        Some(function) => Ok(call(function, vec![expr])),
        None => Ok(Expr::Cast(Cast { expr: Box::new(expr), field })),
    }
}

/// `'12.50'::numeric` as a decimal of scale 2; `None` for what is not a plain number, or one so
/// long that arithmetic on it would overflow.
fn exact_numeric(expr: &Expr) -> Option<Expr> {
    let Expr::Literal(ScalarValue::Utf8(Some(text)), None) = expr else { return None };
    let value = clientele_udfs::input::exact_numeric(text, 28)?;
    Some(Expr::Literal(value, None))
}

/// Whether this is a quoted literal whose type the context decides (manual: typeconv).
fn unknown_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(ScalarValue::Utf8(_) | ScalarValue::Null, None))
}

pub(super) fn adopt(literal: Expr, field: &FieldRef) -> Expr {
    let target = PgType { modifier: -1, ..PgType::from_field(field) };
    let textual =
        matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8);
    if !unknown_literal(&literal)
        || textual && target.facts().category == 'S'
        || field.data_type().is_null()
    {
        return literal;
    }
    if target == PgType::NUMERIC
        && let Some(exact) = exact_numeric(&literal)
    {
        return exact;
    }
    match literal {
        Expr::Literal(ScalarValue::Null, _) => literal,
        literal => call(cast::text_to(target, false), vec![literal]),
    }
}

fn convert_binary(
    binary: BinaryExpr,
    schema: &DFSchema,
    context: &Arc<QueryContext>,
) -> DataFusionResult<Expr> {
    let BinaryExpr { left, op, right } = binary;
    let (mut left, mut right) = (*left, *right);
    if matches!(op, Operator::And | Operator::Or) {
        return Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))));
    }
    let open = |expr: &Expr| matches!(expr, Expr::Placeholder(one) if one.field.is_none());
    if !open(&left) && !open(&right) {
        if op == Operator::StringConcat {
            left = with_netmask(shown(left, schema, context)?, schema)?;
            right = with_netmask(shown(right, schema, context)?, schema)?;
        }
        let types =
            (functions::operand_type(&left, schema)?, functions::operand_type(&right, schema)?);
        // Trailing blanks of char(n) mean nothing: they go when it becomes text.
        if op == Operator::StringConcat {
            let mut sides = [left, right];
            blanks::unpad(&mut sides, schema)?;
            [left, right] = sides;
        }
        if let Some(function) = functions::operator(op, types.0, types.1) {
            return Ok(call(function, vec![left, right]));
        }
        if is_comparison(op) {
            (left, right) = blanks::alike(left, right, types);
        }
        match types {
            (PgType::UNKNOWN, PgType::UNKNOWN) => {}
            (_, PgType::UNKNOWN) => right = adopt(right, &field_of(&left, schema)?),
            (PgType::UNKNOWN, _) => left = adopt(left, &field_of(&right, schema)?),
            _ => {}
        }
        // Ranges compare by where they begin, then by where they end.
        let of_range = |one: PgType| one.facts().category == 'R' && one.element().is_none();
        if is_comparison(op)
            && (of_range(types.0) || of_range(types.1))
            && let Some(order) = kernels::by_name(functions::RANGE_ORDER)
        {
            left = call(Arc::clone(&order), vec![left]);
            right = call(order, vec![right]);
        }
        let of_network = |one: PgType| one.oid == PgType::INET.oid;
        if is_order(op)
            && of_network(types.0)
            && let Some(order) = kernels::by_name(INET_ORDER)
        {
            left = call(Arc::clone(&order), vec![left]);
            right = call(order, vec![right]);
        }
        if is_comparison(op) && is_real_beside_number(types) {
            (left, right) = (as_double(left, schema)?, as_double(right, schema)?);
        }
        // An interval of a day is one of 24 hours.
        let of_time = |one: PgType| one.oid == PgType::INTERVAL.oid;
        if is_comparison(op) && (of_time(types.0) || of_time(types.1)) {
            left = call(kernels::datetime::span::length(), vec![left]);
            right = call(kernels::datetime::span::length(), vec![right]);
        }
    }
    Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
}

/// A `real` is compared with other numbers as `double precision` (manual: typeconv-oper).
fn is_real_beside_number(types: (PgType, PgType)) -> bool {
    let number = |one: PgType| one.facts().category == 'N' && one.element().is_none();
    let (left, right) = (types.0 == PgType::FLOAT4, types.1 == PgType::FLOAT4);
    left != right && number(types.0) && number(types.1)
}

fn as_double(expr: Expr, schema: &DFSchema) -> DataFusionResult<Expr> {
    let function = cast::cast(field_of(&expr, schema)?.as_ref(), PgType::FLOAT8, false);
    Ok(match function {
        Some(function) => call(function, vec![expr]),
        None => Expr::Cast(Cast::new(Box::new(expr), DataType::Float64)),
    })
}

pub(super) fn is_order(op: Operator) -> bool {
    matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

pub(super) fn is_comparison(op: Operator) -> bool {
    use Operator as O;
    matches!(
        op,
        O::Eq
            | O::NotEq
            | O::Lt
            | O::LtEq
            | O::Gt
            | O::GtEq
            | O::IsDistinctFrom
            | O::IsNotDistinctFrom
    )
}

/// A value of `regclass` and its kin as its name, which text is made of; others as they are.
fn shown(expr: Expr, schema: &DFSchema, context: &Arc<QueryContext>) -> DataFusionResult<Expr> {
    let field = field_of(&expr, schema)?;
    if !functions::is_registered(PgType::from_field(&field)) {
        return Ok(expr);
    }
    Ok(match functions::register_cast(&field, PgType::TEXT, context) {
        Some(function) => call(function, vec![expr]),
        None => expr,
    })
}

/// An address as text is one with its netmask.
fn with_netmask(expr: Expr, schema: &DFSchema) -> DataFusionResult<Expr> {
    let of_network = functions::operand_type(&expr, schema)?.oid == PgType::INET.oid;
    Ok(match kernels::by_name("text").filter(|_| of_network) {
        Some(text) => call(text, vec![expr]),
        None => expr,
    })
}

/// Functions that print arguments of any type.
const PRINTING: [&str; 11] = [
    "concat",
    "concat_ws",
    "format",
    "quote_literal",
    "quote_nullable",
    "to_json",
    "to_jsonb",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
];

fn negate(inner: Expr, schema: &DFSchema) -> DataFusionResult<Expr> {
    if let Expr::Literal(value, None) = &inner
        && let Ok(negative) = value.arithmetic_negate()
    {
        return Ok(Expr::Literal(negative, None));
    }
    let operand = functions::operand_type(&inner, schema)?;
    Ok(match kernels::operator("-", &[operand]) {
        Some(function) => call(function, vec![inner]),
        None => Expr::Negative(Box::new(inner)),
    })
}

fn convert_list(list: InList, schema: &DFSchema) -> DataFusionResult<Expr> {
    let field = field_of(&list.expr, schema)?;
    let items = list.list.into_iter().map(|item| adopt(item, &field)).collect();
    Ok(Expr::InList(InList { expr: list.expr, list: items, negated: list.negated }))
}

fn convert_between(between: Between, schema: &DFSchema) -> DataFusionResult<Expr> {
    let field = field_of(&between.expr, schema)?;
    let order = kernels::by_name(INET_ORDER).filter(|_| PgType::from_field(&field) == PgType::INET);
    let ordered = |expr: Expr| match &order {
        Some(order) => Box::new(call(Arc::clone(order), vec![expr])),
        None => Box::new(expr),
    };
    Ok(Expr::Between(Between {
        low: ordered(adopt(*between.low, &field)),
        high: ordered(adopt(*between.high, &field)),
        expr: ordered(*between.expr),
        negated: between.negated,
    }))
}

/// Aggregates over windows have the types of aggregates.
fn convert_window(mut window: WindowFunction, schema: &DFSchema) -> DataFusionResult<Expr> {
    if let WindowFunctionDefinition::AggregateUDF(function) = &window.fun {
        let args = std::mem::take(&mut window.params.args);
        let aggregate =
            AggregateFunction::new_udf(Arc::clone(function), args, false, None, vec![], None);
        if let Expr::AggregateFunction(done) = convert_aggregate(aggregate, schema)? {
            window.fun = WindowFunctionDefinition::AggregateUDF(done.func);
            window.params.args = done.params.args;
        }
    }
    Ok(Expr::WindowFunction(Box::new(window)))
}

/// `sum(bigint)` is numeric in PostgreSQL, sums of floats are of doubles (manual: functions-aggregate).
fn convert_aggregate(
    mut aggregate: AggregateFunction,
    schema: &DFSchema,
) -> DataFusionResult<Expr> {
    let name = aggregate.func.name().to_owned();
    if name == "string_agg" {
        let first = aggregate.params.args.first();
        let of_bytes = first.is_some_and(|value| {
            functions::operand_type(value, schema).is_ok_and(|one| one == PgType::BYTEA)
        });
        if of_bytes {
            aggregate.func = kernels::aggregates::bytes::string_agg();
            return Ok(Expr::AggregateFunction(aggregate));
        }
        blanks::unpad(&mut aggregate.params.args, schema)?;
    } else if matches!(name.as_str(), "sum" | "avg") {
        let arguments = std::mem::take(&mut aggregate.params.args).into_iter();
        let summed = arguments.map(|argument| numerics::summed(argument, schema));
        aggregate.params.args = summed.collect::<DataFusionResult<_>>()?;
    }
    let Some(argument) = aggregate.params.args.first() else {
        return Ok(Expr::AggregateFunction(aggregate));
    };
    let data_type = argument.get_type(schema)?;
    if matches!(data_type, DataType::Interval(_)) && matches!(name.as_str(), "sum" | "avg") {
        let (sum, avg) = (kernels::aggregates::intervals::sum, kernels::aggregates::intervals::avg);
        aggregate.func = if name == "sum" { sum() } else { avg() };
        return Ok(Expr::AggregateFunction(aggregate));
    }
    if name == "sum" && matches!(data_type, DataType::Int16 | DataType::Int32) {
        aggregate.func = datafusion::functions_aggregate::sum::sum_udaf();
    }
    let wide = match (name.as_str(), &data_type) {
        ("sum", DataType::Int64) => Some(DataType::Decimal128(38, 0)),
        ("sum", DataType::Float32) | ("avg", DataType::Float32) => Some(DataType::Float64),
        _ => None,
    };
    if let (Some(wide), Some(argument)) = (wide, aggregate.params.args.first_mut()) {
        let inner = std::mem::replace(argument, Expr::Literal(ScalarValue::Null, None));
        *argument = Expr::Cast(Cast::new(Box::new(inner), wide));
    }
    Ok(Expr::AggregateFunction(aggregate))
}

/// A DataFusion error around one of ours.
pub fn external(error: crate::error::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
