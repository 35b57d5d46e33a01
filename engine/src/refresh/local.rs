//! Whether a definition is *local*: whether what it says of a customer follows from the rows of
//! that customer alone (and of tables that are nobody's). Then a change of some customers' rows can
//! change nothing for the others.
//!
//! Seen from below, each part of an optimized plan has either rows of nobody, or rows each of which
//! is of one customer, whose number stands in its *keys*.

use std::collections::BTreeSet;

use clientele_catalog::domains::Subject;
use clientele_catalog::storage::stored_relation;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Join, LogicalPlan, TableScan, Volatility, Window,
};

use crate::{customers, functions};

/// Whose the rows of a part of a plan are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rows {
    /// Nobody's.
    Nobodys,
    /// Each is of the customer whose number is in these columns.
    Of(BTreeSet<usize>),
}

type Found = Result<Rows, String>;

/// Refuses a definition that is not local, with the reason. `column` has the customer in the result.
pub(super) fn check(plan: &LogicalPlan, column: usize, subject: Subject) -> Result<(), String> {
    match rows(plan, subject)? {
        Rows::Of(keys) if keys.contains(&column) => Ok(()),
        Rows::Of(_) => Err("its customer_id is computed".to_owned()),
        Rows::Nobodys => Err("it reads no table with customers".to_owned()),
    }
}

fn rows(plan: &LogicalPlan, subject: Subject) -> Found {
    expressions(plan)?;
    match plan {
        LogicalPlan::TableScan(scan) => of_scan(scan, subject),
        LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => Ok(Rows::Nobodys),
        LogicalPlan::Projection(projection) => {
            let input = rows(&projection.input, subject)?;
            Ok(kept(&input, projection.expr.iter(), projection.input.schema()))
        }
        LogicalPlan::Filter(filter) => rows(&filter.input, subject),
        LogicalPlan::SubqueryAlias(alias) => rows(&alias.input, subject),
        LogicalPlan::Repartition(repartition) => rows(&repartition.input, subject),
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => rows(&sort.input, subject),
        LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => {
            whole(plan, subject, "LIMIT chooses among the rows of all customers")
        }
        LogicalPlan::Aggregate(aggregate) => of_aggregate(aggregate, subject),
        LogicalPlan::Distinct(Distinct::All(input)) => match rows(input, subject)? {
            Rows::Of(keys) if keys.is_empty() => Err(GROUPS.to_owned()),
            found => Ok(found),
        },
        LogicalPlan::Window(window) => of_window(window, subject),
        LogicalPlan::Join(join) => of_join(join, subject),
        LogicalPlan::Union(union) => {
            let inputs: Vec<Rows> =
                union.inputs.iter().map(|input| rows(input, subject)).collect::<Result<_, _>>()?;
            Ok(inputs.into_iter().reduce(together).unwrap_or(Rows::Nobodys))
        }
        other => whole(other, subject, "it has a part that is computed over all customers"),
    }
}

const GROUPS: &str = "it groups rows of different customers";
const JOINS: &str = "it joins rows of different customers";

/// A part that takes its rows together: nobody's rows stay nobody's.
fn whole(plan: &LogicalPlan, subject: Subject, reason: &str) -> Found {
    match plan.inputs().into_iter().all(|input| rows(input, subject) == Ok(Rows::Nobodys))
        && !matches!(plan, LogicalPlan::Extension(_))
    {
        true => Ok(Rows::Nobodys),
        false => Err(reason.to_owned()),
    }
}

/// Keys that both sides of a union have; rows of nobody may stand under any.
fn together(one: Rows, other: Rows) -> Rows {
    match (one, other) {
        (Rows::Nobodys, Rows::Nobodys) => Rows::Nobodys,
        (Rows::Nobodys, Rows::Of(keys)) | (Rows::Of(keys), Rows::Nobodys) => Rows::Of(keys),
        (Rows::Of(one), Rows::Of(other)) => Rows::Of(one.intersection(&other).copied().collect()),
    }
}

/// The column of customers of a scan, if it has one.
pub(super) fn keyed(scan: &TableScan, subject: Subject) -> Result<Option<Column>, String> {
    let provider = source_as_provider(&scan.source).map_err(|error| error.to_string())?;
    let column = match (stored_relation(provider.as_ref()), customers::subject(provider.as_ref())) {
        (Some((relation, _)), _) => {
            let column = relation.live_columns().find(|column| column.subject == Some(subject));
            column.map(|column| column.name.as_str())
        }
        (None, Some(found)) if found == subject => Some(subject.column()),
        _ => return Err(format!("rows of {} are not stored", scan.table_name)),
    };
    Ok(column.map(|column| Column::new(Some(scan.table_name.clone()), column)))
}

fn of_scan(scan: &TableScan, subject: Subject) -> Found {
    if scan.fetch.is_some() {
        return Err("LIMIT chooses among the rows of all customers".to_owned());
    }
    Ok(match keyed(scan, subject)? {
        None => Rows::Nobodys,
        Some(column) => {
            Rows::Of(scan.projected_schema.maybe_index_of_column(&column).into_iter().collect())
        }
    })
}

/// The keys that expressions hand on as they are.
fn kept<'a>(input: &Rows, exprs: impl Iterator<Item = &'a Expr>, schema: &DFSchema) -> Rows {
    let Rows::Of(keys) = input else { return Rows::Nobodys };
    let is_key = |expr: &Expr| place(expr, schema).is_some_and(|place| keys.contains(&place));
    Rows::Of(exprs.enumerate().filter(|(_, expr)| is_key(expr)).map(|(at, _)| at).collect())
}

/// The place of a plain column.
fn place(expr: &Expr, schema: &DFSchema) -> Option<usize> {
    match expr {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        Expr::Alias(alias) => place(&alias.expr, schema),
        _ => None,
    }
}

fn of_aggregate(aggregate: &Aggregate, subject: Subject) -> Found {
    let input = rows(&aggregate.input, subject)?;
    if input == Rows::Nobodys {
        return Ok(Rows::Nobodys);
    }
    let plain = !aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_)));
    match kept(&input, aggregate.group_expr.iter(), aggregate.input.schema()) {
        Rows::Of(keys) if plain && !keys.is_empty() => Ok(Rows::Of(keys)),
        _ => Err(GROUPS.to_owned()),
    }
}

fn of_window(window: &Window, subject: Subject) -> Found {
    let input = rows(&window.input, subject)?;
    let Rows::Of(_) = &input else { return Ok(input) };
    let schema = window.input.schema();
    let by_customer = |expr: &Expr| {
        let function = match expr {
            Expr::Alias(alias) => alias.expr.as_ref(),
            other => other,
        };
        match function {
            Expr::WindowFunction(one) => {
                matches!(kept(&input, one.params.partition_by.iter(), schema), Rows::Of(keys) if !keys.is_empty())
            }
            _ => false,
        }
    };
    match window.window_expr.iter().all(by_customer) {
        // The columns of the input come first.
        true => Ok(input),
        false => Err("a window spans rows of different customers".to_owned()),
    }
}

fn of_join(join: &Join, subject: Subject) -> Found {
    let (left, right) = (rows(&join.left, subject)?, rows(&join.right, subject)?);
    let width = join.left.schema().fields().len();
    let moved = |keys: &BTreeSet<usize>| keys.iter().map(|key| key + width).collect();
    use JoinType as J;
    match (left, right) {
        (Rows::Nobodys, Rows::Nobodys) => Ok(Rows::Nobodys),
        (Rows::Of(keys), Rows::Nobodys) => match join.join_type {
            J::Inner | J::Left | J::LeftSemi | J::LeftAnti | J::LeftMark => Ok(Rows::Of(keys)),
            _ => Err(JOINS.to_owned()),
        },
        (Rows::Nobodys, Rows::Of(keys)) => match join.join_type {
            J::Inner | J::Right => Ok(Rows::Of(moved(&keys))),
            J::RightSemi | J::RightAnti | J::RightMark => Ok(Rows::Of(keys)),
            _ => Err(JOINS.to_owned()),
        },
        (Rows::Of(left), Rows::Of(right)) => {
            let same = join.on.iter().any(|(one, other)| {
                let one = place(one, join.left.schema()).is_some_and(|at| left.contains(&at));
                one && place(other, join.right.schema()).is_some_and(|at| right.contains(&at))
            });
            // NOT IN looks at the NULLs of all rows.
            if !same || join.null_aware {
                return Err(JOINS.to_owned());
            }
            match join.join_type {
                J::Inner => Ok(Rows::Of(left.into_iter().chain(moved(&right)).collect())),
                J::Left | J::LeftSemi | J::LeftAnti | J::LeftMark => Ok(Rows::Of(left)),
                J::Right => Ok(Rows::Of(moved(&right))),
                J::RightSemi | J::RightAnti | J::RightMark => Ok(Rows::Of(right)),
                J::Full => Ok(Rows::Of(BTreeSet::new())),
            }
        }
    }
}

/// Refuses expressions whose values do not follow from their row alone.
fn expressions(plan: &LogicalPlan) -> Result<(), String> {
    let mut refused = None;
    let _ = plan.apply_expressions(|expr| {
        expr.apply(|part| {
            refused = match part {
                Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                    Some("it has a subquery over all customers".to_owned())
                }
                Expr::ScalarFunction(call) => {
                    varies(call.name(), call.args.len(), call.func.signature().volatility)
                }
                _ => None,
            };
            Ok(match refused {
                Some(_) => TreeNodeRecursion::Stop,
                None => TreeNodeRecursion::Continue,
            })
        })
    });
    refused.map_or(Ok(()), Err)
}

/// Why a function may give another value for the same row.
fn varies(name: &str, arguments: usize, volatility: Volatility) -> Option<String> {
    let of_today = name == "age" && arguments == 1;
    let varies = volatility == Volatility::Volatile || of_today || functions::is_of_session(name);
    varies.then(|| format!("it calls {name}"))
}
