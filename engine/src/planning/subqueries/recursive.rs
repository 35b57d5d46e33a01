//! `WITH RECURSIVE` below a reference to an outer query: the rows of its working table carry the
//! member of the domain that they belong to.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{RecursiveQuery, TableScan};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};

use super::dependent::dependent;
use super::domain::{Domain, fresh};

/// A working table that has the domain's columns too.
#[derive(Clone)]
pub(super) struct Working {
    /// The query's name for it.
    name: String,
    /// Its name here.
    own_name: String,
    source: Arc<dyn TableSource>,
}

/// The recursive query for every member of the domain.
pub(super) fn recursive(query: &RecursiveQuery, domain: &Domain) -> Result<LogicalPlan> {
    let first = with_members(&query.static_term, domain)?;
    let own_name = fresh("working").table().to_owned();
    let schema: Schema = first.schema().as_arrow().clone();
    let table = CteWorkTable::new(&own_name, Arc::new(schema));
    let source = provider_as_source(Arc::new(table));
    let working = Working { name: query.name.clone(), own_name: own_name.clone(), source };
    let next = with_members(&query.recursive_term, &domain.with_working(working))?;
    let plan = LogicalPlanBuilder::from(first)
        .to_recursive_query(own_name, next, query.is_distinct)?
        .build()?;
    let names = query.schema.columns().into_iter().chain(domain.columns());
    let pairs = plan.schema().columns().into_iter().zip(names);
    let exprs = pairs.map(|(old, new)| Expr::Column(old).alias_qualified(new.relation, new.name));
    let exprs = exprs.collect::<Vec<_>>();
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}

/// The plan's columns, then the domain's.
fn with_members(plan: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    let columns = plan.schema().columns().into_iter().map(Expr::Column);
    let exprs = columns.chain(domain.exprs()).collect::<Vec<_>>();
    LogicalPlanBuilder::from(dependent(plan, domain)?).project(exprs)?.build()
}

impl Working {
    /// Whether a plan reads it.
    pub(super) fn is_read_by(&self, plan: &LogicalPlan) -> Result<bool> {
        plan.exists(|node| Ok(matches!(node, LogicalPlan::TableScan(scan) if self.is(scan))))
    }

    /// Whether a scan is of it.
    pub(super) fn is(&self, scan: &TableScan) -> bool {
        scan.table_name.table() == self.name
            && datafusion::datasource::source_as_provider(&scan.source)
                .is_ok_and(|table| table.downcast_ref::<CteWorkTable>().is_some())
    }

    /// Its rows, under the names of a scan and of the domain.
    pub(super) fn rows(&self, scan: &TableScan, domain: &Domain) -> Result<LogicalPlan> {
        let plan =
            LogicalPlanBuilder::scan(self.own_name.as_str(), Arc::clone(&self.source), None)?;
        let all = plan.schema().columns();
        let members = all.iter().skip(all.len() - domain.outer.len()).cloned();
        let places = match &scan.projection {
            Some(places) => places.clone(),
            None => (0..scan.source.schema().fields().len()).collect(),
        };
        let shown = places.into_iter().filter_map(|place| all.get(place).cloned());
        let names = scan.projected_schema.columns().into_iter().chain(domain.columns());
        let exprs = shown
            .chain(members)
            .zip(names)
            .map(|(old, new)| Expr::Column(old).alias_qualified(new.relation, new.name));
        let exprs = exprs.collect::<Vec<_>>();
        plan.project(exprs)?.build()
    }
}
