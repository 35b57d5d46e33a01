//! A plan whose pseudonyms are made late.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, ExprSchema, Result};
use datafusion::logical_expr::expr::{Alias, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

use super::super::treat::{self, Halves};
use super::read::{asks, substituted, unaliased};
use super::{Late, Source, Value};
use crate::planning::needs::origin;

/// A plan with the pseudonyms of some columns in the place of their values.
pub(super) fn named(
    plan: LogicalPlan,
    late: &Late,
    wanted: impl Fn(&Column) -> bool,
) -> Result<LogicalPlan> {
    if !late.keys().any(&wanted) {
        return Ok(plan);
    }
    let exprs = plan.schema().columns().into_iter().map(|column| {
        match late.get(&column).filter(|_| wanted(&column)) {
            Some(value) => {
                let (relation, name) = (column.relation.clone(), column.name.clone());
                value.named.call(vec![Expr::Column(column)]).alias_qualified(relation, name)
            }
            None => Expr::Column(column),
        }
    });
    Ok(LogicalPlan::Projection(Projection::try_new(exprs.collect(), Arc::new(plan))?))
}

/// An attempt.
pub(super) struct Work {
    /// Columns that are treated where they are read.
    pub(super) refused: HashSet<Source>,
    /// Columns that are treated late, and what their pseudonyms start with.
    pub(super) met: HashMap<Source, Arc<str>>,
    /// Those of them that something compares.
    pub(super) compared: HashSet<Source>,
}

impl Work {
    /// A node whose columns hold values for as long as they are only compared.
    pub(super) fn node(&mut self, plan: LogicalPlan) -> Result<(LogicalPlan, Late)> {
        if let LogicalPlan::Projection(node) = plan {
            return self.projection(node);
        }
        let mut of_inputs = Vec::new();
        let plan = plan.map_children(|input| {
            let (input, late) = self.node(input)?;
            of_inputs.push(late);
            Ok(Transformed::yes(input))
        })?;
        if let LogicalPlan::Union(_) = &plan.data {
            return united(plan.data, of_inputs);
        }
        let mut late: Late = of_inputs.iter().flat_map(Late::clone).collect();
        if late.is_empty() {
            return Ok((plan.data, late));
        }
        let read = self.read(&plan.data, &late);
        let mut of_inputs = of_inputs.into_iter();
        let plan = plan.data.map_children(|input| {
            let of_input = of_inputs.next().unwrap_or_default();
            Ok(Transformed::yes(named(input, &of_input, |column| read.contains(column))?))
        })?;
        late.retain(|column, _| !read.contains(column));
        let late = passed_on(&plan.data, late);
        Ok((plan.data, late))
    }

    fn projection(&mut self, node: Projection) -> Result<(LogicalPlan, Late)> {
        let (mut input, mut late) = self.node(Arc::unwrap_or_clone(node.input))?;
        if node.expr.iter().any(asks) {
            input = named(input, &late, |_| true)?;
            late.clear();
        }
        let names = NamePreserver::new_for_projection();
        let (mut exprs, mut found) = (Vec::with_capacity(node.expr.len()), Late::new());
        for (expr, column) in node.expr.into_iter().zip(node.schema.columns()) {
            let name = names.save(&expr);
            let (expr, value) = self.output(expr, &input, &late)?;
            found.extend(value.map(|value| (column, value)));
            exprs.push(name.restore(expr));
        }
        let plan = Projection::try_new(exprs, Arc::new(input))?;
        Ok((LogicalPlan::Projection(plan), found))
    }

    /// An output of a projection, and what it holds if that is a value.
    fn output(
        &mut self,
        expr: Expr,
        input: &LogicalPlan,
        late: &Late,
    ) -> Result<(Expr, Option<Value>)> {
        match expr {
            Expr::Alias(alias) => {
                let (inner, value) = self.output(*alias.expr, input, late)?;
                Ok((Expr::Alias(Alias { expr: Box::new(inner), ..alias }), value))
            }
            Expr::Column(column) if late.contains_key(&column) => {
                let value = late.get(&column).cloned();
                Ok((Expr::Column(column), value))
            }
            Expr::Cast(cast) => {
                // Between inputs of a union that differ in whether they may be NULL.
                let column = cast.expr.try_as_col();
                let same = column.is_some_and(|column| {
                    input.schema().data_type(column).is_ok_and(|one| one == cast.field.data_type())
                });
                match column.and_then(|column| late.get(column)).filter(|_| same).cloned() {
                    Some(value) => Ok((Expr::Cast(cast), Some(value))),
                    None => Ok((substituted(Expr::Cast(cast), late)?, None)),
                }
            }
            Expr::ScalarFunction(call) => match self.half(&call, input, late)? {
                Some((normal, value)) => Ok((normal, Some(value))),
                None => Ok((substituted(Expr::ScalarFunction(call), late)?, None)),
            },
            other => Ok((substituted(other, late)?, None)),
        }
    }

    /// The first half of a treatment, if the second may come later.
    fn half(
        &mut self,
        call: &ScalarFunction,
        input: &LogicalPlan,
        late: &Late,
    ) -> Result<Option<(Expr, Value)>> {
        let [Expr::Column(column)] = call.args.as_slice() else { return Ok(None) };
        let Some(Halves { normal, named, prefix }) = treat::halves(&call.func) else {
            return Ok(None);
        };
        let source = origin(input.schema().field_from_column(column)?);
        let fit = source.filter(|one| !self.refused.contains(one) && !late.contains_key(column));
        let Some(source) = fit else { return Ok(None) };
        self.met.insert(source, prefix);
        let value = Value { named, sources: vec![source] };
        Ok(Some((normal.call(call.args.clone()), value)))
    }
}

/// The columns of a node that hold values because those of its inputs do.
fn passed_on(plan: &LogicalPlan, mut late: Late) -> Late {
    let outer = plan.schema().columns();
    let inner: Vec<Option<Column>> = match plan {
        LogicalPlan::SubqueryAlias(node) => {
            node.input.schema().columns().into_iter().map(Some).collect()
        }
        LogicalPlan::Aggregate(node) => {
            node.group_expr.iter().map(|expr| unaliased(expr).try_as_col().cloned()).collect()
        }
        _ => {
            late.retain(|column, _| plan.schema().has_column(column));
            return late;
        }
    };
    let pairs = outer.into_iter().zip(inner);
    pairs.filter_map(|(outer, inner)| Some((outer, late.get(&inner?)?.clone()))).collect()
}

/// A union whose columns hold values where those of all inputs do.
fn united(plan: LogicalPlan, of_inputs: Vec<Late>) -> Result<(LogicalPlan, Late)> {
    let columns: Vec<Vec<Column>> =
        plan.inputs().iter().map(|input| input.schema().columns()).collect();
    let value = |place: usize| {
        let of_input = |(late, columns): (&Late, &Vec<Column>)| {
            columns.get(place).and_then(|column| late.get(column)).cloned()
        };
        let values = of_inputs.iter().zip(&columns).map(of_input).collect::<Option<Vec<_>>>()?;
        let named = Arc::clone(&values.first()?.named);
        let alike = values.iter().all(|one| one.named == named);
        let sources = values.into_iter().flat_map(|one| one.sources).collect();
        alike.then_some(Value { named, sources })
    };
    let values: Vec<Option<Value>> = (0..plan.schema().fields().len()).map(value).collect();
    let mut inputs = of_inputs.iter().zip(&columns);
    let plan = plan.map_children(|input| {
        let Some((late, columns)) = inputs.next() else { return Ok(Transformed::no(input)) };
        let kept = |column: &Column| {
            let place = columns.iter().position(|one| one == column);
            place.and_then(|place| values.get(place)).is_some_and(Option::is_some)
        };
        Ok(Transformed::yes(named(input, late, |column| !kept(column))?))
    })?;
    let outer = plan.data.schema().columns().into_iter().zip(values);
    let late = outer.filter_map(|(column, value)| Some((column, value?))).collect();
    Ok((plan.data, late))
}
