//! Joins from few rows: where one side of a hash join turns out to have few values, the other reads
//! their rows by an index instead of all of its table.
//!
//! DataFusion tells the scan of the other side which values there are, once they are known (a
//! dynamic filter). The operator here stands in the scan's place: at its first row it looks at that
//! filter, and searches, or else lets the scan run.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result as DataFusionResult, ScalarValue, Statistics};
use datafusion::datasource::physical_plan::{FileScanConfig, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column as ColumnExpr, DynamicFilterPhysicalExpr, InListExpr, Literal,
};
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::access::{Condition, Test};
use super::exec::BATCH_ROWS;
use super::scanned::Scanned;
use crate::definition::{Column, Relation};
use crate::storage::file::FileEntry;
use crate::storage::part::{PartId, RowAddress};
use crate::storage::provider::{ScanColumn, external};
use crate::storage::stored;

/// Puts [`ProbeExec`] over scans that a join will tell its values.
#[derive(Debug)]
pub struct ProbeByIndex;

impl PhysicalOptimizerRule for ProbeByIndex {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _options: &ConfigOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            // What runs again and again is told other values each time.
            if node.is::<RecursiveQueryExec>() {
                return Ok(Transformed::new(node, false, TreeNodeRecursion::Jump));
            }
            Ok(match probe(&node) {
                Some(probe) => Transformed::new(Arc::new(probe), true, TreeNodeRecursion::Jump),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "probe_by_index"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Which of a scan's files and columns are read.
#[derive(Debug)]
struct Read {
    scanned: Arc<Scanned>,
    parts: HashSet<PartId>,
    /// Numbers of the columns.
    columns: Vec<i16>,
    filter: Arc<dyn PhysicalExpr>,
}

/// A scan that is left out when its filter names few rows by then.
#[derive(Debug)]
struct ProbeExec {
    scan: Arc<dyn ExecutionPlan>,
    read: Arc<Read>,
    /// The rows, found by the first partition that runs; `None`: the scan is to run.
    found: Arc<OnceCell<Option<Vec<RowAddress>>>>,
}

/// The operator in the place of a scan, where that is possible.
fn probe(scan: &Arc<dyn ExecutionPlan>) -> Option<ProbeExec> {
    let source = scan.downcast_ref::<DataSourceExec>()?;
    let (config, parquet) = source.downcast_to_file_source::<ParquetSource>()?;
    // Then no operator behind it looks at the other conditions.
    let decides = parquet.table_parquet_options().global.pushdown_filters;
    let filter = config.file_source.filter().filter(|_| !decides && config.limit.is_none())?;
    let scanned = Arc::clone(files(config).next()?.extension::<Arc<Scanned>>()?);
    let relation = &scanned.relation;
    let told = split_conjunction(&filter).into_iter().any(|part| {
        let dynamic = part.downcast_ref::<DynamicFilterPhysicalExpr>();
        dynamic.is_some_and(|dynamic| dynamic.children().iter().any(|one| leads(relation, one)))
    });
    let projection = config.file_source.projection()?;
    let columns = projection.expr_iter().map(|expr| {
        let column = column_of(relation, &expr)?;
        let as_stored = stored::stored_type(column.pg_type) == column.pg_type.arrow();
        (as_stored && column.subject.is_none()).then_some(column.number)
    });
    let columns = columns.collect::<Option<Vec<_>>>().filter(|_| told)?;
    let entries = files(config).filter_map(|file| file.extension::<Arc<FileEntry>>());
    let parts = entries.map(|entry| entry.facts.part).collect();
    let read = Arc::new(Read { scanned, parts, columns, filter });
    Some(ProbeExec { scan: Arc::clone(scan), read, found: Arc::default() })
}

fn files(
    config: &FileScanConfig,
) -> impl Iterator<Item = &datafusion::datasource::listing::PartitionedFile> {
    config.file_groups.iter().flat_map(|group| group.files())
}

fn column_of<'a>(relation: &'a Relation, expr: &Arc<dyn PhysicalExpr>) -> Option<&'a Column> {
    let name = expr.downcast_ref::<ColumnExpr>()?.name();
    relation.live_columns().find(|column| column.stored_name == name)
}

/// Whether an index begins with the column.
fn leads(relation: &Relation, expr: &Arc<dyn PhysicalExpr>) -> bool {
    let Some(column) = column_of(relation, expr) else { return false };
    let keys = relation.unique_keys().map(|(_, columns)| columns);
    let plain = relation.indexes.iter().filter(|one| one.sorts());
    let mut all = keys.chain(plain.map(|one| one.columns.as_slice()));
    all.any(|columns| columns.first() == Some(&column.number))
}

impl Read {
    /// The rows that the filter names by now.
    fn find(&self) -> DataFusionResult<Option<Vec<RowAddress>>> {
        let mut conditions = Vec::new();
        for part in split_conjunction(&self.filter) {
            let Some(dynamic) = part.downcast_ref::<DynamicFilterPhysicalExpr>() else { continue };
            let now = dynamic.current()?;
            conditions.extend(split_conjunction(&now).into_iter().filter_map(|one| self.list(one)));
        }
        if conditions.is_empty() {
            return Ok(None);
        }
        let found = self.scanned.rows(&conditions).map_err(external)?;
        Ok(found.map(|(_, mut rows)| {
            rows.retain(|address| self.parts.contains(&address.part));
            rows
        }))
    }

    /// The values that a column has, if a condition lists them.
    fn list(&self, condition: &Arc<dyn PhysicalExpr>) -> Option<Condition> {
        let literal = |expr: &Arc<dyn PhysicalExpr>| -> Option<ScalarValue> {
            Some(expr.downcast_ref::<Literal>()?.value().clone())
        };
        let (column, values) = match condition.downcast_ref::<InListExpr>() {
            Some(list) if !list.negated() => {
                let values = list.list().iter().map(literal).collect::<Option<Vec<_>>>()?;
                (list.expr(), values)
            }
            Some(_) => return None,
            None => {
                let binary = condition.downcast_ref::<BinaryExpr>()?;
                let equal = matches!(binary.op(), Operator::Eq);
                (binary.left(), vec![literal(binary.right()).filter(|_| equal)?])
            }
        };
        let column = column_of(&self.scanned.relation, column)?.number;
        Some(Condition { column, test: Test::OneOf(values) })
    }
}

impl DisplayAs for ProbeExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.read.scanned.relation.name;
        write!(f, "Index Scan on {table} for few values, for more:")
    }
}

impl ExecutionPlan for ProbeExec {
    fn name(&self) -> &'static str {
        "Index Scan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.scan.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.scan]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let scan = children.pop().unwrap_or_else(|| Arc::clone(&self.scan));
        // Another scan may have another filter.
        Ok(match probe(&scan) {
            Some(probe) => Arc::new(probe),
            None => scan,
        })
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.scan.metrics()
    }

    fn partition_statistics(&self, partition: Option<usize>) -> DataFusionResult<Arc<Statistics>> {
        self.scan.partition_statistics(partition)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let (scan, read, found) =
            (Arc::clone(&self.scan), Arc::clone(&self.read), Arc::clone(&self.found));
        let schema = self.schema();
        let as_read = Arc::clone(&schema);
        let batches = stream::once(async move {
            let rows = found.get_or_try_init(async || read.find()).await?;
            let Some(rows) = rows else { return scan.execute(partition, context) };
            // One partition has them all.
            let rows = if partition == 0 { rows.as_slice() } else { &[] };
            let columns = read.columns.iter();
            let columns = columns.filter_map(|one| read.scanned.relation.column_by_number(*one));
            let columns: Vec<ScanColumn<'_>> = columns.map(ScanColumn::Stored).collect();
            let batch = |rows| read.scanned.read(rows, (&columns, &as_read)).map_err(external);
            let batches: Vec<_> = rows.chunks(BATCH_ROWS).map(batch).collect();
            let batches = stream::iter(batches).boxed();
            Ok(Box::pin(RecordBatchStreamAdapter::new(as_read, batches)) as _)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches.try_flatten())))
    }
}
