//! What a model was made of, and whether there is news of a customer since.
//!
//! A query over one table is read anew for a customer whenever the table has changed: the scan finds
//! a customer's rows at once. One that joins would read the other tables whole. It is read anew for
//! those of whom the table that says whose the rows are has new rows, and for all once other rows
//! were changed or deleted.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::storage::{
    Customers, MemoryPart, PartId, RowAddress, Snapshot, TableData, Tally, stored_relation,
};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_plan::collect;
use roaring::RoaringBitmap;

use crate::error::Result;
use crate::planning::context::QueryContext;
use crate::session::physical;

/// What a model was made of. It must not keep files that others have replaced.
pub(super) struct Seen {
    /// `None`: rows came from elsewhere and may be others at any time.
    pub(super) tables: Option<Vec<Table>>,
    pub(super) customers: Arc<Customers>,
    /// Relation and column that say whose a row is, where the query takes them unchanged.
    origin: Option<(Oid, i16)>,
}

/// A table as it was.
pub(super) struct Table {
    pub(super) oid: Oid,
    data: Weak<TableData>,
    live_rows: u64,
    written: Tally,
    pub(super) parts: HashMap<PartId, SeenPart>,
}

/// A part as it was.
pub(super) struct SeenPart {
    rows: u32,
    pub(super) deleted: Option<Arc<RoaringBitmap>>,
    /// The rows themselves, where they were in memory: when they go to files, they go among others.
    pub(super) memory: Option<Arc<MemoryPart>>,
}

impl Table {
    fn of(context: &QueryContext, oid: Oid) -> Self {
        let data = context.snapshot.table(oid);
        let memory = data.memory.iter().map(|part| {
            let (rows, deleted) = (part.rows, part.deleted.clone());
            (part.id, SeenPart { rows, deleted, memory: Some(Arc::clone(part)) })
        });
        let files = data.files.iter().map(|part| {
            let rows = u32::try_from(part.entry.facts.rows).unwrap_or(u32::MAX);
            let deleted = part.deleted.clone();
            (part.entry.facts.part, SeenPart { rows, deleted, memory: None })
        });
        Self {
            oid,
            live_rows: data.live_rows(),
            written: context.store.tally(oid),
            parts: memory.chain(files).collect(),
            data: Arc::downgrade(&data),
        }
    }

    pub(super) fn is_still(&self, snapshot: &Snapshot) -> bool {
        self.data.as_ptr() == Arc::as_ptr(&snapshot.table(self.oid))
    }

    /// Whether rows that were there are others now, or gone.
    fn has_changed(&self, context: &QueryContext, is_origin: bool) -> bool {
        let now = context.store.tally(self.oid);
        let fewer = context.snapshot.row_count(self.oid) < self.live_rows;
        // A changed row is a new one where it says whose it is.
        fewer
            || now.deleted != self.written.deleted
            || !is_origin && now.updated != self.written.updated
    }

    fn is_new(&self, address: RowAddress) -> bool {
        self.parts.get(&address.part).is_none_or(|part| address.row >= part.rows)
    }
}

impl Seen {
    /// What a plan reads in the snapshot of a statement.
    pub(super) fn of(
        context: &QueryContext,
        plan: &LogicalPlan,
        origin: Option<(Oid, i16)>,
    ) -> Self {
        let mut tables = Some(Vec::new());
        let _ = plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let provider = source_as_provider(&scan.source)?;
                match (stored_relation(provider.as_ref()), &mut tables) {
                    (Some((relation, _)), Some(tables)) => {
                        tables.push(Table::of(context, relation.oid));
                    }
                    (None, _) => tables = None,
                    (_, None) => {}
                }
            }
            Ok(TreeNodeRecursion::Continue)
        });
        Self { tables, customers: Arc::clone(&context.snapshot.customers), origin }
    }

    /// Whether the purchases of some customers may be others than the model knows.
    ///
    /// # Errors
    /// None in practice: rows that cannot be read.
    pub(super) async fn has_news(
        &self,
        context: &Arc<QueryContext>,
        customers: &ArrayRef,
    ) -> Result<bool> {
        let Some(tables) = &self.tables else { return Ok(true) };
        let snapshot = &context.snapshot;
        let same_customers = Arc::ptr_eq(&self.customers, &snapshot.customers);
        if same_customers && tables.iter().all(|table| table.is_still(snapshot)) {
            return Ok(false);
        }
        let origin = self.origin.and_then(|(oid, number)| {
            let table = tables.iter().find(|table| table.oid == oid)?;
            Some((table, context.catalog().relation_by_oid(oid)?, number))
        });
        let Some((table, relation, number)) = origin.filter(|_| tables.len() > 1) else {
            return Ok(true);
        };
        let changed = |one: &Table| one.has_changed(context, one.oid == table.oid);
        match tables.iter().any(changed) {
            true => Ok(true),
            false => has_new_rows(context, (table, relation, number), customers).await,
        }
    }
}

/// Whether a table has rows of some customers that were not there.
async fn has_new_rows(
    context: &Arc<QueryContext>,
    (table, relation, number): (&Table, &Arc<Relation>, i16),
    customers: &ArrayRef,
) -> Result<bool> {
    let Some(column) = relation.column_by_number(number) else { return Ok(true) };
    let provider = context.store.table_provider(&context.snapshot, relation, true);
    let address = provider.schema().fields().len() - 1;
    let values = (0..customers.len()).map(|row| {
        let value = ScalarValue::try_from_array(customers, row)?;
        Ok(lit(value.cast_to(&column.pg_type.arrow())?))
    });
    let values = values.collect::<Result<Vec<_>>>()?;
    let source = provider_as_source(provider);
    let name = Expr::Column(Column::new_unqualified(&column.name));
    let plan = LogicalPlanBuilder::scan(
        "purchases",
        source,
        Some(vec![place_of(relation, number), address]),
    )?
    .filter(name.in_list(values, false))?
    .build()?;
    let plan = physical(context, &plan).await?;
    let batches = collect(plan, context.state.task_ctx()).await?;
    let addresses = batches
        .iter()
        .filter_map(|batch| batch.column(batch.num_columns() - 1).as_primitive_opt::<Int64Type>());
    let mut addresses = addresses.flat_map(|column| column.values().iter());
    Ok(addresses.any(|address| table.is_new(RowAddress::from_i64(*address))))
}

/// The place of a column among those that a scan has.
fn place_of(relation: &Relation, number: i16) -> usize {
    relation.live_columns().take_while(|column| column.number != number).count()
}
