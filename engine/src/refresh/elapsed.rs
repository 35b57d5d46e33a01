//! For whom a definition says something else because time has passed.
//!
//! The plans of one definition at two instants differ where it says `now()`. Where they differ only
//! in what a value is compared with, `ordered_at > now() - interval '90 days'`, the comparison has
//! turned for rows whose value lies between, and for no others. Above an aggregate,
//! `max(ordered_at) < …` has turned only for customers with a row whose value lies between.

use clientele_catalog::domains::Subject;
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator, TableScan, TableScanBuilder, lit,
};

use super::local::keyed;

/// A comparison that may have turned for some rows of a table.
#[derive(Debug)]
pub(super) struct Turned<'a> {
    scan: &'a TableScan,
    value: Expr,
    low: ScalarValue,
    high: ScalarValue,
}

/// What has turned between two plans of one definition.
///
/// # Errors
/// The reason why it cannot be told.
pub(super) fn between<'a>(
    before: &LogicalPlan,
    now: &'a LogicalPlan,
) -> Result<Vec<Turned<'a>>, String> {
    let mut turned = Vec::new();
    walk(before, now, &mut turned)?;
    Ok(turned)
}

const SHOWS: &str = "it shows the time, or computes with it";

fn walk<'a>(
    before: &LogicalPlan,
    now: &'a LogicalPlan,
    turned: &mut Vec<Turned<'a>>,
) -> Result<(), String> {
    if before == now {
        return Ok(());
    }
    match (before, now) {
        (LogicalPlan::TableScan(old), LogicalPlan::TableScan(new)) => {
            if old.table_name != new.table_name
                || old.projection != new.projection
                || old.filters.len() != new.filters.len()
            {
                return Err(SHOWS.to_owned());
            }
            for (old, filter) in old.filters.iter().zip(&new.filters) {
                for (value, low, high) in compared(old, filter)? {
                    turned.push(Turned { scan: new, value, low, high });
                }
            }
        }
        (LogicalPlan::Filter(old), LogicalPlan::Filter(new)) => {
            for (value, low, high) in compared(&old.predicate, &new.predicate)? {
                // Conditions on rows alone stand at the scan, too.
                if matches!(new.input.as_ref(), LogicalPlan::TableScan(_)) {
                    continue;
                }
                let Expr::Column(column) = &value else { return Err(SHOWS.to_owned()) };
                let (scan, column) = traced(&new.input, column).ok_or(SHOWS)?;
                turned.push(Turned { scan, value: Expr::Column(column), low, high });
            }
        }
        _ if std::mem::discriminant(before) != std::mem::discriminant(now)
            || before.expressions() != now.expressions() =>
        {
            return Err(SHOWS.to_owned());
        }
        _ => {}
    }
    let (old, new) = (before.inputs(), now.inputs());
    if old.len() != new.len() {
        return Err(SHOWS.to_owned());
    }
    old.into_iter().zip(new).try_for_each(|(old, new)| walk(old, new, turned))
}

type Comparisons = Vec<(Expr, ScalarValue, ScalarValue)>;

/// Values that are compared with other literals than before.
fn compared(before: &Expr, now: &Expr) -> Result<Comparisons, String> {
    if before == now {
        return Ok(Vec::new());
    }
    match (before, now) {
        (Expr::BinaryExpr(old), Expr::BinaryExpr(new)) if old.op == new.op => of_binary(old, new),
        (Expr::Not(old), Expr::Not(new)) => compared(old, new),
        (Expr::Between(old), Expr::Between(new)) if old.expr == new.expr => {
            let value = new.expr.as_ref();
            let mut found = Vec::new();
            for (old, new) in [(&old.low, &new.low), (&old.high, &new.high)] {
                if old != new {
                    found.push(range(value, old, new)?);
                }
            }
            Ok(found)
        }
        _ => Err(SHOWS.to_owned()),
    }
}

fn of_binary(old: &BinaryExpr, new: &BinaryExpr) -> Result<Comparisons, String> {
    match new.op {
        Operator::And | Operator::Or => {
            let mut found = compared(&old.left, &new.left)?;
            found.extend(compared(&old.right, &new.right)?);
            Ok(found)
        }
        Operator::Gt | Operator::GtEq | Operator::Lt | Operator::LtEq => {
            if old.left == new.left {
                return Ok(vec![range(&new.left, &old.right, &new.right)?]);
            }
            if old.right == new.right {
                return Ok(vec![range(&new.right, &old.left, &new.left)?]);
            }
            Err(SHOWS.to_owned())
        }
        _ => Err(SHOWS.to_owned()),
    }
}

fn range(value: &Expr, old: &Expr, new: &Expr) -> Result<(Expr, ScalarValue, ScalarValue), String> {
    match (old, new) {
        (Expr::Literal(old, _), Expr::Literal(new, _)) if !old.is_null() && !new.is_null() => {
            match old.partial_cmp(new) {
                Some(std::cmp::Ordering::Greater) => Ok((value.clone(), new.clone(), old.clone())),
                Some(_) => Ok((value.clone(), old.clone(), new.clone())),
                None => Err(SHOWS.to_owned()),
            }
        }
        _ => Err(SHOWS.to_owned()),
    }
}

/// The scan and its column that a column's values come from, as they are or as `max`, `min`.
fn traced<'a>(plan: &'a LogicalPlan, column: &Column) -> Option<(&'a TableScan, Column)> {
    let at = plan.schema().maybe_index_of_column(column)?;
    let through = |input: &'a LogicalPlan, expr: &Expr| match expr {
        Expr::Column(column) => traced(input, column),
        Expr::Alias(alias) => match alias.expr.as_ref() {
            Expr::Column(column) => traced(input, column),
            _ => None,
        },
        _ => None,
    };
    match plan {
        LogicalPlan::TableScan(scan) => {
            let (_, field) = scan.projected_schema.iter().nth(at)?;
            Some((scan, Column::new(Some(scan.table_name.clone()), field.name())))
        }
        LogicalPlan::Projection(projection) => through(&projection.input, projection.expr.get(at)?),
        LogicalPlan::Aggregate(aggregate) => match aggregate.group_expr.get(at) {
            Some(group) => through(&aggregate.input, group),
            None => {
                let expr = aggregate.aggr_expr.get(at - aggregate.group_expr.len())?;
                through(&aggregate.input, extreme(expr)?)
            }
        },
        LogicalPlan::SubqueryAlias(alias) => {
            let (qualifier, field) = alias.input.schema().iter().nth(at)?;
            traced(&alias.input, &Column::from((qualifier, field)))
        }
        LogicalPlan::Filter(filter) => traced(&filter.input, column),
        LogicalPlan::Sort(sort) => traced(&sort.input, column),
        LogicalPlan::Repartition(repartition) => traced(&repartition.input, column),
        LogicalPlan::Join(join) => {
            [&join.left, &join.right].into_iter().find_map(|side| traced(side, column))
        }
        _ => None,
    }
}

/// The argument of a `max` or `min`.
fn extreme(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Alias(alias) => extreme(&alias.expr),
        Expr::AggregateFunction(call) if matches!(call.func.name(), "max" | "min") => {
            call.params.args.first()
        }
        _ => None,
    }
}

impl Turned<'_> {
    /// The customers for whom it may have turned, as a query.
    ///
    /// # Errors
    /// The reason why it cannot be told.
    pub(super) fn customers(&self, subject: Subject) -> Result<LogicalPlan, String> {
        let Some(key) = keyed(self.scan, subject)? else {
            return Err(format!(
                "the rows of {} that count change with time",
                self.scan.table_name
            ));
        };
        let plan = || -> DataFusionResult<LogicalPlan> {
            let source = std::sync::Arc::clone(&self.scan.source);
            let scan = TableScanBuilder::new(self.scan.table_name.clone(), source).build()?;
            let between = self.value.clone().between(lit(self.low.clone()), lit(self.high.clone()));
            LogicalPlanBuilder::from(LogicalPlan::TableScan(scan))
                .filter(between)?
                .project([Expr::Column(key)])?
                .build()
        };
        plan().map_err(|error| error.to_string())
    }
}
