//! `numeric` without precision is compared and grouped by value: `1.10` and `1.1` are kept with
//! different bytes, and are one number.
//!
//! | written | planned |
//! |---|---|
//! | `a = b`, `IN`, `BETWEEN`, `CASE a WHEN b`, `ANY` | the same over the keys of both |
//! | a join `USING (a)` | joined by the keys |
//! | `GROUP BY a`, `DISTINCT` | grouped by the key; the first `a` of each group is shown |
//! | `ORDER BY a, b`, `PARTITION BY a` | ordered by the key |

use std::sync::{Arc, LazyLock};

use clientele_udfs::cast;
use clientele_udfs::functions::arithmetic::number_key;
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::{
    AggregateFunction, Case, InList, InSubquery, ScalarFunction, Sort, WindowFunction,
};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{
    Aggregate, Between, BinaryExpr, Distinct, Expr, ExprSchemable, GroupingSet, LogicalPlan,
    LogicalPlanBuilder, Subquery, when,
};

use super::values::is_comparison;

/// Compares, groups and orders by value wherever a plan does so by bytes.
///
/// # Errors
/// What building the plan anew refuses.
pub(super) fn by_value(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(node_by_value).map(|done| done.data)
}

fn node_by_value(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if matches!(node, LogicalPlan::TableScan(_) | LogicalPlan::EmptyRelation(_)) {
        return Ok(Transformed::no(node));
    }
    let mut schema = DFSchema::empty();
    node.inputs().iter().for_each(|input| schema.merge(input.schema()));
    let names = NamePreserver::new(&node);
    let done = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let done = expr.transform_up(|expr| expression(expr, &schema))?;
        Ok(done.update_data(|expr| name.restore(expr)))
    })?;
    let changed = done.transformed;
    let node = if changed { done.data.recompute_schema()? } else { done.data };
    let wide =
        |plan: &LogicalPlan| plan.schema().fields().iter().any(|one| is_free(one.data_type()));
    Ok(match node {
        LogicalPlan::Aggregate(aggregate) => {
            let done = grouped(aggregate)?;
            Transformed::new_transformed(done.data, changed || done.transformed)
        }
        LogicalPlan::Distinct(Distinct::All(input)) if wide(&input) => {
            let columns = input.schema().iter().map(|field| Expr::Column(Column::from(field)));
            let aggregate = Aggregate::try_new(Arc::clone(&input), columns.collect(), vec![])?;
            Transformed::yes(grouped(aggregate)?.data)
        }
        LogicalPlan::Distinct(Distinct::On(mut on)) if wide(&on.input) => {
            let schema = Arc::clone(on.input.schema());
            on.on_expr = keyed_all(on.on_expr, &schema)?;
            on.sort_expr = on.sort_expr.map(|sort| sorted(sort, &schema)).transpose()?;
            Transformed::yes(LogicalPlan::Distinct(Distinct::On(on)))
        }
        LogicalPlan::Sort(mut sort) if wide(&sort.input) => {
            let schema = Arc::clone(sort.input.schema());
            sort.expr = sorted(sort.expr, &schema)?;
            Transformed::yes(LogicalPlan::Sort(sort))
        }
        LogicalPlan::Join(mut join) if wide(&join.left) || wide(&join.right) => {
            for (left, right) in &mut join.on {
                let free = is_free_expr(left, join.left.schema())
                    || is_free_expr(right, join.right.schema());
                if free {
                    *left = key(left.clone());
                    *right = key(right.clone());
                }
            }
            Transformed::yes(LogicalPlan::Join(join))
        }
        other => Transformed::new_transformed(other, changed),
    })
}

/// The same for an expression that stands alone.
///
/// # Errors
/// As [`by_value`].
pub(super) fn expression_by_value(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    expr.transform_up(|expr| expression(expr, schema)).map(|done| done.data)
}

/// Whether values of a type have scales of their own, in arrays too.
fn is_free(data_type: &DataType) -> bool {
    match data_type {
        DataType::LargeBinary => true,
        DataType::List(item) => is_free(item.data_type()),
        _ => false,
    }
}

fn is_free_expr(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| is_free(&data_type))
}

/// Whether any value is kept with a scale of its own.
fn any_free<'a>(values: impl IntoIterator<Item = &'a Expr>, schema: &DFSchema) -> bool {
    values.into_iter().any(|one| is_free_expr(one, schema))
}

/// What a number is compared by.
fn key(expr: Expr) -> Expr {
    match &expr {
        Expr::ScalarFunction(one) if number_key::is_key(&one.func) => expr,
        _ => number_key::key().call(vec![expr]),
    }
}

fn keyed(expr: Expr, schema: &DFSchema) -> Expr {
    if is_free_expr(&expr, schema) { key(expr) } else { expr }
}

fn keyed_all(exprs: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    Ok(exprs.into_iter().map(|expr| keyed(expr, schema)).collect())
}

/// The last key needs none: equal numbers stand side by side.
fn sorted(sort: Vec<Sort>, schema: &DFSchema) -> Result<Vec<Sort>> {
    let last = sort.len().saturating_sub(1);
    let sort = sort.into_iter().enumerate().map(|(index, one)| match index == last {
        true => one,
        false => Sort { expr: keyed(one.expr, schema), ..one },
    });
    Ok(sort.collect())
}

/// Numbers that are compared with one another: with a float as floats, else by their keys.
pub(crate) fn comparable(values: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let types = values.iter().map(|one| one.get_type(schema)).collect::<Result<Vec<_>>>()?;
    if !types.iter().any(is_free) {
        return Ok(values);
    }
    let floating = types.iter().any(DataType::is_floating);
    let pairs = values.into_iter().zip(types);
    pairs
        .map(|(value, data_type)| match data_type {
            DataType::LargeBinary if floating => as_float(value, schema),
            DataType::LargeBinary | DataType::Decimal128(..) | DataType::List(_) if !floating => {
                Ok(key(value))
            }
            data_type if data_type.is_integer() && !floating => Ok(key(value)),
            _ => Ok(value),
        })
        .collect()
}

/// An array and what is looked for in it: by keys also where both have one scale, but not the same.
pub(super) fn findable(array: Expr, element: Expr, schema: &DFSchema) -> Result<Vec<Expr>> {
    let one = element.get_type(schema)?;
    let alike = match array.get_type(schema)? {
        DataType::List(item) => *item.data_type() == one || !item.data_type().is_decimal(),
        _ => true,
    };
    match alike || one.is_floating() {
        true => comparable(vec![array, element], schema),
        false => Ok(vec![key(array), key(element)]),
    }
}

/// Numbers one of which is taken: each keeps its own scale where they differ; with a float as floats.
pub(super) fn alike(values: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let types = values.iter().map(|one| one.get_type(schema)).collect::<Result<Vec<_>>>()?;
    let scales: Vec<Option<i8>> = types.iter().filter_map(scale).collect();
    if scales.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(values);
    }
    let floating = types.iter().any(DataType::is_floating);
    let pairs = values.into_iter().zip(types);
    pairs
        .map(|(value, data_type)| match data_type {
            DataType::LargeBinary if floating => as_float(value, schema),
            data_type if !floating && matches!(scale(&data_type), Some(Some(_))) => {
                as_free(value, schema)
            }
            _ => Ok(value),
        })
        .collect()
}

/// Fractional digits of numbers; `Some(None)`: each has its own.
fn scale(data_type: &DataType) -> Option<Option<i8>> {
    match data_type {
        DataType::LargeBinary => Some(None),
        DataType::Decimal128(_, scale) => Some(Some(*scale)),
        data_type if data_type.is_integer() => Some(Some(0)),
        _ => None,
    }
}

/// The argument of an aggregate, whose result has the largest scale anyway: choices among numbers
/// with one scale each stay such numbers, which are summed fast.
pub(super) fn summed(argument: Expr, schema: &DFSchema) -> Result<Expr> {
    let of_choice = |expr: Expr| match expr {
        Expr::Case(mut case) => {
            let branches = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
            if !branches.map(|one| uncast(one)).all(|one| !is_free_expr(one, schema)) {
                return Ok(Transformed::no(Expr::Case(case)));
            }
            for (_, then) in &mut case.when_then_expr {
                **then = uncast(then).clone();
            }
            case.else_expr = case.else_expr.map(|one| Box::new(uncast(&one).clone()));
            Ok(Transformed::yes(Expr::Case(case)))
        }
        Expr::ScalarFunction(mut choice) if super::choice::is_choice(&choice) => {
            if choice.args.iter().any(|one| is_free_expr(uncast(one), schema)) {
                return Ok(Transformed::no(Expr::ScalarFunction(choice)));
            }
            choice.args = choice.args.iter().map(|one| uncast(one).clone()).collect();
            Ok(Transformed::yes(Expr::ScalarFunction(choice)))
        }
        other => Ok(Transformed::no(other)),
    };
    argument.transform_up(of_choice).map(|done| done.data)
}

/// What a cast to `numeric` is of.
fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::ScalarFunction(one) if cast::is_cast(&one.func) => match one.args.as_slice() {
            [inner] if one.func.name() == NUMERIC_CAST.as_str() => inner,
            _ => expr,
        },
        _ => expr,
    }
}

/// The name of [`as_free`]'s cast.
static NUMERIC_CAST: LazyLock<String> =
    LazyLock::new(|| cast::to_numeric(PgType::NUMERIC).name().to_owned());

fn as_free(value: Expr, schema: &DFSchema) -> Result<Expr> {
    match value.get_type(schema)? {
        DataType::LargeBinary => Ok(value),
        _ => Ok(cast::to_numeric(PgType::NUMERIC).call(vec![value])),
    }
}

pub(super) fn as_float(value: Expr, schema: &DFSchema) -> Result<Expr> {
    let field = value.to_field(schema)?.1;
    if *field.data_type() != DataType::LargeBinary {
        return Ok(value);
    }
    let function = cast::cast(&field, PgType::FLOAT8, false);
    Ok(function.map_or_else(|| value.clone(), |function| function.call(vec![value.clone()])))
}

/// Array functions that look for elements by their bytes.
const FINDING: [&str; 8] = [
    "array_has",
    "array_has_any",
    "array_has_all",
    "array_position",
    "array_positions",
    "array_remove",
    "array_except",
    "array_intersect",
];

/// Functions of DataFusion's that know floats only.
const FLOATING: [&str; 18] = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "cot", "degrees",
    "isnan", "radians", "sin", "sinh", "tan", "tanh", "signum",
];

/// The same of aggregates.
const FLOATING_AGGREGATES: [&str; 8] = [
    "corr",
    "covar_pop",
    "covar_samp",
    "median",
    "percentile_cont",
    "approx_percentile_cont",
    "approx_median",
    "regr_",
];

fn expression(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(one) if is_comparison(one.op) => binary(one, schema),
        Expr::InList(list) if any_free(list.list.iter().chain([list.expr.as_ref()]), schema) => {
            in_list(list, schema)
        }
        Expr::Between(one) if any_free([one.expr.as_ref(), &one.low, &one.high], schema) => {
            between(one, schema)
        }
        Expr::Case(case) if case.expr.as_ref().is_some_and(|one| is_free_expr(one, schema)) => {
            Ok(Transformed::yes(operand(case, schema)?))
        }
        Expr::ScalarFunction(one) => function(one, schema),
        Expr::InSubquery(one) => in_subquery(one, schema),
        Expr::WindowFunction(window) => windowed(*window, schema),
        Expr::AggregateFunction(aggregate) => aggregated(aggregate, schema),
        other => Ok(Transformed::no(other)),
    }
}

fn binary(one: BinaryExpr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !any_free([one.left.as_ref(), one.right.as_ref()], schema) {
        return Ok(Transformed::no(Expr::BinaryExpr(one)));
    }
    let mut sides = comparable(vec![*one.left, *one.right], schema)?.into_iter();
    let (Some(left), Some(right)) = (sides.next(), sides.next()) else {
        return datafusion::common::internal_err!("a comparison of two values expected");
    };
    let compared = BinaryExpr::new(Box::new(left), one.op, Box::new(right));
    Ok(Transformed::yes(Expr::BinaryExpr(compared)))
}

fn in_list(list: InList, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let mut values = list.list;
    values.push(*list.expr);
    let mut values = comparable(values, schema)?;
    let expr = Box::new(values.pop().unwrap_or(Expr::Literal(ScalarValue::Null, None)));
    Ok(Transformed::yes(Expr::InList(InList { expr, list: values, negated: list.negated })))
}

fn between(one: Between, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let values = comparable(vec![*one.expr, *one.low, *one.high], schema)?;
    let [expr, low, high] = values
        .try_into()
        .unwrap_or_else(|_| [0, 0, 0].map(|_| Expr::Literal(ScalarValue::Null, None)));
    Ok(Transformed::yes(Expr::Between(Between {
        expr: Box::new(expr),
        negated: one.negated,
        low: Box::new(low),
        high: Box::new(high),
    })))
}

/// `CASE a WHEN b`.
fn operand(case: Case, schema: &DFSchema) -> Result<Expr> {
    let Some(operand) = case.expr else { return Ok(Expr::Case(case)) };
    let (whens, thens): (Vec<_>, Vec<_>) = case.when_then_expr.into_iter().unzip();
    let values = whens.into_iter().map(|one| *one).chain([*operand]).collect();
    let mut values = comparable(values, schema)?;
    let operand = values.pop().map(Box::new);
    let when_then_expr = values.into_iter().map(Box::new).zip(thens).collect();
    Ok(Expr::Case(Case { expr: operand, when_then_expr, else_expr: case.else_expr }))
}

fn function(mut one: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let name = one.func.name();
    let finding = FINDING.contains(&name);
    let (nullif, floating) = (name == "nullif", FLOATING.contains(&name));
    if !(finding || nullif || floating) || !any_free(&one.args, schema) {
        return Ok(Transformed::no(Expr::ScalarFunction(one)));
    }
    if nullif && let [value, other] = one.args.as_slice() {
        let compared = comparable(vec![value.clone(), other.clone()], schema)?;
        let same = compared.into_iter().reduce(|value, other| value.eq(other));
        let null = Expr::Literal(ScalarValue::LargeBinary(None), None);
        let same = same.unwrap_or(Expr::Literal(ScalarValue::Null, None));
        let value = alike(vec![value.clone(), null.clone()], schema)?.swap_remove(0);
        return Ok(Transformed::yes(when(same, null).otherwise(value)?));
    }
    one.args = match floating {
        true => one.args.into_iter().map(|one| as_float(one, schema)).collect::<Result<_>>()?,
        false => {
            let null = |one: &Expr| one.get_type(schema).is_ok_and(|one| one.is_null());
            one.args.into_iter().map(|one| if null(&one) { one } else { key(one) }).collect()
        }
    };
    Ok(Transformed::yes(Expr::ScalarFunction(one)))
}

fn in_subquery(one: InSubquery, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let column = one.subquery.subquery.schema().iter().next().map(Column::from);
    let of_subquery = one.subquery.subquery.schema().fields().first();
    let free = of_subquery.is_some_and(|field| is_free(field.data_type()));
    let (Some(column), true) = (column, free || is_free_expr(&one.expr, schema)) else {
        return Ok(Transformed::no(Expr::InSubquery(one)));
    };
    let name = column.name.clone();
    let keys = LogicalPlanBuilder::from(one.subquery.subquery.as_ref().clone())
        .project([key(Expr::Column(column)).alias(name)])?
        .build()?;
    let subquery = Subquery { subquery: Arc::new(keys), ..one.subquery };
    let expr = Box::new(key(*one.expr));
    Ok(Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery, negated: one.negated })))
}

fn windowed(mut window: WindowFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let orders = window.params.order_by.iter().map(|one| &one.expr);
    if !any_free(window.params.partition_by.iter().chain(orders), schema) {
        return Ok(Transformed::no(Expr::WindowFunction(Box::new(window))));
    }
    window.params.partition_by = keyed_all(window.params.partition_by, schema)?;
    for order in &mut window.params.order_by {
        if is_free_expr(&order.expr, schema) {
            order.expr = number_key::order().call(vec![order.expr.clone()]);
        }
    }
    Ok(Transformed::yes(Expr::WindowFunction(Box::new(window))))
}

fn aggregated(mut one: AggregateFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let name = one.func.name();
    let floating = FLOATING_AGGREGATES.iter().any(|prefix| name.starts_with(prefix));
    let keys = one.params.distinct || name == "grouping";
    let orders = one.params.order_by.iter().map(|order| &order.expr);
    if !(floating || keys) || !any_free(one.params.args.iter().chain(orders), schema) {
        return Ok(Transformed::no(Expr::AggregateFunction(one)));
    }
    let change = |expr: Expr| match floating {
        true => as_float(expr, schema),
        false => Ok(keyed(expr, schema)),
    };
    one.params.args = one.params.args.into_iter().map(change).collect::<Result<_>>()?;
    for order in &mut one.params.order_by {
        order.expr = change(order.expr.clone())?;
    }
    Ok(Transformed::yes(Expr::AggregateFunction(one)))
}

/// Groups by keys, and shows the first number of each group.
fn grouped(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let schema = Arc::clone(aggregate.input.schema());
    let groups: Vec<Expr> =
        grouping_set_to_exprlist(&aggregate.group_expr)?.into_iter().cloned().collect();
    let free: Vec<bool> = groups.iter().map(|group| is_free_expr(group, &schema)).collect();
    if !free.contains(&true) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let group_expr = aggregate.group_expr.into_iter().map(|group| group_key(group, &schema));
    let mut aggr_expr = aggregate.aggr_expr;
    let shown = aggr_expr.len();
    for (group, _) in groups.iter().zip(&free).filter(|(_, free)| **free) {
        let first = AggregateFunction::new_udf(
            first_value_udaf(),
            vec![group.clone().unalias()],
            false,
            None,
            vec![],
            None,
        );
        aggr_expr.push(Expr::AggregateFunction(first).alias(format!("first {}", aggr_expr.len())));
    }
    let before = aggregate.schema;
    let keyed = Aggregate::try_new(aggregate.input, group_expr.collect(), aggr_expr)?;
    let columns: Vec<Column> = keyed.schema.iter().map(Column::from).collect();
    let own = before.fields().len() - shown;
    let mut firsts = columns.iter().skip(own + shown);
    let exprs =
        before.iter().zip(&columns).enumerate().map(|(place, ((qualifier, field), column))| {
            let value = Expr::Column(column.clone());
            let value = match free.get(place).copied().unwrap_or_default() {
                false => value,
                // Of a grouping set without the number it is NULL.
                true => match firsts.next() {
                    Some(first) => when(value.is_not_null(), Expr::Column(first.clone())).end()?,
                    None => value,
                },
            };
            Ok(value.alias_qualified(qualifier.cloned(), field.name()))
        });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    let plan = LogicalPlanBuilder::from(LogicalPlan::Aggregate(keyed)).project(exprs)?.build()?;
    Ok(Transformed::yes(plan))
}

fn group_key(group: Expr, schema: &DFSchema) -> Expr {
    let all = |exprs: Vec<Expr>| exprs.into_iter().map(|one| keyed(one, schema)).collect();
    match group {
        Expr::GroupingSet(GroupingSet::Rollup(exprs)) => {
            Expr::GroupingSet(GroupingSet::Rollup(all(exprs)))
        }
        Expr::GroupingSet(GroupingSet::Cube(exprs)) => {
            Expr::GroupingSet(GroupingSet::Cube(all(exprs)))
        }
        Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => {
            Expr::GroupingSet(GroupingSet::GroupingSets(sets.into_iter().map(all).collect()))
        }
        other => keyed(other, schema),
    }
}
