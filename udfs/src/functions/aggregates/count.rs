//! `count(DISTINCT …)` of many groups: values of any type are numbered once for all groups.
//!
//! DataFusion counts distinct integers by pairs of group and value, and everything else by a set for
//! each group, of some 8 KiB for text: two million customers took 18 GiB. Here each value has a number,
//! so that its accumulator of integers counts them all.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{filter, prep_null_mask_filter, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::error::Result;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature, StatisticsArgs,
};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::scalar::ScalarValue;

/// `count` (manual, 9.21).
pub(super) fn udaf() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Count { inner: count_udaf() }))
}

#[derive(Debug)]
struct Count {
    inner: Arc<AggregateUDF>,
}

impl PartialEq for Count {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Count {}

impl Hash for Count {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

/// Whether its distinct values are numbered: one argument that is no integer, and can be grouped by.
fn numbered(args: &AccumulatorArgs<'_>) -> bool {
    let [field] = args.expr_fields else { return false };
    let sorted = SortField::new(field.data_type().clone());
    args.is_distinct
        && !field.data_type().is_integer()
        && !matches!(field.data_type(), DataType::Dictionary(..))
        && RowConverter::supports_fields(&[sorted])
}

impl AggregateUDFImpl for Count {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.inner.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        numbered(&args) || self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        if !numbered(&args) {
            return self.inner.create_groups_accumulator(args);
        }
        let number = [Arc::new(Field::new("number", DataType::Int64, true))];
        let value = Arc::clone(&args.expr_fields[0]);
        let counts = AccumulatorArgs { expr_fields: &number, ..args };
        let counts = self.inner.create_groups_accumulator(counts)?;
        Ok(Box::new(Numbered { counts, values: empty(&value)?, value }))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        self.inner.create_sliding_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(data_type)
    }

    fn value_from_stats(&self, statistics: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.inner.value_from_stats(statistics)
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner.inner().set_monotonicity(data_type)
    }
}

/// Distinct values of each group: the values with their numbers, and the counts of the numbers.
struct Numbered {
    counts: Box<dyn GroupsAccumulator>,
    values: Box<dyn GroupValues>,
    value: FieldRef,
}

fn empty(value: &FieldRef) -> Result<Box<dyn GroupValues>> {
    new_group_values(Arc::new(Schema::new(vec![Arc::clone(value)])), &GroupOrdering::None)
}

impl Numbered {
    /// The numbers of these values; NULL has none.
    fn numbers(&mut self, values: &ArrayRef) -> Result<ArrayRef> {
        let mut numbers = Vec::with_capacity(values.len());
        self.values.intern(std::slice::from_ref(values), &mut numbers)?;
        let numbers: Vec<i64> = numbers.into_iter().map(|number| number as i64).collect();
        Ok(Arc::new(Int64Array::new(numbers.into(), values.logical_nulls())))
    }
}

impl GroupsAccumulator for Numbered {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let numbers = self.numbers(&values[0])?;
        self.counts.update_batch(&[numbers], group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        if matches!(emit_to, EmitTo::All) {
            self.values = empty(&self.value)?;
        }
        self.counts.evaluate(emit_to)
    }

    /// Lists of values. Those that are left keep their numbers: they are numbered again in their order.
    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let numbers = self.counts.state(emit_to)?;
        let numbers = numbers[0].as_list::<i32>();
        let values = self.values.emit(EmitTo::All)?.swap_remove(0);
        let listed = take(&values, numbers.values(), None)?;
        if matches!(emit_to, EmitTo::First(_)) {
            self.numbers(&values)?;
        }
        Ok(vec![Arc::new(lists(numbers.offsets().clone(), listed))])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        let values = values[0].as_list::<i32>();
        let offsets = values.offsets();
        let (start, end) = (offsets[0] as usize, offsets[offsets.len() - 1] as usize);
        let numbers = self.numbers(&values.values().slice(start, end - start))?;
        let offsets = OffsetBuffer::from_lengths(offsets.lengths());
        let numbers: ArrayRef = Arc::new(lists(offsets, numbers));
        self.counts.merge_batch(&[numbers], group_indices, total_num_groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let asked = opt_filter.map(|asked| prep_null_mask_filter(asked).into_parts().0);
        let counted = NullBuffer::union(
            values[0].logical_nulls().as_ref(),
            asked.map(NullBuffer::new).as_ref(),
        );
        let Some(counted) = counted else {
            let each = OffsetBuffer::from_repeated_length(1, values[0].len());
            return Ok(vec![Arc::new(lists(each, Arc::clone(&values[0])))]);
        };
        let each = OffsetBuffer::from_lengths(counted.iter().map(usize::from));
        let kept = filter(&values[0], &BooleanArray::new(counted.into_inner(), None))?;
        Ok(vec![Arc::new(lists(each, kept))])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.counts.size() + self.values.size()
    }
}

fn lists(offsets: OffsetBuffer<i32>, values: ArrayRef) -> ListArray {
    let field = Field::new_list_field(values.data_type().clone(), true);
    ListArray::new(Arc::new(field), offsets, values, None)
}
