//! The rows of some customers, taken out of the tables once for all views of a run.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{provider_schema, stored_relation};
use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{Int64Type, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, TableReference};
use datafusion::datasource::{MemTable, provider_as_source, source_as_provider};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableScan, TableScanBuilder, lit,
};
use roaring::RoaringBitmap;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::Session;

/// Up to so many customers are asked for by number: the scan reads their pages alone.
const ASKED_MAX: u64 = 1000;

/// What was taken out of the tables.
#[derive(Default)]
pub(crate) struct Extracts(HashMap<(Oid, Subject), Extract>);

struct Extract {
    columns: BTreeSet<String>,
    customers: RoaringBitmap,
    rows: Arc<MemTable>,
}

/// A table, and the columns of it that a plan reads.
type Wanted = HashMap<Oid, (Arc<Relation>, BTreeSet<String>)>;

impl Extracts {
    /// A plan over the rows of these customers in the place of those of all.
    ///
    /// # Errors
    /// What reading the tables does wrong.
    pub(super) async fn narrowed(
        &mut self,
        session: &Session,
        context: &Arc<QueryContext>,
        plan: LogicalPlan,
        (subject, customers): (Subject, &RoaringBitmap),
    ) -> Result<LogicalPlan> {
        for (oid, (relation, columns)) in wanted(&plan, subject)? {
            let known = self.0.get(&(oid, subject));
            let enough = known.is_some_and(|known| {
                columns.is_subset(&known.columns) && customers.is_subset(&known.customers)
            });
            if enough {
                continue;
            }
            let (mut columns, mut customers) = (columns, customers.clone());
            if let Some(known) = known {
                columns.extend(known.columns.iter().cloned());
                customers |= &known.customers;
            }
            let rows = take(session, context, (&relation, &columns), (subject, &customers)).await?;
            self.0.insert((oid, subject), Extract { columns, customers, rows });
        }
        let narrowed = plan.transform_down(|node| {
            let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
            let relation = table(scan).filter(|one| key(one, subject).is_some());
            let extract = relation.and_then(|one| self.0.get(&(one.oid, subject)));
            let Some(extract) = extract else { return Ok(Transformed::no(node)) };
            let source = provider_as_source(Arc::clone(&extract.rows) as _);
            let schema = source.schema();
            let places = scan.projected_schema.fields().iter();
            let places = places.map(|field| schema.index_of(field.name()));
            let places = places.collect::<std::result::Result<Vec<_>, _>>()?;
            // The scan's filters stand above it, too: the tables take them as hints.
            let scan = TableScanBuilder::new(scan.table_name.clone(), source);
            let scan = scan.with_projection(Some(places)).build()?;
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        })?;
        Ok(narrowed.data)
    }
}

fn table(scan: &TableScan) -> Option<Arc<Relation>> {
    let provider = source_as_provider(&scan.source).ok()?;
    stored_relation(provider.as_ref()).map(|(relation, _)| Arc::clone(relation))
}

fn key(relation: &Relation, subject: Subject) -> Option<&str> {
    let column = relation.live_columns().find(|one| one.subject == Some(subject));
    column.map(|column| column.name.as_str())
}

/// The tables with customers in a plan.
fn wanted(plan: &LogicalPlan, subject: Subject) -> Result<Wanted> {
    let mut wanted = Wanted::new();
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Some(relation) = table(scan)
            && let Some(key) = key(&relation, subject)
        {
            let key = key.to_owned();
            let (_, columns) = wanted.entry(relation.oid).or_insert((relation, BTreeSet::new()));
            columns.insert(key);
            columns.extend(scan.projected_schema.fields().iter().map(|one| one.name().clone()));
        }
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    })?;
    Ok(wanted)
}

/// The rows of customers in a table.
async fn take(
    session: &Session,
    context: &Arc<QueryContext>,
    (relation, columns): (&Arc<Relation>, &BTreeSet<String>),
    (subject, customers): (Subject, &RoaringBitmap),
) -> Result<Arc<MemTable>> {
    let whole = provider_schema(relation, false);
    let places: Vec<usize> = columns.iter().filter_map(|one| whole.index_of(one).ok()).collect();
    let schema = Arc::new(Schema::new(whole.project(&places).map_err(Error::internal)?.fields));
    let key = key(relation, subject).unwrap_or_default();
    let place = schema.index_of(key).map_err(Error::internal)?;
    let provider = context.store.table_provider(&context.snapshot, relation, false);
    let name = TableReference::bare(relation.name.as_str());
    let scan = LogicalPlanBuilder::scan(name.clone(), provider_as_source(provider), Some(places))?;
    let plan = if customers.len() <= ASKED_MAX {
        let key = Expr::Column(Column::new(Some(name), key));
        let numbers = customers.iter().map(|one| lit(i64::from(one))).collect();
        scan.filter(key.in_list(numbers, false))?.build()?
    } else {
        scan.build()?
    };
    let mut rows = Vec::new();
    for batch in session.collect(context, plan).await? {
        let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec());
        let batch = batch.map_err(Error::internal)?;
        let of_them = of_customers(&batch, place, customers);
        let batch = filter_record_batch(&batch, &of_them).map_err(Error::internal)?;
        if batch.num_rows() > 0 {
            rows.push(batch);
        }
    }
    Ok(Arc::new(MemTable::try_new(schema, vec![rows])?))
}

/// Which rows are of these customers.
pub(super) fn of_customers(
    batch: &RecordBatch,
    place: usize,
    customers: &RoaringBitmap,
) -> BooleanArray {
    let Some(numbers) = batch.column(place).as_primitive_opt::<Int64Type>() else {
        return BooleanArray::from(vec![false; batch.num_rows()]);
    };
    let wanted = |one: Option<i64>| {
        let customer = one.and_then(|one| u32::try_from(one).ok());
        Some(customer.is_some_and(|customer| customers.contains(customer)))
    };
    numbers.iter().map(wanted).collect()
}
