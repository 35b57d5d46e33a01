//! Scans of file parts: an ordinary Parquet source, with deleted rows left out by a row selection.

use std::collections::BTreeMap;
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::config::TableParquetOptions;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{
    ColumnStatistics, DFSchema, Result as DataFusionResult, ScalarValue, Statistics,
};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::physical_expr::expressions::{BinaryExpr, Column as ColumnExpr, Literal};
use datafusion::physical_expr::{PhysicalExpr, conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use parquet::arrow::RowNumber;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use roaring::RoaringBitmap;

use super::arrays::missing_value;
use super::entry_reader::EntryReaderFactory;
use super::index::Scanned;
use super::part::{FilePart, RowAddress};
use super::provider::{ScanColumn, StoredTable, external, origin_metadata};
use super::prune::{self, OneOf};
use super::{stitching, stored};
use crate::definition::Column;
use crate::error::Result;

/// Columns that a scan adds to find out row addresses; no column of a user has such a name.
const PART_COLUMN: &str = "clientele\u{1}part";
const ROW_COLUMN: &str = "clientele\u{1}row";

/// What a scan is asked for.
pub(super) struct FileScan<'a> {
    pub(super) table: &'a StoredTable,
    pub(super) state: &'a dyn Session,
    pub(super) columns: &'a [ScanColumn<'a>],
    pub(super) schema: &'a SchemaRef,
    pub(super) filters: &'a [Expr],
    pub(super) limit: Option<usize>,
    /// For a join's search, where the table has indexes.
    pub(super) scanned: Option<Arc<Scanned>>,
}

impl FileScan<'_> {
    /// One plan for all files that have the same columns; mostly that is one plan.
    pub(super) fn plans(&self) -> DataFusionResult<Vec<Arc<dyn ExecutionPlan>>> {
        let mut groups: BTreeMap<Vec<i16>, Vec<&FilePart>> = BTreeMap::new();
        for part in self.table.table.files.iter().filter(|part| part.live_rows() > 0) {
            let young = |column: &&Column| {
                column.missing.is_some() && !part.entry.facts.columns.contains(&column.number)
            };
            let young =
                self.table.relation.live_columns().filter(young).map(|column| column.number);
            groups.entry(young.collect()).or_default().push(part);
        }
        groups.iter().map(|(young, parts)| self.plan(young, parts)).collect()
    }

    /// The plan for files that lack the columns `young`, whose value there is a constant.
    fn plan(&self, young: &[i16], parts: &[&FilePart]) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let relation = &self.table.relation;
        let stored: Vec<&Column> =
            relation.live_columns().filter(|column| !young.contains(&column.number)).collect();
        let fields: Vec<Arc<Field>> = stored
            .iter()
            .map(|column| {
                let field = stored::stored_field(column, origin_metadata(relation, column));
                // Files allow NULL everywhere; plans are told what the table promises.
                Arc::new(field.as_ref().clone().with_nullable(!column.not_null))
            })
            .collect();
        let file_schema = Arc::new(Schema::new(fields));
        let addresses = self.columns.iter().any(|column| matches!(column, ScanColumn::RowAddress));
        let mut table_schema = TableSchema::builder(Arc::clone(&file_schema));
        if addresses {
            let row = Field::new(ROW_COLUMN, DataType::Int64, false).with_extension_type(RowNumber);
            table_schema = table_schema
                .with_table_partition_cols(vec![Arc::new(Field::new(
                    PART_COLUMN,
                    DataType::Int64,
                    false,
                ))])
                .with_virtual_columns(vec![Arc::new(row)]);
        }
        let mut options = TableParquetOptions {
            global: self.state.config_options().execution.parquet.clone(),
            ..Default::default()
        };
        options.global.pushdown_filters = self.wants_few_rows();
        let equalities =
            prune::equalities((relation, &self.table.customers), &stored, self.filters);
        let mut source = ParquetSource::new(table_schema.build())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(EntryReaderFactory))
            .with_enable_page_index(true)
            .with_bloom_filter_on_read(false);
        if let Some(predicate) = self.predicate(&stored, &file_schema)? {
            source = source.with_predicate(predicate);
        }
        let (indices, exprs) = self.projection(&stored)?;
        let url = self.table.store.url().map_err(external)?;
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(self.file_groups(parts, &stored, addresses, &equalities)?)
            .with_statistics(self.statistics(parts, &file_schema, addresses))
            .with_limit(self.limit)
            .with_projection_indices(Some(indices))?
            .build();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        if self.as_it_is(&exprs, &scan.schema()) {
            return Ok(scan);
        }
        Ok(Arc::new(ProjectionExec::try_new(exprs, scan)?))
    }

    /// Whether a value is looked for among rows of more columns than that: it pays to find the rows
    /// first, and to decode the other columns of these only. Of many rows it costs more.
    fn wants_few_rows(&self) -> bool {
        let conditions = self.filters.iter().flat_map(split_conjunction);
        let mut named: Vec<&str> =
            conditions.filter_map(prune::equality).map(|one| one.0).collect();
        named.sort_unstable();
        named.dedup();
        let others = self.columns.iter().filter_map(|column| match column {
            ScanColumn::Stored(column) => Some(column.name.as_str()),
            ScanColumn::RowAddress => None,
        });
        !named.is_empty() && others.filter(|name| !named.contains(name)).count() > 0
    }

    /// Whether a projection would only repeat its input.
    fn as_it_is(&self, exprs: &[ProjectionExpr], schema: &SchemaRef) -> bool {
        exprs.len() == schema.fields().len()
            && exprs.iter().zip(schema.fields()).enumerate().all(|(at, (expr, field))| {
                let column = expr.expr.downcast_ref::<ColumnExpr>();
                field.name() == &expr.alias && column.is_some_and(|column| column.index() == at)
            })
    }

    /// Columns to read, and the output columns from them.
    fn projection(
        &self,
        stored: &[&Column],
    ) -> DataFusionResult<(Vec<usize>, Vec<ProjectionExpr>)> {
        let mut indices: Vec<usize> = Vec::new();
        let mut exprs = Vec::with_capacity(self.columns.len());
        let read = |index: usize, name: &str, indices: &mut Vec<usize>| -> Arc<dyn PhysicalExpr> {
            let known = indices.iter().position(|one| *one == index);
            let at = known.unwrap_or_else(|| {
                indices.push(index);
                indices.len() - 1
            });
            Arc::new(ColumnExpr::new(name, at))
        };
        for (output, field) in self.columns.iter().zip(self.schema.fields()) {
            let expr = match output {
                ScanColumn::RowAddress => {
                    let part = read(stored.len(), PART_COLUMN, &mut indices);
                    let row = read(stored.len() + 1, ROW_COLUMN, &mut indices);
                    Arc::new(BinaryExpr::new(part, Operator::Plus, row))
                }
                ScanColumn::Stored(column) => {
                    let at = stored.iter().position(|one| one.number == column.number);
                    match at {
                        Some(at) => {
                            let read = read(at, &column.stored_name, &mut indices);
                            self.decoded(column, read, field)
                        }
                        None => {
                            let value = missing_value(column).map_err(external)?;
                            let metadata = FieldMetadata::from(field.metadata().clone());
                            Arc::new(Literal::new_with_metadata(value, Some(metadata)))
                        }
                    }
                }
            };
            exprs.push(ProjectionExpr { expr, alias: field.name().clone() });
        }
        Ok((indices, exprs))
    }

    /// A column that was read as queries see it.
    fn decoded(
        &self,
        column: &Column,
        read: Arc<dyn PhysicalExpr>,
        field: &Arc<Field>,
    ) -> Arc<dyn PhysicalExpr> {
        match column.subject {
            Some(subject) => {
                stitching::shown(read, (subject, &self.table.customers), field, self.state)
            }
            None => super::interval_expr::decoded(read, column.pg_type, field, self.state),
        }
    }

    /// The filters that files can be pruned with, over the files' columns.
    fn predicate(
        &self,
        stored: &[&Column],
        file_schema: &SchemaRef,
    ) -> DataFusionResult<Option<Arc<dyn PhysicalExpr>>> {
        let now = Arc::clone(&self.table.schema);
        let schema = DFSchema::try_from(now)?;
        let usable = |name: &str| {
            let column = stored.iter().find(|column| column.name == name);
            column.is_some_and(|column| {
                let as_stored = stored::stored_type(column.pg_type) == column.pg_type.arrow();
                as_stored && column.subject.is_none()
            })
        };
        let mut predicates = Vec::new();
        for filter in self.filters {
            if !filter.column_refs().iter().all(|column| usable(&column.name)) {
                continue;
            }
            let expr = self.state.create_physical_expr(filter.clone(), &schema)?;
            let expr = expr.transform(|node| {
                let Some(column) = node.downcast_ref::<ColumnExpr>() else {
                    return Ok(Transformed::no(node));
                };
                let at = stored.iter().position(|one| one.name == column.name());
                match at {
                    Some(at) => {
                        let name = file_schema.field(at).name();
                        Ok(Transformed::yes(Arc::new(ColumnExpr::new(name, at))))
                    }
                    None => Ok(Transformed::no(node)),
                }
            });
            predicates.push(expr.data()?);
        }
        Ok((!predicates.is_empty()).then(|| conjunction(predicates)))
    }

    /// Files in the order in which they were written.
    fn file_groups(
        &self,
        parts: &[&FilePart],
        stored: &[&Column],
        addresses: bool,
        equalities: &[OneOf<'_>],
    ) -> DataFusionResult<Vec<FileGroup>> {
        let mut files = Vec::with_capacity(parts.len());
        for part in parts {
            if let Some(selection) = self.selection(part, equalities).map_err(external)? {
                let file = self.file(part, stored, addresses, selection);
                files.push((part.entry.facts.bytes, file));
            }
        }
        Ok(in_groups(files, self.state.config().target_partitions()))
    }

    /// The rows of a file to look at: live ones that may have the values asked for. `None`: none;
    /// an empty selection: all.
    fn selection(&self, part: &FilePart, equalities: &[OneOf<'_>]) -> Result<Option<RowSelection>> {
        let facts = &part.entry.facts;
        let deleted = part.deleted.as_deref().filter(|deleted| !deleted.is_empty());
        if equalities.is_empty() {
            let live = deleted.map(|deleted| live_selection(deleted, facts.rows));
            return Ok(Some(live.unwrap_or_default()));
        }
        let mut rows = self.table.store.shared.values.rows(&part.entry, equalities)?;
        if let Some(deleted) = deleted {
            rows -= deleted;
        }
        let total = usize::try_from(facts.rows).unwrap_or(usize::MAX);
        let ranges =
            rows.iter().filter_map(|row| usize::try_from(row).ok()).map(|row| row..row + 1);
        Ok((!rows.is_empty()).then(|| RowSelection::from_consecutive_ranges(ranges, total)))
    }

    fn file(
        &self,
        part: &FilePart,
        stored: &[&Column],
        addresses: bool,
        selection: RowSelection,
    ) -> PartitionedFile {
        let facts = &part.entry.facts;
        let path = self.table.store.object_path(facts);
        // The entry is the key to the bytes, and keeps the file for as long as the plan lives.
        let mut file =
            PartitionedFile::new(path, facts.bytes).with_extension(Arc::clone(&part.entry));
        if let Some(scanned) = &self.scanned {
            file = file.with_extension(Arc::clone(scanned));
        }
        if addresses {
            let first = RowAddress { part: facts.part, row: 0 }.to_i64();
            file = file.with_partition_values(vec![ScalarValue::Int64(Some(first))]);
        }
        if selection.iter().next().is_some() {
            file = file.with_extension(ParquetRowSelection::new(selection));
        }
        file.with_statistics(Arc::new(file_statistics(part, stored)))
    }

    fn statistics(&self, parts: &[&FilePart], schema: &SchemaRef, addresses: bool) -> Statistics {
        let rows: u64 = parts.iter().map(|part| part.live_rows()).sum();
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let mut statistics = Statistics::new_unknown(schema);
        if addresses {
            let unknown = ColumnStatistics::new_unknown();
            statistics.column_statistics.extend([unknown.clone(), unknown]);
        }
        let exact = self.filters.is_empty();
        statistics.with_num_rows(if exact {
            Precision::Exact(rows)
        } else {
            Precision::Inexact(rows)
        })
    }
}

/// Files with their sizes in bytes, in order, cut into runs of like sizes; large files are cut later,
/// by DataFusion.
pub(super) fn in_groups(files: Vec<(u64, PartitionedFile)>, partitions: usize) -> Vec<FileGroup> {
    let count = partitions.min(files.len()).max(1);
    let total: u128 = files.iter().map(|(bytes, _)| u128::from(*bytes)).sum();
    let mut groups = vec![Vec::new(); count];
    let mut before = 0;
    for (bytes, file) in files {
        let group = before * count as u128 / total.max(1);
        groups[usize::try_from(group).unwrap_or(0).min(count - 1)].push(file);
        before += u128::from(bytes);
    }
    groups.retain(|files| !files.is_empty() || total == 0);
    groups.into_iter().map(FileGroup::new).collect()
}

/// Bounds of a file's columns. Deleted rows may make them too wide, never too narrow.
fn file_statistics(part: &FilePart, stored: &[&Column]) -> Statistics {
    let facts = &part.entry.facts;
    let columns = stored.iter().map(|column| {
        // A range of nodes is none of customers.
        let ranges = facts.ranges.iter().filter(|_| column.subject.is_none());
        let range = ranges.into_iter().find(|range| range.column == column.number);
        let bound = |value: i64| range_value(column.pg_type, value);
        let bounds = range.and_then(|range| Some((bound(range.minimum)?, bound(range.maximum)?)));
        match bounds {
            Some((minimum, maximum)) => ColumnStatistics::new_unknown()
                .with_min_value(Precision::Exact(minimum))
                .with_max_value(Precision::Exact(maximum)),
            None => ColumnStatistics::new_unknown(),
        }
    });
    Statistics {
        num_rows: Precision::Exact(usize::try_from(part.live_rows()).unwrap_or(usize::MAX)),
        total_byte_size: Precision::Absent,
        column_statistics: columns.collect(),
    }
}

fn range_value(pg_type: PgType, value: i64) -> Option<ScalarValue> {
    match pg_type.arrow() {
        DataType::Int16 => Some(ScalarValue::Int16(Some(value.try_into().ok()?))),
        DataType::Int32 => Some(ScalarValue::Int32(Some(value.try_into().ok()?))),
        DataType::Int64 => Some(ScalarValue::Int64(Some(value))),
        DataType::Date32 => Some(ScalarValue::Date32(Some(value.try_into().ok()?))),
        DataType::Timestamp(_, zone) => Some(ScalarValue::TimestampMicrosecond(Some(value), zone)),
        _ => None,
    }
}

/// The rows of a file that are not deleted.
fn live_selection(deleted: &RoaringBitmap, rows: u64) -> RowSelection {
    let mut selectors = Vec::new();
    let mut next = 0;
    for row in deleted.iter().filter_map(|row| usize::try_from(row).ok()) {
        if row > next {
            selectors.push(RowSelector::select(row - next));
        }
        selectors.push(RowSelector::skip(1));
        next = row + 1;
    }
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    if rows > next {
        selectors.push(RowSelector::select(rows - next));
    }
    RowSelection::from(selectors)
}

/// URL under which the files of a database are registered.
pub(super) fn store_url(database: crate::definition::Oid) -> Result<ObjectStoreUrl> {
    Ok(ObjectStoreUrl::parse(format!("clientele://{database}"))?)
}
