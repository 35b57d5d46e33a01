//! The rows of some customers, taken out of the tables once for all views of a run.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::domains::Subject;
use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, TableReference};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableScan, TableScanBuilder, TableSource, lit,
};
use roaring::RoaringBitmap;

use super::local::keyed;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::needs::origin;
use crate::session::Session;

/// Up to so many customers are asked for by number: by an index of values. For more, reading whose
/// each row is takes less.
const ASKED_MAX: u64 = 16;

/// What was taken out of the tables, and what will be.
#[derive(Default)]
pub(super) struct Extracts {
    taken: HashMap<(Oid, Subject), (Extent, Arc<MemTable>)>,
    expected: HashMap<(Oid, Subject), Extent>,
}

/// Columns of the rows of customers.
#[derive(Clone, Default)]
struct Extent {
    columns: BTreeSet<String>,
    customers: RoaringBitmap,
}

impl Extent {
    fn holds(&self, columns: &BTreeSet<String>, customers: &RoaringBitmap) -> bool {
        columns.is_subset(&self.columns) && customers.is_subset(&self.customers)
    }

    fn add(&mut self, columns: &BTreeSet<String>, customers: &RoaringBitmap) {
        self.columns.extend(columns.iter().cloned());
        self.customers |= customers;
    }
}

/// The columns of a table that a plan reads, that with the customer among them.
struct Wanted {
    source: Arc<dyn TableSource>,
    key: String,
    columns: BTreeSet<String>,
}

impl Extracts {
    /// The rows of these customers will be wanted: what is taken for others holds them, too.
    ///
    /// # Errors
    /// None in practice.
    pub(super) fn expect(
        &mut self,
        plan: &LogicalPlan,
        (subject, customers): (Subject, &RoaringBitmap),
    ) -> Result<()> {
        for (oid, Wanted { columns, .. }) in wanted(plan, subject)? {
            self.expected.entry((oid, subject)).or_default().add(&columns, customers);
        }
        Ok(())
    }

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
        for (oid, Wanted { source, key, columns }) in wanted(&plan, subject)? {
            let known = self.taken.get(&(oid, subject));
            if known.is_some_and(|(known, _)| known.holds(&columns, customers)) {
                continue;
            }
            let mut extent = known.map(|(known, _)| known.clone()).unwrap_or_default();
            extent.add(&columns, customers);
            if let Some(expected) = self.expected.get(&(oid, subject)) {
                extent.add(&expected.columns, &expected.customers);
            }
            let rows = take(session, context, (source, &key), &extent).await?;
            self.taken.insert((oid, subject), (extent, rows));
        }
        let narrowed = plan.transform_down(|node| {
            let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
            let extract = place(scan).and_then(|oid| self.taken.get(&(oid, subject)));
            let Some((_, rows)) = extract else { return Ok(Transformed::no(node)) };
            let source = provider_as_source(Arc::clone(rows) as _);
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

/// The relation that a scan reads.
fn place(scan: &TableScan) -> Option<Oid> {
    let schema = scan.source.schema();
    schema.fields().first().and_then(|field| origin(field)).map(|(oid, _)| oid)
}

/// The tables with customers in a plan.
fn wanted(plan: &LogicalPlan, subject: Subject) -> Result<HashMap<Oid, Wanted>> {
    let mut wanted: HashMap<Oid, Wanted> = HashMap::new();
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(Some(key)) = keyed(scan, subject)
            && let Some(oid) = place(scan)
        {
            let one = wanted.entry(oid).or_insert_with(|| Wanted {
                source: Arc::clone(&scan.source),
                key: key.name.clone(),
                columns: BTreeSet::from([key.name]),
            });
            one.columns.extend(scan.projected_schema.fields().iter().map(|one| one.name().clone()));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(wanted)
}

/// The rows of customers in a table.
async fn take(
    session: &Session,
    context: &Arc<QueryContext>,
    (source, key): (Arc<dyn TableSource>, &str),
    Extent { columns, customers }: &Extent,
) -> Result<Arc<MemTable>> {
    let whole = source.schema();
    let places: Vec<usize> = columns.iter().filter_map(|one| whole.index_of(one).ok()).collect();
    let schema = Arc::new(whole.project(&places).map_err(Error::internal)?);
    let place = schema.index_of(key).map_err(Error::internal)?;
    let name = TableReference::bare("extract");
    let scan = LogicalPlanBuilder::scan(name.clone(), source, Some(places))?;
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
