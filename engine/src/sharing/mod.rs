//! What a statement computes twice is computed once.
//!
//! A WITH query or a view that is named twice becomes two equal parts of the plan; PostgreSQL
//! computes such a WITH query once (manual 7.8.3), DataFusion computes both. Here equal parts that
//! are worth it are found in the optimized plan, where each has only the columns and rows that it
//! needs, and are replaced by readers of one [`Materialized`](materialized::Materialized) result.
//!
//! ```text
//! optimized plan ─▶ share: equal parts ─▶ Shared nodes ─▶ SharedExec ┐
//!                                    part ─▶ physical plan ─▶ Materialized (memory, then disk)
//! ```

mod exec;
mod materialized;
mod node;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use clientele_catalog::definition::Oid;
use clientele_catalog::storage::same_rows;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::{Extension, LogicalPlan, TableScan};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::functions;
use crate::preview::SizePlanner;
use crate::segments::{self, MembersPlanner, Memberships};
use node::{Part, Shared, SharedPlanner};

/// Plans queries so that equal parts are computed once, and sets of members of segments as bitmaps.
#[derive(Debug, Default)]
pub(crate) struct SharingPlanner {
    /// Who is in which segment.
    pub(crate) memberships: Arc<Memberships>,
    /// The database.
    pub(crate) database: Oid,
}

#[async_trait]
impl QueryPlanner for SharingPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(SharedPlanner),
            Arc::new(SizePlanner),
            Arc::new(functions::calls::CallPlanner),
            Arc::new(MembersPlanner),
        ]);
        let as_sets = segments::as_sets(plan, (&self.memberships, self.database))?;
        let plan = as_sets.as_ref().unwrap_or(plan);
        match shared(plan)? {
            Some(plan) => planner.create_physical_plan(&plan, session).await,
            None => planner.create_physical_plan(plan, session).await,
        }
    }
}

/// The plan with its equal parts shared; `None`: it has none.
fn shared(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    if !names_a_table_twice(plan)? {
        return Ok(None);
    }
    let mut parts = Parts::default();
    parts.count(plan)?;
    parts.repeated.retain(|_, equal| equal.len() > 1);
    if parts.repeated.is_empty() {
        return Ok(None);
    }
    let mut made = HashMap::new();
    let plan = parts.replaced(plan, &mut made)?;
    Ok((!made.is_empty()).then_some(plan))
}

/// Most statements do not: they are let through at once. Recursive ones are, too: their parts see
/// other rows in each round.
fn names_a_table_twice(plan: &LogicalPlan) -> Result<bool> {
    let (mut names, mut twice, mut recursive) = (HashSet::new(), false, false);
    plan.apply(|node| {
        match node {
            LogicalPlan::TableScan(scan) => twice |= !names.insert(scan.table_name.clone()),
            LogicalPlan::RecursiveQuery(_) => recursive = true,
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(twice && !recursive)
}

/// The parts of a plan that could be shared.
#[derive(Default)]
struct Parts<'p> {
    /// By the first one of them: all that are equal.
    repeated: HashMap<&'p LogicalPlan, Vec<&'p LogicalPlan>>,
}

impl<'p> Parts<'p> {
    fn count(&mut self, plan: &'p LogicalPlan) -> Result<()> {
        if worth_sharing(plan) && repeatable(plan)? {
            let equal = self.repeated.entry(plan).or_default();
            if equal.first().map_or(Ok(true), |first| same_sources(first, plan))? {
                equal.push(plan);
            }
        }
        plan.inputs().into_iter().try_for_each(|input| self.count(input))
    }

    /// The plan with readers in place of its largest equal parts.
    fn replaced(
        &self,
        plan: &'p LogicalPlan,
        made: &mut HashMap<&'p LogicalPlan, Arc<Part>>,
    ) -> Result<LogicalPlan> {
        if let Some((first, equal)) = self.repeated.get_key_value(plan)
            && equal.iter().any(|one| std::ptr::eq(*one, plan))
        {
            if !made.contains_key(first) {
                let within = self.with_inputs(plan, made)?;
                let number = made.len() + 1;
                made.insert(first, Arc::new(Part::new(number, within)));
            }
            if let Some(part) = made.get(first) {
                let node = Arc::new(Shared::reader(part, plan.schema()));
                return Ok(LogicalPlan::Extension(Extension { node }));
            }
        }
        self.with_inputs(plan, made)
    }

    fn with_inputs(
        &self,
        plan: &'p LogicalPlan,
        made: &mut HashMap<&'p LogicalPlan, Arc<Part>>,
    ) -> Result<LogicalPlan> {
        let inputs = plan.inputs().into_iter().map(|input| self.replaced(input, made));
        let mut inputs = inputs.collect::<Result<Vec<_>>>()?.into_iter();
        let changed =
            plan.clone().map_children(|input| Ok(Transformed::yes(inputs.next().unwrap_or(input))));
        changed.map(|changed| changed.data)
    }
}

/// Whether computing it again costs more than keeping its rows.
fn worth_sharing(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Window(_) => true,
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Union(_) => plan.inputs().into_iter().any(worth_sharing),
        _ => false,
    }
}

/// Whether computing it again gives the same rows.
fn repeatable(plan: &LogicalPlan) -> Result<bool> {
    let mut repeatable = plan.all_out_ref_exprs().is_empty();
    plan.apply_with_subqueries(|node| {
        for expr in node.expressions() {
            repeatable &= !expr.is_volatile();
        }
        match repeatable {
            true => Ok(TreeNodeRecursion::Continue),
            false => Ok(TreeNodeRecursion::Stop),
        }
    })?;
    Ok(repeatable)
}

/// Whether the scans of two equal plans read the same rows: names do not say it.
fn same_sources(one: &LogicalPlan, other: &LogicalPlan) -> Result<bool> {
    let (one, other) = (scans(one)?, scans(other)?);
    let same = |(one, other): (&TableScan, &TableScan)| {
        if Arc::ptr_eq(&one.source, &other.source) {
            return Ok(true);
        }
        let (one, other) = (source_as_provider(&one.source)?, source_as_provider(&other.source)?);
        Ok(same_rows(one.as_ref(), other.as_ref()))
    };
    let all: Result<Vec<bool>> = one.iter().zip(&other).map(same).collect();
    Ok(one.len() == other.len() && all?.into_iter().all(|same| same))
}

fn scans(plan: &LogicalPlan) -> Result<Vec<TableScan>> {
    let mut scans = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            scans.push(scan.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(scans)
}
