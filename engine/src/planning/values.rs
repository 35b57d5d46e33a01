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

use clientele_udfs::input::{Context, nested_array};
use clientele_udfs::types::PgType;
use clientele_udfs::{cast, functions as kernels};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::functions::string;
use datafusion::functions::string::expr_fn::rtrim;
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
use super::{choice, common_type, numerics};
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
    done.map_data(|node| match node {
        // The schema of VALUES follows its expressions only when it is built anew.
        LogicalPlan::Values(values) => common_type::values(values.values),
        LogicalPlan::Union(union) => common_type::union(union),
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
    if name == "array_element" && is_vector(&function, schema)? {
        // The places of int2vector and oidvector are counted from 0.
        if let Some(place) = function.args.get_mut(1) {
            let one = Expr::Literal(ScalarValue::Int64(Some(1)), None);
            *place = std::mem::replace(place, one.clone()) + one;
        }
    } else if matches!(name, "length" | "char_length" | "character_length") {
        // The blanks that char(n) is filled with are not counted.
        for argument in &mut function.args {
            if functions::operand_type(argument, schema)?.oid == PgType::BPCHAR.oid {
                let value = std::mem::replace(argument, Expr::Literal(ScalarValue::Null, None));
                *argument = rtrim(vec![value]);
            }
        }
    } else if PRINTING.contains(&name) {
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
        return Ok(array_has(Expr::Placeholder(array.clone()), element));
    }
    let open = matches!(&element, Expr::Placeholder(one) if one.field.is_none());
    if open || element.get_type(schema)?.is_null() {
        return Ok(array_has(array, element));
    }
    let mut sides = numerics::findable(array, element, schema)?.into_iter();
    match (sides.next(), sides.next()) {
        (Some(array), Some(element)) => Ok(array_has(array, element)),
        _ => datafusion::common::internal_err!("an element and an array expected"),
    }
}

/// `substring(x FROM a FOR b)`: of bytes with bytes, of anything else with characters.
fn substring(arguments: Vec<Expr>, schema: &DFSchema) -> DataFusionResult<Expr> {
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
            left = shown(left, schema, context)?;
            right = shown(right, schema, context)?;
        }
        let types =
            (functions::operand_type(&left, schema)?, functions::operand_type(&right, schema)?);
        // Trailing blanks of char(n) mean nothing: they go when it becomes text.
        if op == Operator::StringConcat {
            let trimmed = |expr: Expr, pg_type: PgType| match pg_type.oid == PgType::BPCHAR.oid {
                true => rtrim(vec![expr]),
                false => expr,
            };
            (left, right) = (trimmed(left, types.0), trimmed(right, types.1));
        }
        if let Some(function) = functions::operator(op, types.0, types.1) {
            return Ok(call(function, vec![left, right]));
        }
        if is_comparison(op) {
            (left, right) = blanks(left, right, types);
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
        // An interval of a day is one of 24 hours.
        let of_time = |one: PgType| one.oid == PgType::INTERVAL.oid;
        if is_comparison(op) && (of_time(types.0) || of_time(types.1)) {
            left = call(kernels::datetime::span::length(), vec![left]);
            right = call(kernels::datetime::span::length(), vec![right]);
        }
    }
    Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
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

/// Trailing blanks of `char(n)` mean nothing where values are compared. A literal gets the blanks
/// that the column's values have, so that the column stays what files and keys are searched by.
fn blanks(left: Expr, right: Expr, types: (PgType, PgType)) -> (Expr, Expr) {
    let fixed = |one: PgType| one.oid == PgType::BPCHAR.oid;
    let trimmed = |expr: Expr| rtrim(vec![expr]);
    let padded = |literal: Expr, width: i32| match &literal {
        Expr::Literal(ScalarValue::Utf8(Some(text)), None) => {
            let text = text.trim_end_matches(' ');
            let width = usize::try_from(width - 4).unwrap_or_default();
            Expr::Literal(ScalarValue::Utf8(Some(format!("{text:<width$}"))), None)
        }
        _ => literal,
    };
    match (fixed(types.0), fixed(types.1)) {
        (false, false) => (left, right),
        (true, true) if types.0.modifier == types.1.modifier => (left, right),
        (true, false) if types.1 == PgType::UNKNOWN => (left, padded(right, types.0.modifier)),
        (false, true) if types.0 == PgType::UNKNOWN => (padded(left, types.1.modifier), right),
        (true, true) => (trimmed(left), trimmed(right)),
        (true, false) => (trimmed(left), right),
        (false, true) => (left, trimmed(right)),
    }
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
    Ok(Expr::Between(Between {
        low: Box::new(adopt(*between.low, &field)),
        high: Box::new(adopt(*between.high, &field)),
        ..between
    }))
}

fn is_vector(access: &ScalarFunction, schema: &DFSchema) -> DataFusionResult<bool> {
    let Some(array) = access.args.first() else { return Ok(false) };
    let oid = PgType::from_field(field_of(array, schema)?.as_ref()).oid;
    Ok(oid == PgType::INT2VECTOR.oid || oid == PgType::OIDVECTOR.oid)
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
    if matches!(name.as_str(), "sum" | "avg") {
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
