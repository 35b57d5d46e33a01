//! What a node reads of its inputs: which values are equal, or the values themselves.

use std::collections::HashSet;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::Late;
use super::work::Work;

impl Work {
    /// The columns of which a node wants to know more than which values are equal.
    pub(super) fn read(&mut self, plan: &LogicalPlan, late: &Late) -> HashSet<Column> {
        let exprs = plan.expressions();
        let mut read = HashSet::new();
        match plan {
            _ if exprs.iter().any(asks) => read.extend(late.keys().cloned()),
            LogicalPlan::Filter(_) | LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => {
                exprs.iter().for_each(|expr| names(expr, late, &mut read));
            }
            LogicalPlan::Join(join) => {
                for pair in &join.on {
                    self.equated(pair, late, &mut read);
                }
                join.filter.iter().for_each(|expr| names(expr, late, &mut read));
            }
            LogicalPlan::Aggregate(aggregate) => {
                aggregate.group_expr.iter().for_each(|expr| self.grouped(expr, late, &mut read));
                aggregate.aggr_expr.iter().for_each(|expr| self.aggregated(expr, late, &mut read));
            }
            LogicalPlan::Window(window) => {
                window.window_expr.iter().for_each(|expr| self.windowed(expr, late, &mut read));
            }
            LogicalPlan::SubqueryAlias(_) => {}
            _ => read.extend(late.keys().cloned()),
        }
        read
    }

    fn equated(&mut self, (left, right): &(Expr, Expr), late: &Late, read: &mut HashSet<Column>) {
        let value = |expr: &Expr| expr.try_as_col().and_then(|column| late.get(column));
        match (value(left), value(right)) {
            (Some(left), Some(right)) if left.named == right.named => {
                self.compared.extend(left.sources.iter().chain(&right.sources));
            }
            _ => [left, right].into_iter().for_each(|expr| names(expr, late, read)),
        }
    }

    /// Values that are told apart.
    fn grouped(&mut self, expr: &Expr, late: &Late, read: &mut HashSet<Column>) {
        match unaliased(expr).try_as_col().and_then(|column| late.get(column)) {
            Some(value) => self.compared.extend(&value.sources),
            None => names(expr, late, read),
        }
    }

    fn aggregated(&mut self, expr: &Expr, late: &Late, read: &mut HashSet<Column>) {
        let Expr::AggregateFunction(call) = unaliased(expr) else {
            return names(expr, late, read);
        };
        let params = &call.params;
        for argument in &params.args {
            match (call.func.name(), params.distinct) {
                ("count", true) => self.grouped(argument, late, read),
                // It asks for NULL.
                ("count", false) if argument.try_as_col().is_some() => {}
                _ => names(argument, late, read),
            }
        }
        params.filter.iter().for_each(|expr| names(expr, late, read));
        params.order_by.iter().for_each(|key| names(&key.expr, late, read));
    }

    fn windowed(&mut self, expr: &Expr, late: &Late, read: &mut HashSet<Column>) {
        let Expr::WindowFunction(call) = unaliased(expr) else { return names(expr, late, read) };
        let params = &call.params;
        params.partition_by.iter().for_each(|expr| self.grouped(expr, late, read));
        params.args.iter().for_each(|expr| names(expr, late, read));
        params.order_by.iter().for_each(|key| names(&key.expr, late, read));
        params.filter.iter().for_each(|expr| names(expr, late, read));
    }
}

/// The columns whose values an expression reads; whether one is NULL can be told without.
fn names(expr: &Expr, late: &Late, read: &mut HashSet<Column>) {
    let _ = expr.apply(|part| {
        if asks_for_null(part, late) {
            return Ok(TreeNodeRecursion::Jump);
        }
        if let Expr::Column(column) = part
            && late.contains_key(column)
        {
            read.insert(column.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
}

/// An expression over pseudonyms.
pub(super) fn substituted(expr: Expr, late: &Late) -> Result<Expr> {
    if late.is_empty() {
        return Ok(expr);
    }
    let done = expr.transform_down(|part| {
        if asks_for_null(&part, late) {
            return Ok(Transformed::new(part, false, TreeNodeRecursion::Jump));
        }
        let value = part.try_as_col().and_then(|column| late.get(column));
        let Some(value) = value else { return Ok(Transformed::no(part)) };
        let pseudonym = value.named.call(vec![part]);
        Ok(Transformed::new(pseudonym, true, TreeNodeRecursion::Jump))
    })?;
    Ok(done.data)
}

fn asks_for_null(expr: &Expr, late: &Late) -> bool {
    let (Expr::IsNull(inner) | Expr::IsNotNull(inner)) = expr else { return false };
    inner.try_as_col().is_some_and(|column| late.contains_key(column))
}

/// Whether an expression has a query in it.
pub(super) fn asks(expr: &Expr) -> bool {
    let is_query = |part: &Expr| {
        let asks = matches!(
            part,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        );
        Ok(asks)
    };
    expr.exists(is_query).unwrap_or(true)
}

pub(super) fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}
