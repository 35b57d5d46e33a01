//! A subquery's plan for all members of a domain at once.
//!
//! The answer has the plan's columns, under their names, and the domain's. For each member its
//! rows are what the plan gives when the outer columns have that member's values.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{GroupingSet, WindowFunctionParams};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::{
    Aggregate, Distinct, DistinctOn, Join, JoinType, Limit, Sort, SubqueryAlias, Union, Unnest,
    Values, Window,
};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, lit, when,
};

use super::domain::{self, Domain, fresh};
use super::recursive::recursive;
use crate::error::Error;
use crate::planning::values::external;

/// The plan for every member of the domain.
pub(super) fn dependent(plan: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    if !domain.is_used_by(plan)? {
        return product(plan, domain);
    }
    match plan {
        LogicalPlan::Subquery(subquery) => dependent(&subquery.subquery, domain),
        LogicalPlan::Projection(projection) => {
            let input = match domain::is_one_empty_row(&projection.input) {
                true => domain.plan.clone(),
                false => dependent(&projection.input, domain)?,
            };
            let exprs = bound(plan, &projection.expr, domain)?;
            LogicalPlanBuilder::from(input)
                .project(exprs.into_iter().chain(domain.exprs()))?
                .build()
        }
        LogicalPlan::Filter(filter) => {
            let predicate = domain.bind(filter.predicate.clone())?;
            let input = dependent(&filter.input, domain)?;
            LogicalPlanBuilder::from(input).filter(predicate)?.build()
        }
        LogicalPlan::SubqueryAlias(alias) => renamed(alias, domain),
        LogicalPlan::Sort(sort) => sorted(sort, domain),
        LogicalPlan::Limit(limit) => limited(limit, domain),
        LogicalPlan::Distinct(Distinct::All(input)) => {
            LogicalPlanBuilder::from(dependent(input, domain)?).distinct()?.build()
        }
        LogicalPlan::Distinct(Distinct::On(on)) => distinct_on(plan, on, domain),
        LogicalPlan::Aggregate(aggregate) => aggregated(plan, aggregate, domain),
        LogicalPlan::Window(window) => windowed(plan, window, domain),
        LogicalPlan::Union(union) => united(union, domain),
        LogicalPlan::Unnest(unnest) => unnested(unnest, domain),
        LogicalPlan::Values(values) => listed(values, domain),
        LogicalPlan::Join(join) => joined(join, domain),
        LogicalPlan::RecursiveQuery(query) => recursive(query, domain),
        LogicalPlan::TableScan(scan) => {
            match domain.working.iter().rev().find(|one| one.is(scan)) {
                Some(working) => working.rows(scan, domain),
                None => Err(external(Error::unsupported("this reference to an outer query"))),
            }
        }
        _ => Err(external(Error::unsupported("this reference to an outer query"))),
    }
}

/// Every row of a plan that takes nothing from the domain, for each member.
fn product(plan: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    if domain.outer.is_empty() {
        return Ok(plan.clone());
    }
    LogicalPlanBuilder::from(domain.plan.clone()).cross_join(plan.clone())?.build()
}

/// Expressions over the domain's columns, under the names that they had.
fn bound(plan: &LogicalPlan, exprs: &[Expr], domain: &Domain) -> Result<Vec<Expr>> {
    let names = NamePreserver::new(plan);
    let bind = |expr: &Expr| {
        let name = names.save(expr);
        Ok(name.restore(domain.bind(expr.clone())?))
    };
    exprs.iter().map(bind).collect()
}

fn renamed(alias: &SubqueryAlias, domain: &Domain) -> Result<LogicalPlan> {
    let input = dependent(&alias.input, domain)?;
    let pairs = alias.input.schema().columns().into_iter().zip(alias.schema.columns());
    let exprs = pairs.map(|(old, new)| Expr::Column(old).alias_qualified(new.relation, new.name));
    let exprs = exprs.chain(domain.exprs()).collect::<Vec<_>>();
    LogicalPlanBuilder::from(input).project(exprs)?.build()
}

fn sort_keys(keys: &[SortExpr], domain: &Domain) -> Result<Vec<SortExpr>> {
    let bind = |key: &SortExpr| {
        Ok(SortExpr::new(domain.bind(key.expr.clone())?, key.asc, key.nulls_first))
    };
    keys.iter().map(bind).collect()
}

fn sorted(sort: &Sort, domain: &Domain) -> Result<LogicalPlan> {
    let input = dependent(&sort.input, domain)?;
    let keys = sort_keys(&sort.expr, domain)?;
    match sort.fetch {
        Some(fetch) => cut(input, keys, (None, Some(lit(fetch as i64))), domain),
        None => LogicalPlanBuilder::from(input).sort(keys)?.build(),
    }
}

/// `LIMIT` counts the rows of each member, in the order of the `ORDER BY` below it.
fn limited(limit: &Limit, domain: &Domain) -> Result<LogicalPlan> {
    let bounds = (limit.skip.as_deref().cloned(), limit.fetch.as_deref().cloned());
    match limit.input.as_ref() {
        // A projection above the sort takes off columns that were needed for it only.
        LogicalPlan::Projection(projection)
            if matches!(projection.input.as_ref(), LogicalPlan::Sort(_)) =>
        {
            let below = Limit { input: Arc::clone(&projection.input), ..limit.clone() };
            let input = limited(&below, domain)?;
            let exprs = bound(&limit.input, &projection.expr, domain)?;
            let exprs = exprs.into_iter().chain(domain.exprs());
            LogicalPlanBuilder::from(input).project(exprs)?.build()
        }
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => {
            let keys = sort_keys(&sort.expr, domain)?;
            cut(dependent(&sort.input, domain)?, keys, bounds, domain)
        }
        input => cut(dependent(input, domain)?, Vec::new(), bounds, domain),
    }
}

/// The rows of each member between two places.
fn cut(
    plan: LogicalPlan,
    order: Vec<SortExpr>,
    (skip, fetch): (Option<Expr>, Option<Expr>),
    domain: &Domain,
) -> Result<LogicalPlan> {
    let columns = plan.schema().columns();
    let place = fresh("place");
    let number = datafusion::functions_window::row_number::row_number();
    let number = number.partition_by(domain.exprs());
    // An empty order is not the same as none: its frame would need a key.
    let number = if order.is_empty() { number } else { number.order_by(order) };
    let number = number.build()?.alias(place.table());
    let plan = LogicalPlanBuilder::from(plan).window([number])?;
    let number = || Expr::Column(Column::new_unqualified(place.table()));
    let wide = |expr: Expr, plan: &LogicalPlanBuilder| {
        domain.bind(expr)?.cast_to(&datafusion::arrow::datatypes::DataType::UInt64, plan.schema())
    };
    let start = match skip {
        Some(skip) => Some(wide(skip, &plan)?),
        None => None,
    };
    let mut condition = start.clone().map(|start| number().gt(start));
    if let Some(fetch) = fetch {
        let fetch = wide(fetch, &plan)?;
        let end = match start {
            Some(start) => start + fetch,
            None => fetch,
        };
        // LIMIT NULL is no limit.
        let within = number().lt_eq(end.clone()).or(end.is_null());
        condition = Some(condition.map_or(within.clone(), |condition| condition.and(within)));
    }
    let plan = match condition {
        Some(condition) => plan.filter(condition)?,
        None => plan,
    };
    plan.project(columns.into_iter().map(Expr::Column))?.build()
}

fn distinct_on(plan: &LogicalPlan, on: &DistinctOn, domain: &Domain) -> Result<LogicalPlan> {
    let input = dependent(&on.input, domain)?;
    let keys = on.on_expr.iter().map(|expr| domain.bind(expr.clone()));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let order = match &on.sort_expr {
        Some(order) => {
            let first = domain.exprs().into_iter().map(|expr| expr.sort(true, true));
            Some(first.chain(sort_keys(order, domain)?).collect())
        }
        None => None,
    };
    let shown = bound(plan, &on.select_expr, domain)?;
    let pairs = shown.into_iter().zip(on.schema.columns());
    let shown = pairs.map(|(expr, one)| expr.alias_qualified(one.relation, one.name));
    let keys = domain.exprs().into_iter().chain(keys).collect();
    let shown = shown.chain(domain.exprs()).collect();
    LogicalPlanBuilder::from(input).distinct_on(keys, shown, order)?.build()
}

/// Groups get the domain's columns; an aggregate without groups has a row for each member, with
/// what it is of no rows where there are none.
fn aggregated(plan: &LogicalPlan, aggregate: &Aggregate, domain: &Domain) -> Result<LogicalPlan> {
    let input = dependent(&aggregate.input, domain)?;
    let groups = bound(plan, &aggregate.group_expr, domain)?;
    let calls = bound(plan, &aggregate.aggr_expr, domain)?;
    let columns = aggregate.schema.columns();
    let empty = groups.is_empty();
    let groups = with_domain(groups, domain)?;
    let plan = LogicalPlanBuilder::from(input).aggregate(groups, calls)?.build()?;
    let shown = columns.into_iter().map(Expr::Column);
    if !empty {
        let exprs = shown.chain(domain.exprs()).collect::<Vec<_>>();
        return LogicalPlanBuilder::from(plan).project(exprs)?.build();
    }
    let all = domain.again()?;
    let keys = (all.columns(), domain.columns());
    let mut exprs = Vec::new();
    for (column, call) in shown.zip(&aggregate.aggr_expr) {
        let name = match &column {
            Expr::Column(column) => column.clone(),
            _ => continue,
        };
        let filled = match of_no_rows(call, aggregate)? {
            Some(value) => when(column.clone().is_null(), lit(value)).otherwise(column)?,
            None => column,
        };
        exprs.push(filled.alias_qualified(name.relation, name.name));
    }
    let pairs = all.columns().into_iter().zip(domain.columns());
    let members = pairs.map(|(all, own)| Expr::Column(all).alias_qualified(own.relation, own.name));
    exprs.extend(members);
    let plan = domain::join(all.plan.clone(), plan, JoinType::Left, keys, None)?;
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}

/// What an aggregate is of no rows, where that is not NULL: `count` is 0.
fn of_no_rows(call: &Expr, aggregate: &Aggregate) -> Result<Option<ScalarValue>> {
    let Expr::AggregateFunction(function) = call.clone().unalias_nested().data else {
        return Ok(None);
    };
    let data_type = call.get_type(aggregate.input.schema())?;
    let value = function.func.default_value(&data_type)?;
    Ok((!value.is_null()).then_some(value))
}

/// The domain's columns in every grouping set.
fn with_domain(groups: Vec<Expr>, domain: &Domain) -> Result<Vec<Expr>> {
    if !groups.iter().any(|group| matches!(group, Expr::GroupingSet(_))) {
        return Ok(groups.into_iter().chain(domain.exprs()).collect());
    }
    let mut sets: Vec<Vec<Expr>> = vec![domain.exprs()];
    for group in groups {
        // Such a set has a row even of no rows, for each member.
        let empty = match &group {
            Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => sets.iter().any(Vec::is_empty),
            Expr::GroupingSet(_) => true,
            _ => false,
        };
        if empty {
            let what = "a reference to an outer query below ROLLUP, CUBE or an empty grouping set";
            return Err(external(Error::unsupported(what)));
        }
        let choices: Vec<Vec<Expr>> = match group {
            Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => sets,
            expr => vec![vec![expr]],
        };
        let both = |set: &Vec<Expr>| {
            let set = set.clone();
            choices.iter().map(move |choice| [set.as_slice(), choice.as_slice()].concat())
        };
        sets = sets.iter().flat_map(both).collect();
    }
    Ok(vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets))])
}

fn windowed(plan: &LogicalPlan, window: &Window, domain: &Domain) -> Result<LogicalPlan> {
    let input = dependent(&window.input, domain)?;
    let names = NamePreserver::new(plan);
    let partitioned = |expr: &Expr| {
        let name = names.save(expr);
        let expr = domain.bind(expr.clone())?.transform_up(|expr| match expr {
            Expr::WindowFunction(mut function) => {
                let WindowFunctionParams { partition_by, .. } = &mut function.params;
                partition_by.extend(domain.exprs());
                Ok(Transformed::yes(Expr::WindowFunction(function)))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(name.restore(expr.data))
    };
    let exprs = window.window_expr.iter().map(partitioned).collect::<Result<Vec<_>>>()?;
    Window::try_new(exprs, Arc::new(input)).map(LogicalPlan::Window)
}

fn united(union: &Union, domain: &Domain) -> Result<LogicalPlan> {
    let mut inputs = Vec::with_capacity(union.inputs.len());
    for input in &union.inputs {
        let columns = input.schema().columns().into_iter().map(Expr::Column);
        let exprs = columns.chain(domain.exprs()).collect::<Vec<_>>();
        let plan = LogicalPlanBuilder::from(dependent(input, domain)?).project(exprs)?.build()?;
        inputs.push(Arc::new(plan));
    }
    let plan = LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?);
    let names = union.schema.columns().into_iter().chain(domain.columns());
    let exprs = plan.schema().columns().into_iter().zip(names);
    let exprs = exprs.map(|(old, new)| Expr::Column(old).alias_qualified(new.relation, new.name));
    let exprs = exprs.collect::<Vec<_>>();
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}

fn unnested(unnest: &Unnest, domain: &Domain) -> Result<LogicalPlan> {
    let input = dependent(&unnest.input, domain)?;
    let columns = unnest.exec_columns.clone();
    LogicalPlanBuilder::from(input)
        .unnest_columns_with_options(columns, unnest.options.clone())?
        .build()
}

/// Each row of VALUES is a projection of the domain.
fn listed(values: &Values, domain: &Domain) -> Result<LogicalPlan> {
    let mut union = None;
    for row in &values.values {
        let mut exprs = Vec::with_capacity(row.len());
        for (expr, column) in row.iter().zip(values.schema.columns()) {
            exprs.push(domain.bind(expr.clone())?.alias_qualified(column.relation, column.name));
        }
        exprs.extend(domain.exprs());
        let plan = LogicalPlanBuilder::from(domain.plan.clone()).project(exprs)?;
        union = Some(match union {
            None => plan,
            Some(union) => LogicalPlanBuilder::union(union, plan.build()?)?,
        });
    }
    match union {
        Some(union) => union.build(),
        None => product(&LogicalPlan::Values(values.clone()), domain),
    }
}

fn joined(join: &Join, domain: &Domain) -> Result<LogicalPlan> {
    let uses = [domain.is_used_by(&join.left)?, domain.is_used_by(&join.right)?];
    let (own, other) = (dependent(&join.left, domain)?, domain.again()?);
    // A side that keeps its rows whatever the other has must be there for each member.
    let both = uses[1] || matches!(join.join_type, JoinType::Right | JoinType::Full);
    let right = match both {
        true => relabelled(dependent(&join.right, domain)?, domain, &other)?,
        false => join.right.as_ref().clone(),
    };
    let on = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    let conditions = on.chain(join.filter.clone());
    let members = domain.exprs().into_iter().zip(other.exprs());
    let members = members.map(|(own, other)| {
        datafusion::logical_expr::binary_expr(
            own,
            datafusion::logical_expr::Operator::IsNotDistinctFrom,
            other,
        )
    });
    let members = members.filter(|_| both);
    let condition = conditions.chain(members).reduce(Expr::and).unwrap_or_else(|| lit(true));
    let plan = LogicalPlanBuilder::from(own)
        .join_on(right, join.join_type, [domain.bind(condition)?])?
        .build()?;
    let shown = join.schema.columns().into_iter().map(Expr::Column);
    let pairs = domain.columns().into_iter().zip(other.exprs());
    let members = pairs.map(|(own, other)| {
        let value = Expr::Column(own.clone());
        match join.join_type {
            JoinType::Right | JoinType::Full => {
                let value = when(value.clone().is_null(), other).otherwise(value)?;
                Ok(value.alias_qualified(own.relation, own.name))
            }
            _ => Ok(value),
        }
    });
    let members = members.collect::<Result<Vec<_>>>()?;
    let exprs = shown.chain(members).collect::<Vec<_>>();
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}

/// The plan with the domain's columns under the names of its other copy.
fn relabelled(plan: LogicalPlan, domain: &Domain, other: &Domain) -> Result<LogicalPlan> {
    let own = domain.columns();
    let exprs = plan.schema().columns().into_iter().map(|column| {
        match own.iter().position(|one| *one == column) {
            Some(place) => {
                let name = domain::column_name(&other.name, place);
                Expr::Column(column).alias_qualified(Some(other.name.clone()), name)
            }
            None => Expr::Column(column),
        }
    });
    let exprs = exprs.collect::<Vec<_>>();
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}
