//! Scans: a relation of a snapshot as DataFusion sees it.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Result as DataFusionResult, Statistics};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;

use super::part::{MemoryBatch, MemoryPart, RowAddress, TableData};
use super::scan_files::FileScan;
use super::snapshot::Snapshot;
use super::stitching::Customers;
use super::store::Store;
use super::{foreign, index};
use crate::definition::{Column, Relation};
use crate::error::Result;

/// Field metadata key: where a column comes from, `relation_oid:column_number`.
pub const ORIGIN_KEY: &str = "origin";

/// Name of the column of row addresses.
pub const ROW_ADDRESS: &str = "ctid";

/// Rows of a batch that a scan hands out at most.
const SCAN_BATCH_ROWS: usize = 8192;

/// The schema that a relation's provider has.
pub fn provider_schema(relation: &Relation, with_row_address: bool) -> SchemaRef {
    let mut fields: Vec<Arc<Field>> =
        relation.live_columns().map(|column| origin_field(relation, column)).collect();
    if with_row_address {
        fields.push(PgType::TID.field(ROW_ADDRESS, false));
    }
    Arc::new(Schema::new(fields))
}

fn origin_field(relation: &Relation, column: &Column) -> Arc<Field> {
    // Nobody checks what files of others promise (manual: sql-createforeigntable, Notes).
    let nullable = !column.not_null || relation.foreign().is_some();
    let field = Field::new(&column.name, column.pg_type.arrow(), nullable);
    Arc::new(field.with_metadata(origin_metadata(relation, column)))
}

/// Metadata of a column's field: its exact type, and where it comes from.
pub(super) fn origin_metadata(relation: &Relation, column: &Column) -> HashMap<String, String> {
    let mut metadata = column.pg_type.metadata();
    metadata.insert(ORIGIN_KEY.to_owned(), format!("{}:{}", relation.oid, column.number));
    metadata
}

/// One column that a scan hands out.
#[derive(Debug, Clone, Copy)]
pub(super) enum ScanColumn<'a> {
    Stored(&'a Column),
    RowAddress,
}

impl ScanColumn<'_> {
    /// Number of a stored column.
    pub(super) fn number(&self) -> Option<i16> {
        match self {
            Self::Stored(column) => Some(column.number),
            Self::RowAddress => None,
        }
    }
}

/// A relation of a snapshot.
#[derive(Debug)]
pub(super) struct StoredTable {
    pub(super) store: Arc<Store>,
    pub(super) relation: Arc<Relation>,
    pub(super) table: Arc<TableData>,
    pub(super) schema: SchemaRef,
    /// Whose rows they are.
    pub(super) customers: Arc<Customers>,
    /// Keeps what the snapshot sees for as long as a plan may still be made from it.
    snapshot: Option<Arc<Snapshot>>,
}

impl StoredTable {
    pub(super) fn new(
        store: &Arc<Store>,
        snapshot: &Arc<Snapshot>,
        relation: &Arc<Relation>,
        schema: SchemaRef,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            table: snapshot.table(relation.oid),
            relation: Arc::clone(relation),
            schema,
            customers: Arc::clone(&snapshot.customers),
            snapshot: Some(Arc::clone(snapshot)),
        }
    }

    fn with_row_address(&self) -> bool {
        self.schema.fields().len() > self.relation.live_columns().count()
    }

    fn columns(&self, projection: Option<&Vec<usize>>) -> Vec<ScanColumn<'_>> {
        match projection {
            Some(projection) => index::columns(&self.relation, projection),
            None => {
                let all: Vec<usize> = (0..self.schema.fields().len()).collect();
                index::columns(&self.relation, &all)
            }
        }
    }

    /// The rows in memory, spread over partitions.
    fn memory_plan(
        &self,
        columns: &[ScanColumn<'_>],
        schema: &SchemaRef,
        partitions: usize,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let mut batches = Vec::new();
        for part in &self.table.memory {
            for batch in &part.batches {
                batches.extend(self.scan_batch(part, batch, columns, schema)?);
            }
        }
        if batches.is_empty() {
            return Ok(None);
        }
        let partitions = partitions.min(batches.len().div_ceil(4)).max(1);
        let share = batches.len().div_ceil(partitions);
        let groups: Vec<Vec<RecordBatch>> = batches.chunks(share).map(<[_]>::to_vec).collect();
        let plan = MemorySourceConfig::try_new_exec(&groups, Arc::clone(schema), None)?;
        Ok(Some(plan))
    }

    /// The live rows of a batch in the columns of a scan, cut into batches of a handy size.
    fn scan_batch(
        &self,
        part: &MemoryPart,
        batch: &MemoryBatch,
        columns: &[ScanColumn<'_>],
        schema: &SchemaRef,
    ) -> Result<Vec<RecordBatch>> {
        let mask = batch.live_mask(part.deleted.as_deref());
        let rows = mask.as_ref().map_or(batch.rows, |mask| mask.true_count());
        if rows == 0 {
            return Ok(Vec::new());
        }
        let arrays = columns.iter().map(|column| {
            let array = match column {
                ScanColumn::Stored(column) => self.customers.column_of(batch, column)?,
                ScanColumn::RowAddress => row_addresses(part, batch),
            };
            match &mask {
                Some(mask) => Ok(filter(&array, mask)?),
                None => Ok(array),
            }
        });
        let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let whole = RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?;
        let starts = (0..rows).step_by(SCAN_BATCH_ROWS);
        Ok(starts.map(|start| whole.slice(start, SCAN_BATCH_ROWS.min(rows - start))).collect())
    }
}

/// The relation that a provider of [`Store::table_provider`] reads, and whether with row addresses.
pub fn stored_relation(provider: &dyn TableProvider) -> Option<(&Arc<Relation>, bool)> {
    let table = provider.downcast_ref::<StoredTable>()?;
    Some((&table.relation, table.with_row_address()))
}

/// What a provider of [`Store::table_provider`] reads: where it is stored, as of which snapshot.
pub fn stored_rows(
    provider: &dyn TableProvider,
) -> Option<(&Arc<Store>, &Arc<Snapshot>, &Arc<Relation>)> {
    let table = provider.downcast_ref::<StoredTable>()?;
    Some((&table.store, table.snapshot.as_ref()?, &table.relation))
}

/// The same relation in another snapshot, or in none: without rows, and keeping no files. `None`
/// for a provider that is not of [`Store::table_provider`].
pub fn moved_to(
    provider: &dyn TableProvider,
    snapshot: Option<&Arc<Snapshot>>,
) -> Option<Arc<dyn TableProvider>> {
    let table = provider.downcast_ref::<StoredTable>()?;
    let (store, relation) = (Arc::clone(&table.store), Arc::clone(&table.relation));
    Some(Arc::new(StoredTable {
        table: snapshot.map(|one| one.table(relation.oid)).unwrap_or_default(),
        schema: Arc::clone(&table.schema),
        customers: snapshot.map(|one| Arc::clone(&one.customers)).unwrap_or_default(),
        snapshot: snapshot.map(Arc::clone),
        relation,
        store,
    }))
}

/// Whether two providers show the same rows in the same columns.
pub fn same_rows(one: &dyn TableProvider, other: &dyn TableProvider) -> bool {
    if foreign::same_rows(one, other) {
        return true;
    }
    let (one, other) = (one.downcast_ref::<StoredTable>(), other.downcast_ref::<StoredTable>());
    let (Some(one), Some(other)) = (one, other) else { return false };
    Arc::ptr_eq(&one.table, &other.table)
        && one.relation.oid == other.relation.oid
        && one.schema == other.schema
}

fn row_addresses(part: &MemoryPart, batch: &MemoryBatch) -> ArrayRef {
    let first = RowAddress { part: part.id, row: batch.start }.to_i64();
    Arc::new(Int64Array::from_iter_values((first..).take(batch.rows)))
}

#[async_trait]
impl TableProvider for StoredTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let schema = datafusion::physical_plan::project_schema(&self.schema, projection)?;
        let columns = self.columns(projection);
        if let Some(plan) = index::plan(self, projection, &schema, filters).map_err(external)? {
            return Ok(plan);
        }
        let partitions = state.config().target_partitions();
        let memory = self.memory_plan(&columns, &schema, partitions).map_err(external)?;
        let relation = &self.relation;
        let has_index = !relation.indexes.is_empty() || relation.unique_keys().next().is_some();
        let files = FileScan {
            table: self,
            state,
            columns: &columns,
            schema: &schema,
            filters,
            limit,
            scanned: has_index.then(|| Arc::new(index::Scanned::new(self))),
        };
        let mut plans = files.plans()?;
        plans.extend(memory);
        match plans.len() {
            0 => Ok(Arc::new(EmptyExec::new(schema))),
            1 => Ok(plans.swap_remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        let rows = usize::try_from(self.table.live_rows()).ok()?;
        Some(Statistics::new_unknown(&self.schema).with_num_rows(Precision::Exact(rows)))
    }
}

/// Our error as DataFusion carries it; the engine takes it out again.
pub(super) fn external(error: crate::error::Error) -> datafusion::error::DataFusionError {
    match error {
        crate::error::Error::DataFusion(error) => error,
        other => datafusion::error::DataFusionError::External(Box::new(other)),
    }
}
