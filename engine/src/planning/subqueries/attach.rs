//! Outer rows joined with what their subqueries gave.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ExprSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::logical_plan::{JoinType, Subquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit, not, when,
};

use super::dependent::dependent;
use super::domain::{self, Domain, fresh};
use super::plain::{self, Place};
use super::{is_subquery, single_value};

/// A plan, and the results of subqueries beside its rows.
pub(super) struct Attached {
    plan: LogicalPlan,
    place: Place,
}

impl Attached {
    pub(super) fn new(plan: LogicalPlan, place: Place) -> Self {
        Self { plan, place }
    }

    pub(super) fn into_plan(self) -> LogicalPlan {
        self.plan
    }

    /// A condition with columns in place of its subqueries, but for those that are plain.
    pub(super) fn replace_in_condition(&mut self, condition: Expr) -> Result<Expr> {
        let mut rewritten = Vec::new();
        for one in split_conjunction_owned(condition) {
            rewritten.push(match plain::is_plain_condition(&one, &self.plan)? {
                true => one,
                false => self.replace(one)?,
            });
        }
        Ok(conjunction(rewritten).unwrap_or_else(|| lit(true)))
    }

    /// An expression with columns in place of its subqueries, but for those that are plain.
    pub(super) fn replace(&mut self, expr: Expr) -> Result<Expr> {
        expr.transform_up(|expr| match is_subquery(&expr) {
            true if !plain::is_plain_value(&expr, &self.plan, self.place)? => {
                Ok(Transformed::new(self.attach(expr)?, true, TreeNodeRecursion::Jump))
            }
            _ => Ok(Transformed::no(expr)),
        })
        .map(|done| done.data)
    }

    /// The same for the subqueries that are about this plan alone.
    pub(super) fn replace_about(&mut self, expr: Expr) -> Result<Expr> {
        expr.transform_up(|expr| {
            let (outer, inner) = match &expr {
                Expr::ScalarSubquery(subquery) | Expr::Exists(Exists { subquery, .. }) => {
                    (&subquery.outer_ref_columns, None)
                }
                Expr::InSubquery(one) => (&one.subquery.outer_ref_columns, Some(&one.expr)),
                _ => return Ok(Transformed::no(expr)),
            };
            let schema = self.plan.schema();
            let known = outer.iter().all(|one| match one {
                Expr::OuterReferenceColumn(_, column) => schema.has_column(column),
                _ => false,
            });
            let known = known
                && inner.is_none_or(|inner| {
                    inner.column_refs().into_iter().all(|column| schema.has_column(column))
                });
            match known {
                true => Ok(Transformed::yes(self.attach(expr)?)),
                false => Ok(Transformed::no(expr)),
            }
        })
        .map(|done| done.data)
    }

    fn attach(&mut self, expr: Expr) -> Result<Expr> {
        match expr {
            Expr::ScalarSubquery(subquery) => self.scalar(&subquery),
            Expr::Exists(Exists { subquery, negated }) => {
                let found = self.exists(&subquery.subquery)?;
                Ok(if negated { not(found) } else { found })
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                let found = self.contains(*expr, &subquery)?;
                Ok(if negated { not(found) } else { found })
            }
            other => Ok(other),
        }
    }

    fn scalar(&mut self, subquery: &Subquery) -> Result<Expr> {
        let domain = self.domain(&subquery.subquery)?;
        let plan = dependent(&subquery.subquery, &domain)?;
        let value = Expr::Column(Column::from(subquery.subquery.schema().qualified_field(0)));
        let rows = LogicalPlanBuilder::from(plan);
        if has_one_row(&subquery.subquery) {
            return self.join(rows.build()?, &domain, value);
        }
        let result = fresh("value");
        let value = single_value::single_value(value).alias(result.table());
        let rows = rows.aggregate(domain.exprs(), [value])?.build()?;
        self.join(rows, &domain, Expr::Column(Column::new_unqualified(result.table())))
    }

    /// True or false, never NULL.
    fn exists(&mut self, subquery: &LogicalPlan) -> Result<Expr> {
        let domain = self.domain(subquery)?;
        let plan = LogicalPlanBuilder::from(dependent(subquery, &domain)?);
        let plan = match domain.outer.is_empty() {
            true => plan.limit(0, Some(1))?,
            false => plan.project(domain.exprs())?.distinct()?,
        };
        self.join(plan.build()?, &domain, lit(true)).map(Expr::is_not_null)
    }

    /// What a subquery takes from the plan's rows.
    fn domain(&self, subquery: &LogicalPlan) -> Result<Domain> {
        let outer = domain::columns_of(subquery, self.plan.schema())?;
        match outer.is_empty() {
            true => Ok(Domain::none()),
            false => Domain::new(self.plan.clone(), outer),
        }
    }

    /// `x IN (…)`: true when a row equals x, else NULL when the answer hangs on a NULL, else false.
    fn contains(&mut self, expr: Expr, subquery: &Subquery) -> Result<Expr> {
        let (expr, column) = self.named(expr)?;
        let field = Arc::clone(self.plan.schema().field_from_column(&column)?);
        let rows = subquery.subquery.as_ref();
        let value = Expr::Column(Column::from(rows.schema().qualified_field(0)));
        let outer = Expr::OuterReferenceColumn(field, column);
        let filtered =
            |condition: Expr| LogicalPlanBuilder::from(rows.clone()).filter(condition)?.build();
        let found = self.exists(&filtered(outer.eq(value.clone()))?)?;
        let mut unknown = Vec::new();
        if value.nullable(rows.schema())? {
            unknown.push(self.exists(&filtered(value.is_null())?)?);
        }
        if expr.nullable(self.plan.schema())? {
            unknown.push(expr.is_null().and(self.exists(rows)?));
        }
        match unknown.into_iter().reduce(Expr::or) {
            None => Ok(found),
            Some(unknown) => {
                let null = lit(ScalarValue::Boolean(None));
                when(found, lit(true)).when(unknown, null).otherwise(lit(false))
            }
        }
    }

    /// An expression as a column of the plan.
    fn named(&mut self, expr: Expr) -> Result<(Expr, Column)> {
        if let Expr::Column(column) = &expr {
            let column = column.clone();
            return Ok((expr, column));
        }
        let name = fresh("value");
        let before = self.plan.schema().columns().into_iter().map(Expr::Column);
        let column = Column::new(Some(name.clone()), name.table());
        let exprs = before.chain([expr.alias_qualified(Some(name), column.name())]);
        self.plan = LogicalPlanBuilder::from(self.plan.clone())
            .project(exprs.collect::<Vec<_>>())?
            .build()?;
        Ok((Expr::Column(column.clone()), column))
    }

    /// Joins the value of one row for each member of the domain; gives its column.
    fn join(&mut self, rows: LogicalPlan, domain: &Domain, value: Expr) -> Result<Expr> {
        let name = fresh("subquery");
        let members = domain.outer.len();
        let exprs = domain.exprs().into_iter().chain([value]).enumerate();
        let exprs = exprs.map(|(place, expr)| expr.alias(domain::column_name(&name, place)));
        let rows = LogicalPlanBuilder::from(rows)
            .project(exprs.collect::<Vec<_>>())?
            .alias(name.clone())?
            .build()?;
        let mut columns = domain::columns(&name, members + 1);
        let result = columns.split_off(members).into_iter().map(Expr::Column).next();
        let keys = (domain.outer.clone(), columns);
        self.plan = domain::join(self.plan.clone(), rows, JoinType::Left, keys, None)?;
        Ok(result.unwrap_or_else(|| lit(true)))
    }
}

/// Whether a query gives at most one row for each of its calls.
fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(one) => has_one_row(&one.input),
        LogicalPlan::SubqueryAlias(one) => has_one_row(&one.input),
        LogicalPlan::Filter(one) => has_one_row(&one.input),
        LogicalPlan::Aggregate(one) => one.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(_) => true,
        LogicalPlan::Limit(one) => {
            matches!(one.fetch.as_deref(), Some(Expr::Literal(ScalarValue::Int64(Some(0 | 1)), _)))
        }
        _ => false,
    }
}
