//! The operator.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::arrange::{self, Arranged};
use super::function::Function;
use super::kernel;
use super::once::OnceExec;
use crate::memory::{copied_bytes, retained_bytes};

/// Rows that are handed out of one piece; slices of it are what the operator above sees.
const PIECE_ROWS: usize = 64 << 10;

/// Computes window functions of one partitioning and order over groups in memory.
#[derive(Debug, Clone)]
pub(super) struct GroupedWindowExec {
    /// DataFusion's operator, for what does not fit into memory.
    original: Arc<dyn ExecutionPlan>,
    partition_by: Vec<Arc<dyn PhysicalExpr>>,
    order_by: Vec<PhysicalSortExpr>,
    functions: Vec<Function>,
    properties: Arc<PlanProperties>,
}

impl GroupedWindowExec {
    pub(super) fn new(
        original: Arc<dyn ExecutionPlan>,
        (partition_by, order_by): (Vec<Arc<dyn PhysicalExpr>>, Vec<PhysicalSortExpr>),
        functions: Vec<Function>,
    ) -> Self {
        let input = original.children()[0];
        let properties = PlanProperties::new(
            EquivalenceProperties::new(original.schema()),
            input.output_partitioning().clone(),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { partition_by, order_by, functions, properties: Arc::new(properties), original }
    }

    fn input(&self) -> &Arc<dyn ExecutionPlan> {
        self.original.children()[0]
    }
}

impl DisplayAs for GroupedWindowExec {
    fn fmt_as(
        &self,
        _format: DisplayFormatType,
        formatter: &mut std::fmt::Formatter<'_>,
    ) -> std::fmt::Result {
        let names: Vec<&str> =
            self.functions.iter().map(|function| function.field.name().as_str()).collect();
        write!(formatter, "GroupedWindowExec: wdw=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for GroupedWindowExec {
    fn name(&self) -> &'static str {
        "GroupedWindowExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.original.children()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.original.apply_expressions(visit)
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::KeyPartitioned(self.partition_by.clone())]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let original = over(&self.original, children)?;
        let keys = (self.partition_by.clone(), self.order_by.clone());
        Ok(Arc::new(Self::new(original, keys, self.functions.clone())))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = self.input().execute(partition, Arc::clone(&context))?;
        let schema = self.schema();
        let reservation =
            MemoryConsumer::new("GroupedWindowExec").register(&context.runtime_env().memory_pool);
        let this = self.clone();
        let rows = stream::once(async move { this.run(input, reservation, context).await });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows.try_flatten())))
    }
}

impl GroupedWindowExec {
    async fn run(
        self,
        mut input: SendableRecordBatchStream,
        reservation: MemoryReservation,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut gathered = Gathered::new(&self)?;
        while let Some(batch) = input.next().await {
            let batch = batch?;
            // The pieces are joined, and the functions' results come beside them.
            let results = 16 * batch.num_rows() * (1 + self.functions.len());
            let bytes = retained_bytes(&batch) + copied_bytes(&batch) + results;
            gathered.batches.push(batch);
            let fits = reservation.try_grow(bytes).is_ok();
            if !fits || gathered.rows() > u32::MAX as usize {
                let batches = std::mem::take(&mut gathered.batches);
                drop((gathered, reservation));
                return self.sorted(batches, input, context);
            }
            gathered.add_last(&self)?;
            if gathered.has_order_nulls && self.functions.iter().any(Function::needs_words) {
                let batches = std::mem::take(&mut gathered.batches);
                drop((gathered, reservation));
                return self.sorted(batches, input, context);
            }
            tokio::task::consume_budget().await;
        }
        drop(input);
        let (columns, arranged) = gathered.arranged(&self)?;
        tokio::task::yield_now().await;
        self.results(columns, arranged, (reservation, context.session_config().batch_size()))
    }

    /// DataFusion's way: sort, spilling, and walk.
    fn sorted(
        &self,
        batches: Vec<RecordBatch>,
        input: SendableRecordBatchStream,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.input().schema();
        let whole = stream::iter(batches.into_iter().map(Ok)).chain(input);
        let whole = Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), whole));
        let mut plan: Arc<dyn ExecutionPlan> = Arc::new(OnceExec::new(whole, schema));
        let keys =
            self.partition_by.iter().map(|key| PhysicalSortExpr::new_default(Arc::clone(key)));
        if let Some(order) = LexOrdering::new(keys.chain(self.order_by.iter().cloned())) {
            plan = Arc::new(SortExec::new(order, plan));
        }
        over(&self.original, vec![plan])?.execute(0, context)
    }

    /// The rows, arranged, with the functions' results.
    fn results(
        &self,
        mut columns: Columns,
        arranged: Arranged,
        (reservation, batch_rows): (MemoryReservation, usize),
    ) -> Result<SendableRecordBatchStream> {
        if arranged.rows.is_empty() {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::empty())));
        }
        let mut results = Vec::with_capacity(self.functions.len());
        for (function, argument) in self.functions.iter().zip(&columns.arguments) {
            results.push(kernel::compute(function, argument.as_ref(), &arranged)?);
        }
        columns.arguments.clear();
        let (schema, rows) = (self.schema(), arranged.rows.len());
        let order = UInt32Array::from(arranged.rows);
        let input = columns.input;
        let of_piece = Arc::clone(&schema);
        let pieces = (0..rows).step_by(PIECE_ROWS).map(move |from| {
            let length = PIECE_ROWS.min(rows - from);
            // Held until the last row is handed out.
            let _held = &reservation;
            let order = order.slice(from, length);
            let taken = input.iter().map(|array| Ok(compact(take(array, &order, None)?)));
            let computed = results.iter().map(|array| Ok(array.slice(from, length)));
            let arrays = taken.chain(computed).collect::<Result<Vec<ArrayRef>>>()?;
            Ok(RecordBatch::try_new(Arc::clone(&of_piece), arrays)?)
        });
        let batches = pieces.flat_map(move |piece: Result<RecordBatch>| match piece {
            Err(error) => vec![Err(error)],
            Ok(piece) => (0..piece.num_rows())
                .step_by(batch_rows)
                .map(|from| Ok(piece.slice(from, batch_rows.min(piece.num_rows() - from))))
                .collect(),
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches))))
    }
}

/// An operator over other inputs.
fn over(
    operator: &Arc<dyn ExecutionPlan>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(operator).replace_children(inputs, options)
}

/// What is gathered from the input.
struct Gathered {
    batches: Vec<RecordBatch>,
    groups: Box<dyn GroupValues>,
    group_of: Vec<u32>,
    has_order_nulls: bool,
    /// By order expression, then by batch.
    order: Vec<Vec<ArrayRef>>,
    /// By function, then by batch.
    arguments: Vec<Vec<ArrayRef>>,
}

/// Whole columns, rows as they came.
struct Columns {
    input: Vec<ArrayRef>,
    arguments: Vec<Option<ArrayRef>>,
}

impl Gathered {
    fn new(exec: &GroupedWindowExec) -> Result<Self> {
        let schema = exec.input().schema();
        let keys = exec.partition_by.iter().map(|key| key.return_field(&schema));
        let keys: Vec<Arc<Field>> = keys.collect::<Result<_>>()?;
        let keys: SchemaRef = Arc::new(Schema::new(keys));
        Ok(Self {
            batches: Vec::new(),
            groups: new_group_values(keys, &GroupOrdering::None)?,
            group_of: Vec::new(),
            has_order_nulls: false,
            order: vec![Vec::new(); exec.order_by.len()],
            arguments: vec![Vec::new(); exec.functions.len()],
        })
    }

    fn rows(&self) -> usize {
        self.group_of.len() + self.batches.last().map_or(0, RecordBatch::num_rows)
    }

    /// Finds the groups of the last batch, and evaluates what the functions need of it.
    fn add_last(&mut self, exec: &GroupedWindowExec) -> Result<()> {
        let Some(batch) = self.batches.last() else { return Ok(()) };
        let rows = batch.num_rows();
        let keys = exec.partition_by.iter().map(|key| key.evaluate(batch)?.into_array(rows));
        let mut groups = Vec::with_capacity(rows);
        self.groups.intern(&keys.collect::<Result<Vec<_>>>()?, &mut groups)?;
        let narrow = |group: usize| {
            u32::try_from(group)
                .map_err(|error| DataFusionError::Execution(format!("too many groups: {error}")))
        };
        for group in groups {
            self.group_of.push(narrow(group)?);
        }
        for (expr, arrays) in exec.order_by.iter().zip(&mut self.order) {
            let array = expr.expr.evaluate(batch)?.into_array(rows)?;
            self.has_order_nulls |= array.logical_null_count() > 0;
            arrays.push(array);
        }
        for (function, arrays) in exec.functions.iter().zip(&mut self.arguments) {
            if let Some(argument) = &function.argument {
                arrays.push(argument.evaluate(batch)?.into_array(rows)?);
            }
        }
        Ok(())
    }

    fn arranged(self, exec: &GroupedWindowExec) -> Result<(Columns, Arranged)> {
        let groups = self.groups.len();
        drop(self.groups);
        let order = exec
            .order_by
            .iter()
            .zip(&self.order)
            .map(|(expr, arrays)| Ok(joined(arrays)?.map(|array| (array, expr.options))));
        let order = order.filter_map(Result::transpose).collect::<Result<Vec<_>>>()?;
        let arranged = arrange::arrange(&self.group_of, groups, &order)?;
        let arguments = self.arguments.iter().map(|arrays| joined(arrays));
        let arguments = arguments.collect::<Result<_>>()?;
        let width = exec.input().schema().fields().len();
        let input = (0..width).filter_map(|at| {
            let arrays: Vec<ArrayRef> =
                self.batches.iter().map(|batch| Arc::clone(batch.column(at))).collect();
            joined(&arrays).transpose()
        });
        let input = input.collect::<Result<_>>()?;
        Ok((Columns { input, arguments }, arranged))
    }
}

/// Views of text with bytes of their own: the rows come from thousands of buffers, and each piece
/// would carry the list of all of them into every operator above.
fn compact(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::BinaryView => Arc::new(array.as_binary_view().gc()),
        _ => array,
    }
}

/// One array of many; `None` of none.
fn joined(arrays: &[ArrayRef]) -> Result<Option<ArrayRef>> {
    let arrays: Vec<_> = arrays.iter().map(AsRef::as_ref).collect();
    if arrays.is_empty() {
        return Ok(None);
    }
    Ok(Some(concat(&arrays)?))
}
