//! Aggregates that need all values at once: `percentile_disc`, `mode`, exact `variance` and
//! `stddev`, `json_agg`, `json_object_agg` (manual, 9.21).

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, new_empty_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{
    SortColumn, SortOptions, concat, filter, lexsort_to_indices, take_arrays,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;

use crate::types::PgType;

/// What an evaluation has beside the values.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Fields of the arguments.
    pub fields: Vec<FieldRef>,
    /// The arguments; direct ones of `WITHIN GROUP` are constants.
    pub exprs: Vec<Arc<dyn PhysicalExpr>>,
    /// Whether the ordering is descending.
    pub descending: bool,
    /// Type of the result.
    pub result: DataType,
    /// Whether equal arguments count once.
    pub distinct: bool,
    /// `ORDER BY` within the call: how the columns behind the arguments are sorted.
    pub orderings: Vec<(DataType, SortOptions)>,
}

/// Computes the result from all values, NULLs included: one array per argument.
pub type Evaluate = fn(&Plan, &[ArrayRef]) -> Result<ScalarValue>;
/// The result's field.
pub type ResultOf = fn(&[FieldRef]) -> FieldRef;

/// An aggregate over collected values.
#[derive(Debug)]
pub struct Collect {
    name: &'static str,
    within_group: bool,
    result: ResultOf,
    evaluate: Evaluate,
    signature: Signature,
}

impl PartialEq for Collect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Collect {}

impl Hash for Collect {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Collect {
    /// An aggregate of this name.
    pub fn udaf(
        name: &'static str,
        within_group: bool,
        result: ResultOf,
        evaluate: Evaluate,
    ) -> Arc<AggregateUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(Self {
            name,
            within_group,
            result,
            evaluate,
            signature,
        }))
    }
}

fn state_field(name: &str, index: usize, field: &FieldRef) -> FieldRef {
    let item = Arc::new(Field::new_list_field(field.data_type().clone(), true));
    Arc::new(Field::new(format!("{name}[{index}]"), DataType::List(item), true))
}

impl AggregateUDFImpl for Collect {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let fields: Vec<_> = arg_types
            .iter()
            .map(|data_type| Arc::new(Field::new("", data_type.clone(), true)))
            .collect();
        Ok((self.result)(&fields).data_type().clone())
    }

    fn return_field(&self, arg_fields: &[FieldRef]) -> Result<FieldRef> {
        Ok(Arc::new((self.result)(arg_fields).as_ref().clone().with_name(self.name)))
    }

    fn supports_within_group_clause(&self) -> bool {
        self.within_group
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        if self.within_group {
            AggregateOrderSensitivity::Insensitive
        } else {
            // Several calls of one query may each want another order: each sorts for itself.
            AggregateOrderSensitivity::Beneficial
        }
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        _beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        // Sorted or not, it sorts once more: nothing changes.
        Ok(Some(self))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let orderings = args.ordering_fields.iter().filter(|_| !self.within_group);
        Ok(args
            .input_fields
            .iter()
            .chain(orderings)
            .enumerate()
            .map(|(index, field)| state_field(args.name, index, field))
            .collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let plan = Plan {
            fields: args.expr_fields.to_vec(),
            exprs: args.exprs.to_vec(),
            descending: args.order_bys.first().is_some_and(|order| order.options.descending),
            result: args.return_field.data_type().clone(),
            distinct: args.is_distinct,
            orderings: match self.within_group {
                true => Vec::new(),
                false => args
                    .order_bys
                    .iter()
                    .map(|order| Ok((order.expr.data_type(args.schema)?, order.options)))
                    .collect::<Result<_>>()?,
            },
        };
        let rows = Columns::new(plan.fields.len() + plan.orderings.len());
        Ok(Box::new(Collected { plan, evaluate: self.evaluate, rows }))
    }
}

/// Types of columns.
pub(super) type DataTypes = Vec<DataType>;

/// Rows that came, one list of batches per column.
#[derive(Debug)]
pub(super) struct Columns {
    batches: Vec<Vec<ArrayRef>>,
}

impl Columns {
    pub(super) fn new(width: usize) -> Self {
        Self { batches: vec![vec![]; width] }
    }

    pub(super) fn push(&mut self, values: &[ArrayRef]) {
        for (batches, values) in self.batches.iter_mut().zip(values) {
            batches.push(Arc::clone(values));
        }
    }

    /// Drops the rows that came first: those which a frame loses.
    pub(super) fn drop_first(&mut self, rows: usize) {
        for batches in &mut self.batches {
            let mut left = rows;
            let whole = batches.iter().take_while(|batch| {
                let fits = batch.len() <= left;
                left -= if fits { batch.len() } else { 0 };
                fits
            });
            let whole = whole.count();
            batches.drain(..whole);
            if let Some(first) = batches.first_mut().filter(|_| left > 0) {
                *first = first.slice(left, first.len() - left);
            }
        }
    }

    pub(super) fn concatenated(&self, types: &[DataType]) -> Result<Vec<ArrayRef>> {
        let columns = self.batches.iter().zip(types);
        columns
            .map(|(batches, data_type)| {
                if batches.is_empty() {
                    return Ok(new_empty_array(data_type));
                }
                let arrays: Vec<&dyn Array> = batches.iter().map(AsRef::as_ref).collect();
                Ok(concat(&arrays)?)
            })
            .collect()
    }

    pub(super) fn size(&self) -> usize {
        self.batches.iter().flatten().map(|array| array.get_array_memory_size()).sum()
    }
}

struct Collected {
    plan: Plan,
    evaluate: Evaluate,
    /// Arguments and what they are sorted by.
    rows: Columns,
}

impl std::fmt::Debug for Collected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Collected").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Collected {
    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let fields = self.plan.fields.iter().map(|field| field.data_type());
        let types = fields.chain(self.plan.orderings.iter().map(|(data_type, _)| data_type));
        self.rows.concatenated(&types.cloned().collect::<DataTypes>())
    }
}

impl Collected {
    /// Without what has been before, where the call says DISTINCT.
    fn once(&self, columns: Vec<ArrayRef>) -> Result<Vec<ArrayRef>> {
        if !self.plan.distinct || columns.is_empty() {
            return Ok(columns);
        }
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let rows = converter.convert_columns(&columns)?;
        let mut seen = HashSet::new();
        let first = rows.iter().map(|row| Some(seen.insert(row.owned())));
        let first: BooleanArray = first.collect();
        columns.iter().map(|column| Ok(filter(column, &first)?)).collect()
    }
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows.push(values);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows.drop_first(values.first().map_or(0, |one| one.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (batches, state) in self.rows.batches.iter_mut().zip(states) {
            batches.extend(state.as_list::<i32>().iter().flatten());
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.columns()?
            .into_iter()
            .map(|values| {
                let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
                let offsets = OffsetBuffer::from_lengths([values.len()]);
                Ok(ScalarValue::List(Arc::new(ListArray::try_new(item, offsets, values, None)?)))
            })
            .collect()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut columns = self.columns()?;
        let keys = columns.split_off(self.plan.fields.len().min(columns.len()));
        if keys.is_empty() {
            return (self.evaluate)(&self.plan, &self.once(columns)?);
        }
        let keys = keys.into_iter().zip(&self.plan.orderings);
        let keys: Vec<SortColumn> = keys
            .map(|(values, (_, options))| SortColumn { values, options: Some(*options) })
            .collect();
        let order = lexsort_to_indices(&keys, None)?;
        let columns = take_arrays(&columns, &order, None)?;
        (self.evaluate)(&self.plan, &self.once(columns)?)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rows.size()
    }
}

/// A field of a PostgreSQL type.
pub fn field_of(pg_type: PgType) -> FieldRef {
    pg_type.field("result", true)
}
