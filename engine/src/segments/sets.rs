//! Set operations between materialized segments, as operations on the bitmaps of their members.
//!
//! ```text
//! Distinct(LeftSemi(scan of segments.a, scan of segments.b)) ─▶ Members: segments.a INTERSECT segments.b
//! ```
//!
//! They are found in the optimized plan, whatever the statement said: INTERSECT, UNION, EXCEPT, DISTINCT,
//! IN, NOT IN, EXISTS, joins on the customer. What is not plainly so is left to DataFusion: rows that a
//! restriction, a purpose or a condition leaves out, rows that would come twice.

use std::fmt::Write;
use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::storage::stored_rows;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::datasource::source_as_provider;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Extension, Join, LogicalPlan, TableScan};
use roaring::RoaringBitmap;

use super::members::{Memberships, Place};
use super::set_exec::MembersNode;

/// The members of all databases, and the one that is asked.
type Known<'a> = (&'a Memberships, Oid);

/// The values of a part of a plan all of whose columns show the same customer.
struct Set {
    customers: Arc<RoaringBitmap>,
    /// NULL is one of them.
    nobody: bool,
    /// Each comes once.
    distinct: bool,
    /// How it is made of segments, as it is said in SQL.
    text: String,
    /// A segment and nothing else: no operation.
    plain: bool,
}

/// The plan with bitmaps in place of set operations; `None`: it has none.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn as_sets(plan: &LogicalPlan, known: Known<'_>) -> Result<Option<LogicalPlan>> {
    if !could_be(plan)? {
        return Ok(None);
    }
    let replaced = plan.clone().transform_down_with_subqueries(|node| {
        let found = set_of(&node, known)?.filter(|set| set.distinct && !set.plain);
        Ok(match found {
            None => Transformed::no(node),
            Some(set) => {
                let members = MembersNode::new(
                    (set.customers, set.nobody),
                    set.text,
                    Arc::clone(node.schema()),
                );
                let node = LogicalPlan::Extension(Extension { node: Arc::new(members) });
                Transformed::new(node, true, TreeNodeRecursion::Jump)
            }
        })
    })?;
    Ok(replaced.transformed.then_some(replaced.data))
}

/// Most statements read no segment: they are let through at once.
fn could_be(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            found |= is_segment(scan)?;
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn is_segment(scan: &TableScan) -> Result<bool> {
    let provider = source_as_provider(&scan.source)?;
    Ok(stored_rows(provider.as_ref()).is_some_and(|(.., view)| super::is_segment(view)))
}

fn set_of(plan: &LogicalPlan, known: Known<'_>) -> Result<Option<Set>> {
    match plan {
        LogicalPlan::TableScan(scan) => of_scan(scan, known),
        LogicalPlan::SubqueryAlias(alias) => set_of(&alias.input, known),
        LogicalPlan::Projection(projection) if projection.expr.iter().all(is_column) => {
            set_of(&projection.input, known)
        }
        LogicalPlan::Filter(filter) if excludes_nobody(&filter.predicate) => {
            let set = set_of(&filter.input, known)?;
            Ok(set.map(|set| Set { nobody: false, ..set }))
        }
        LogicalPlan::Distinct(distinct) => once(distinct.input(), known),
        LogicalPlan::Aggregate(aggregate)
            if aggregate.aggr_expr.is_empty()
                && !aggregate.group_expr.is_empty()
                && aggregate.group_expr.iter().all(is_column) =>
        {
            once(&aggregate.input, known)
        }
        LogicalPlan::Union(union) => of_union(&union.inputs, known),
        LogicalPlan::Join(join) => of_join(join, known),
        _ => Ok(None),
    }
}

fn of_scan(scan: &TableScan, (memberships, database): Known<'_>) -> Result<Option<Set>> {
    // What the scan is asked to leave out is left out above it as well.
    let plain = scan.fetch.is_none() && scan.filters.iter().all(excludes_nobody);
    let [field] = &scan.projected_schema.fields()[..] else { return Ok(None) };
    if !plain || !is_segment(scan)? {
        return Ok(None);
    }
    let provider = source_as_provider(&scan.source)?;
    let Some((store, snapshot, view)) = stored_rows(provider.as_ref()) else { return Ok(None) };
    let Some(subject) = view.column(field.name()).and_then(|column| column.subject) else {
        return Ok(None);
    };
    let members = memberships
        .of(Place { database, store, snapshot, view, subject })
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(Some(Set {
        customers: members.customers,
        nobody: members.nobody,
        distinct: members.distinct,
        text: format!("segments.{}", view.name),
        plain: true,
    }))
}

/// Each value once.
fn once(input: &LogicalPlan, known: Known<'_>) -> Result<Option<Set>> {
    // The values of no column are not those of the segment.
    if input.schema().fields().is_empty() {
        return Ok(None);
    }
    Ok(set_of(input, known)?.map(|set| Set { distinct: true, plain: false, ..set }))
}

fn of_union(inputs: &[Arc<LogicalPlan>], known: Known<'_>) -> Result<Option<Set>> {
    let (mut customers, mut nobody, mut distinct) = (RoaringBitmap::new(), false, true);
    let mut text = String::new();
    for input in inputs {
        let Some(set) = set_of(input, known)? else { return Ok(None) };
        let apart = customers.is_disjoint(&set.customers) && !(nobody && set.nobody);
        distinct &= set.distinct && apart;
        customers |= set.customers.as_ref();
        nobody |= set.nobody;
        let word = if text.is_empty() { "" } else { " UNION " };
        let _ = write!(text, "{word}{}", operand(&set));
    }
    Ok(Some(Set { customers: Arc::new(customers), nobody, distinct, text, plain: false }))
}

fn of_join(join: &Join, known: Known<'_>) -> Result<Option<Set>> {
    use JoinType::{Inner, LeftAnti, LeftSemi, RightAnti, RightSemi};
    let on_customers = join.on.iter().all(|(left, right)| is_column(left) && is_column(right));
    if join.on.is_empty() || !on_customers || join.filter.is_some() {
        return Ok(None);
    }
    let Some(left) = set_of(&join.left, known)? else { return Ok(None) };
    let Some(right) = set_of(&join.right, known)? else { return Ok(None) };
    let nulls_meet = join.null_equality == NullEquality::NullEqualsNull;
    Ok(match join.join_type {
        Inner => {
            let distinct = left.distinct && right.distinct;
            Some(Set { distinct, ..both(&left, &right, nulls_meet) })
        }
        LeftSemi => Some(both(&left, &right, nulls_meet)),
        RightSemi => Some(both(&right, &left, nulls_meet)),
        LeftAnti if join.null_aware => Some(not_in(&left, &right)),
        LeftAnti => Some(without(&left, &right, nulls_meet)),
        RightAnti => Some(without(&right, &left, nulls_meet)),
        _ => None,
    })
}

/// The rows of `kept` that have an equal one in `other`.
fn both(kept: &Set, other: &Set, nulls_meet: bool) -> Set {
    Set {
        customers: Arc::new(kept.customers.as_ref() & other.customers.as_ref()),
        nobody: nulls_meet && kept.nobody && other.nobody,
        distinct: kept.distinct,
        text: format!("{} INTERSECT {}", operand(kept), operand(other)),
        plain: false,
    }
}

/// The rows of `kept` that have no equal one in `other`.
fn without(kept: &Set, other: &Set, nulls_meet: bool) -> Set {
    Set {
        customers: Arc::new(kept.customers.as_ref() - other.customers.as_ref()),
        nobody: kept.nobody && !(nulls_meet && other.nobody),
        distinct: kept.distinct,
        text: format!("{} EXCEPT {}", operand(kept), operand(other)),
        plain: false,
    }
}

/// `NOT IN`: not known of NULL, nor of anybody beside a NULL; true of all beside nothing.
fn not_in(kept: &Set, other: &Set) -> Set {
    let rest = without(kept, other, false);
    match (other.nobody, other.customers.is_empty()) {
        (true, _) => Set { customers: Arc::default(), nobody: false, ..rest },
        (false, true) => rest,
        (false, false) => Set { nobody: false, ..rest },
    }
}

fn operand(set: &Set) -> String {
    match set.plain || !set.text.contains(' ') {
        true => set.text.clone(),
        false => format!("({})", set.text),
    }
}

/// A column, whatever it is called: all of a set are equal.
fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_column(&alias.expr),
        other => matches!(other, Expr::Column(_)),
    }
}

fn excludes_nobody(condition: &Expr) -> bool {
    matches!(condition, Expr::IsNotNull(of) if is_column(of))
}
