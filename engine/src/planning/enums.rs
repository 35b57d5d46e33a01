//! Values of enumerated types are kept as text and compare in the order in which the type lists them
//! (manual: datatype-enum); so are ranges, which sort by where they begin (manual: rangetypes), and
//! addresses, which sort by their bits (manual: datatype-net-types).
//!
//! | written | planned |
//! |---|---|
//! | `ORDER BY mood`, in windows and aggregates too | by the place of the value in the list |
//! | `mood < 'ok'`, `BETWEEN` | the same over the places of both |
//! | `min(mood)`, `max(mood)` | the first value by its place |

use std::sync::Arc;

use clientele_catalog::definition::Domain;
use clientele_udfs::functions as kernels;
use clientele_udfs::functions::misc::inet::INET_ORDER;
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::functions_nested::expr_fn::{array_position, array_slice};
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction, Sort};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Between, BinaryExpr, Distinct, Expr, LogicalPlan, cast};
use datafusion::prelude::lit;

use super::context::QueryContext;
use super::needs;
use super::types::DOMAIN_KEY;
use super::values::is_order;
use crate::functions;

/// Orders and compares values of enumerated types as their types say.
///
/// # Errors
/// What building the plan anew refuses.
pub(super) fn in_order(plan: LogicalPlan, context: &QueryContext) -> Result<LogicalPlan> {
    let labelled = |one: &Arc<Domain>| !one.labels.is_empty();
    if !context.catalog().domains().any(labelled) && !has_ordered(&plan)? {
        return Ok(plan);
    }
    plan.transform_up_with_subqueries(|node| of_node(node, context)).map(|done| done.data)
}

fn has_ordered(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= node.schema().fields().iter().any(|field| order_of(field).is_some());
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn order_of(field: &Field) -> Option<Order> {
    let pg_type = PgType::from_field(field);
    match pg_type.facts().category {
        _ if pg_type.element().is_some() => None,
        'R' => Some(Order::By(functions::RANGE_ORDER)),
        _ if pg_type.oid == PgType::INET.oid => Some(Order::By(INET_ORDER)),
        _ => None,
    }
}

/// What values of a type are ordered by.
enum Order {
    /// Their place among these.
    Labels(Vec<String>),
    /// What a function makes of them.
    By(&'static str),
}

fn of_node(node: LogicalPlan, context: &QueryContext) -> Result<Transformed<LogicalPlan>> {
    let mut schema = DFSchema::empty();
    node.inputs().iter().for_each(|input| schema.merge(input.schema()));
    let scope = Scope { schema: &schema, context };
    let names = NamePreserver::new(&node);
    let done = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let done = expr.transform_up(|expr| scope.expression(expr))?;
        Ok(done.update_data(|expr| name.restore(expr)))
    })?;
    let node = if done.transformed { done.data.recompute_schema()? } else { done.data };
    let node = match node {
        LogicalPlan::Sort(mut sort) => {
            sort.expr = scope.sorts(sort.expr);
            LogicalPlan::Sort(sort)
        }
        LogicalPlan::Distinct(Distinct::On(mut on)) => {
            on.sort_expr = on.sort_expr.map(|sorts| scope.sorts(sorts));
            LogicalPlan::Distinct(Distinct::On(on))
        }
        other => other,
    };
    Ok(Transformed::yes(node))
}

struct Scope<'a> {
    schema: &'a DFSchema,
    context: &'a QueryContext,
}

impl Scope<'_> {
    /// The values of an expression's type, in order; `None` where that is no enumerated type.
    fn labels(&self, expr: &Expr) -> Option<Vec<String>> {
        if !matches!(expr, Expr::Column(_) | Expr::Alias(_) | Expr::ScalarFunction(_)) {
            return None;
        }
        let field = functions::expression_field(expr, self.schema).ok()?;
        let catalog = self.context.catalog();
        let domain = match field.metadata().get(DOMAIN_KEY) {
            Some(oid) => oid.parse().ok(),
            None => {
                let (relation, number) = needs::origin(&field)?;
                catalog.relation_by_oid(relation)?.column_by_number(number)?.domain
            }
        };
        let labels = catalog.domain_by_oid(domain?)?.labels.clone();
        Some(labels).filter(|labels| !labels.is_empty())
    }

    fn order(&self, expr: &Expr) -> Option<Order> {
        if let Some(labels) = self.labels(expr) {
            return Some(Order::Labels(labels));
        }
        let field = functions::expression_field(expr, self.schema).ok()?;
        order_of(&field)
    }

    fn sorts(&self, sorts: Vec<Sort>) -> Vec<Sort> {
        let sort = |one: Sort| match self.order(&one.expr) {
            Some(order) => Sort { expr: placed(&order, one.expr), ..one },
            None => one,
        };
        sorts.into_iter().map(sort).collect()
    }

    fn expression(&self, expr: Expr) -> Result<Transformed<Expr>> {
        Ok(match expr {
            Expr::BinaryExpr(one) if is_order(one.op) => {
                let labels = self.labels(&one.left).or_else(|| self.labels(&one.right));
                let Some(labels) = labels else {
                    return Ok(Transformed::no(Expr::BinaryExpr(one)));
                };
                let (left, right) = (place(&labels, *one.left), place(&labels, *one.right));
                let compared = BinaryExpr::new(Box::new(left), one.op, Box::new(right));
                Transformed::yes(Expr::BinaryExpr(compared))
            }
            Expr::Between(one) => {
                let Some(labels) = self.labels(&one.expr) else {
                    return Ok(Transformed::no(Expr::Between(one)));
                };
                let placed = |expr: Box<Expr>| Box::new(place(&labels, *expr));
                Transformed::yes(Expr::Between(Between {
                    expr: placed(one.expr),
                    negated: one.negated,
                    low: placed(one.low),
                    high: placed(one.high),
                }))
            }
            Expr::WindowFunction(mut window) => {
                window.params.order_by = self.sorts(window.params.order_by);
                Transformed::yes(Expr::WindowFunction(window))
            }
            Expr::AggregateFunction(aggregate) => {
                Transformed::yes(Expr::AggregateFunction(self.aggregate(aggregate)))
            }
            Expr::ScalarFunction(call) => match self.listed(&call) {
                Some(value) => Transformed::yes(value),
                None => Transformed::no(Expr::ScalarFunction(call)),
            },
            other => Transformed::no(other),
        })
    }

    /// `enum_first(null::mood)` and its kin: what the type lists.
    fn listed(&self, call: &ScalarFunction) -> Option<Expr> {
        let name = call.func.name();
        if ![functions::ENUM_FIRST, functions::ENUM_LAST, functions::ENUM_RANGE].contains(&name) {
            return None;
        }
        let labels = call.args.iter().find_map(|value| self.labels(value))?;
        let text = |label: &String| ScalarValue::Utf8View(Some(label.clone()));
        match (name, call.args.as_slice()) {
            (functions::ENUM_FIRST, _) => labels.first().map(|one| lit(text(one))),
            (functions::ENUM_LAST, _) => labels.last().map(|one| lit(text(one))),
            (_, [_]) => Some(lit(list(&labels))),
            (_, [from, to]) => {
                let bound = |value: &Expr, open: i64| {
                    let at = place(&labels, value.clone());
                    coalesce(vec![cast(at, DataType::Int64), lit(open)])
                };
                let last = i64::try_from(labels.len()).unwrap_or(i64::MAX);
                let step = None::<Expr>;
                Some(array_slice(lit(list(&labels)), bound(from, 1), bound(to, last), step))
            }
            _ => None,
        }
    }

    fn aggregate(&self, mut aggregate: AggregateFunction) -> AggregateFunction {
        let params = &mut aggregate.params;
        params.order_by = self.sorts(std::mem::take(&mut params.order_by));
        let ascending = match aggregate.func.name() {
            "min" => true,
            "max" => false,
            _ => return aggregate,
        };
        let [value] = params.args.as_slice() else { return aggregate };
        if let Some(order) = self.order(value) {
            params.order_by = vec![Sort::new(placed(&order, value.clone()), ascending, false)];
            params.distinct = false;
            aggregate.func = first_value_udaf();
        }
        aggregate
    }
}

/// What a value is ordered by.
fn placed(order: &Order, value: Expr) -> Expr {
    match order {
        Order::Labels(labels) => place(labels, value),
        Order::By(name) => match kernels::by_name(name) {
            Some(order) => order.call(vec![value]),
            None => value,
        },
    }
}

/// The place of a value among those of its type.
fn place(labels: &[String], value: Expr) -> Expr {
    array_position(lit(list(labels)), value, lit(1_i64))
}

fn list(labels: &[String]) -> ScalarValue {
    let labels: Vec<ScalarValue> =
        labels.iter().map(|label| ScalarValue::Utf8View(Some(label.clone()))).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&labels, &DataType::Utf8View))
}
