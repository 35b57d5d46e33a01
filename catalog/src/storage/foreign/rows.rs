//! The rows of a foreign table, for DataFusion.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{Result as DataFusionResult, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::Column as ColumnExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

use super::columns::{self, CastColumns};
use super::erased::Stays;
use super::files::{ForeignFile, Listings};
use super::reader::ForeignReaderFactory;
use crate::definition::{Column, Relation};
use crate::error::Error;
use crate::storage::provider::external;
use crate::storage::prune;
use crate::storage::scan_files::in_groups;
use crate::storage::store::Store;

/// A foreign table in a statement.
#[derive(Debug)]
pub(super) struct ForeignRows {
    store: Arc<Store>,
    relation: Arc<Relation>,
    schema: SchemaRef,
    /// `None` in a plan that outlives its statement.
    listings: Option<Arc<Listings>>,
}

impl ForeignRows {
    pub(super) fn new(
        store: &Arc<Store>,
        relation: &Arc<Relation>,
        schema: SchemaRef,
        listings: Option<Arc<Listings>>,
    ) -> Self {
        Self { store: Arc::clone(store), relation: Arc::clone(relation), schema, listings }
    }

    pub(super) fn relation(&self) -> &Arc<Relation> {
        &self.relation
    }

    pub(super) fn moved_to(&self, listings: Option<&Arc<Listings>>) -> Self {
        let schema = Arc::clone(&self.schema);
        Self::new(&self.store, &self.relation, schema, listings.map(Arc::clone))
    }

    pub(super) fn shows_what(&self, other: &Self) -> bool {
        let listings = self.listings.as_ref().zip(other.listings.as_ref());
        self.relation.oid == other.relation.oid
            && self.schema == other.schema
            && listings.is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// A Parquet source of some columns. DataFusion hands it the conditions of the filters above it.
    fn source(&self, state: &dyn Session, filters: &[Expr], read: &[usize]) -> ParquetSource {
        let mut options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..Default::default()
        };
        // Where one value is looked for it pays to find its rows first.
        options.global.pushdown_filters = wants_few_rows(&self.schema, filters, read);
        // Old timestamps have nanoseconds and would end in the year 2262.
        options.global.coerce_int96 = Some("us".to_owned());
        ParquetSource::new(TableSchema::builder(Arc::clone(&self.schema)).build())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(ForeignReaderFactory))
            .with_enable_page_index(true)
            .with_bloom_filter_on_read(true)
    }

    fn columns(&self, places: &[usize]) -> impl Iterator<Item = &Column> {
        let all: Vec<&Column> = self.relation.live_columns().collect();
        places.iter().filter_map(move |place| all.get(*place).copied())
    }
}

/// Whether one value is asked for, and more columns than that.
fn wants_few_rows(schema: &Schema, filters: &[Expr], read: &[usize]) -> bool {
    let conditions = filters.iter().flat_map(split_conjunction);
    let named: Vec<&str> = conditions.filter_map(prune::equality).map(|one| one.0).collect();
    let mut read = read.iter().filter_map(|place| schema.fields().get(*place));
    !named.is_empty() && read.any(|field| !named.contains(&field.name().as_str()))
}

fn statistics(schema: &Schema, files: &[Arc<ForeignFile>], exact: bool) -> Statistics {
    let rows = files.iter().map(|file| file.rows()).sum::<u64>();
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let rows = if exact { Precision::Exact(rows) } else { Precision::Inexact(rows) };
    Statistics::new_unknown(schema).with_num_rows(rows)
}

fn partitioned(schema: &Schema, file: &Arc<ForeignFile>) -> (u64, PartitionedFile) {
    let rows = statistics(schema, std::slice::from_ref(file), true);
    let one = PartitionedFile::new(file.path.clone(), file.mark.bytes)
        .with_extension(Arc::clone(file))
        .with_statistics(Arc::new(rows));
    (file.mark.bytes, one)
}

/// Only the first columns of a plan.
fn first_columns(
    plan: Arc<dyn ExecutionPlan>,
    count: usize,
) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    if schema.fields().len() == count {
        return Ok(plan);
    }
    let fields = schema.fields().iter().take(count).enumerate();
    let exprs = fields.map(|(at, field)| ProjectionExpr {
        expr: Arc::new(ColumnExpr::new(field.name(), at)),
        alias: field.name().clone(),
    });
    Ok(Arc::new(ProjectionExec::try_new(exprs.collect::<Vec<_>>(), plan)?))
}

#[async_trait]
impl TableProvider for ForeignRows {
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
        let lost = || external(Error::Internal("a foreign table outside of a statement".into()));
        let listings = self.listings.as_ref().ok_or_else(lost)?;
        let shared = &self.store.shared;
        let files = listings.files(shared, &self.relation).await.map_err(external)?;
        let shown = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let stays = Stays::of(shared, &listings.catalog, &self.relation);
        let asked = stays.as_ref().map(Stays::places).unwrap_or_default();
        let mut read = shown.clone();
        read.extend(asked.iter().filter(|place| !shown.contains(place)));
        let named = filters.iter().flat_map(Expr::column_refs);
        let named = named.filter_map(|column| self.schema.index_of(&column.name).ok());
        let needed: Vec<usize> = read.iter().copied().chain(named).collect();
        for file in files.iter() {
            columns::check(file, self.columns(&needed)).map_err(external)?;
        }
        let parts = files.iter().map(|file| partitioned(&self.schema, file)).collect();
        let exact = filters.is_empty() && stays.is_none();
        let options = Arc::clone(state.config().options());
        let config = FileScanConfigBuilder::new(
            self.store.url().map_err(external)?,
            Arc::new(self.source(state, filters, &read)),
        )
        .with_file_groups(in_groups(parts, state.config().target_partitions()))
        .with_statistics(statistics(&self.schema, &files, exact))
        .with_limit(limit.filter(|_| stays.is_none()))
        .with_projection_indices(Some(read))?
        .with_expr_adapter(Some(Arc::new(CastColumns { options })))
        .build();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let Some(stays) = stays else { return Ok(scan) };
        let names: Vec<&str> =
            asked.iter().map(|place| self.schema.field(*place).name().as_str()).collect();
        let condition = stays.condition(&scan.schema(), &names, state)?;
        first_columns(Arc::new(FilterExec::try_new(condition, scan)?), shown.len())
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
