//! `percentile_cont` (manual, 9.21): interpolated between neighbours as PostgreSQL does; DataFusion's
//! own cuts the weight of the upper one to six digits.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray, RecordBatch,
    RecordBatchOptions,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Schema};
use datafusion::common::{ScalarValue, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;

use crate::ValueError;

pub(super) fn udaf() -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Percentile { signature }))
}

#[derive(Debug)]
struct Percentile {
    signature: Signature,
}

impl PartialEq for Percentile {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Percentile {}

impl Hash for Percentile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// Which place is asked for.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// `None`: the fraction is NULL.
    fraction: Option<f64>,
    descending: bool,
}

impl Wanted {
    fn new(args: &AccumulatorArgs<'_>) -> Result<Self> {
        let fraction = match args.exprs.get(1) {
            Some(expr) => constant(expr)?,
            None => None,
        };
        if let Some(fraction) = fraction.filter(|one| !(0.0..=1.0).contains(one)) {
            let text = format!("percentile value {fraction} is not between 0 and 1");
            return Err(ValueError::new("22003", text).into());
        }
        let descending = args.order_bys.first().is_some_and(|order| order.options.descending);
        Ok(Self { fraction, descending })
    }

    /// The value at the fraction of all, between two of them if need be; it moves them.
    fn of(self, values: &mut [f64]) -> Option<f64> {
        let place = self.fraction? * (values.len().checked_sub(1)? as f64);
        let order = |a: &f64, b: &f64| match (self.descending, a.total_cmp(b)) {
            (true, order) => order.reverse(),
            (false, order) => order,
        };
        let (_, lower, above) = values.select_nth_unstable_by(place.floor() as usize, order);
        let (lower, weight) = (*lower, place - place.floor());
        let least = |a: f64, b: &f64| if order(b, &a) == Ordering::Less { *b } else { a };
        match above.split_first() {
            Some((first, rest)) if weight > 0.0 => {
                let upper = rest.iter().fold(*first, least);
                Some(lower + weight * (upper - lower))
            }
            _ => Some(lower),
        }
    }
}

/// A direct argument: the same for all rows.
pub(super) fn constant(expr: &Arc<dyn PhysicalExpr>) -> Result<Option<f64>> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let one = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
    let value = expr.evaluate(&one)?.into_array(1)?;
    let value = ScalarValue::try_from_array(&value, 0)?.cast_to(&DataType::Float64)?;
    Ok(match value {
        ScalarValue::Float64(fraction) => fraction,
        _ => None,
    })
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        "percentile_cont"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        // Numbers with scales of their own are binary; the planner makes floats of them.
        let number =
            |one: &DataType| one.is_numeric() || one.is_null() || *one == DataType::LargeBinary;
        match types {
            [value, fraction] if number(value) && number(fraction) => {
                let float = |one: &DataType| match one {
                    DataType::LargeBinary => DataType::LargeBinary,
                    _ => DataType::Float64,
                };
                Ok(vec![float(value), float(fraction)])
            }
            _ => datafusion::common::plan_err!("percentile_cont is of numbers"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = DataType::List(item());
        Ok(vec![Arc::new(Field::new(format!("{}[values]", args.name), list, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One { wanted: Wanted::new(&args)?, values: Vec::new() }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups { wanted: Wanted::new(&args)?, values: Vec::new(), count: 0 }))
    }
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Float64, true))
}

/// Lists of numbers, one a group.
fn lists(groups: &[Vec<f64>]) -> Result<ListArray> {
    let offsets = OffsetBuffer::from_lengths(groups.iter().map(Vec::len));
    let values: Float64Array = groups.concat().into();
    Ok(ListArray::try_new(item(), offsets, Arc::new(values), None)?)
}

/// The values as the planner gives them.
fn floats(values: &ArrayRef) -> Result<&Float64Array> {
    values
        .as_primitive_opt::<Float64Type>()
        .ok_or_else(|| internal_datafusion_err!("percentile_cont is of {}", values.data_type()))
}

/// Whether FILTER lets a row in.
fn counts(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|one| one.is_valid(row) && one.value(row))
}

/// All values, of no group.
#[derive(Debug)]
struct One {
    wanted: Wanted,
    values: Vec<f64>,
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if let Some(values) = values.first() {
            self.values.extend(floats(values)?.iter().flatten());
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(states) = states.first() else { return Ok(()) };
        for values in states.as_list::<i32>().iter().flatten() {
            self.values.extend(values.as_primitive::<Float64Type>().iter().flatten());
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = std::mem::take(&mut self.values);
        Ok(vec![ScalarValue::List(Arc::new(lists(&[values])?))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.wanted.of(&mut self.values)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<f64>()
    }
}

/// The values of each group.
#[derive(Debug)]
struct Groups {
    wanted: Wanted,
    values: Vec<Vec<f64>>,
    /// How many values there are.
    count: usize,
}

impl Groups {
    fn add(&mut self, group: usize, values: impl Iterator<Item = f64>) {
        if let Some(own) = self.values.get_mut(group) {
            let before = own.len();
            own.extend(values);
            self.count += own.len() - before;
        }
    }

    fn emitted(&mut self, emit_to: EmitTo) -> Vec<Vec<f64>> {
        let groups = emit_to.take_needed(&mut self.values);
        self.count -= groups.iter().map(Vec::len).sum::<usize>();
        groups
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.values.resize(total_num_groups, Vec::new());
        let Some(values) = values.first() else { return Ok(()) };
        let values = floats(values)?;
        for (row, (value, group)) in values.iter().zip(group_indices).enumerate() {
            if counts(opt_filter, row) {
                self.add(*group, value.into_iter());
            }
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.values.resize(total_num_groups, Vec::new());
        let Some(states) = states.first() else { return Ok(()) };
        for (values, group) in states.as_list::<i32>().iter().zip(group_indices) {
            if let Some(values) = values {
                self.add(*group, values.as_primitive::<Float64Type>().iter().flatten());
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let Some(values) = values.first() else { return Ok(Vec::new()) };
        let rows = floats(values)?.iter().enumerate();
        let own = rows.map(|(row, value)| value.filter(|_| counts(opt_filter, row)));
        let own: Vec<Option<f64>> = own.collect();
        let offsets = OffsetBuffer::from_lengths(own.iter().map(|one| usize::from(one.is_some())));
        let values: Float64Array = own.into_iter().flatten().collect::<Vec<f64>>().into();
        Ok(vec![Arc::new(ListArray::try_new(item(), offsets, Arc::new(values), None)?)])
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(lists(&self.emitted(emit_to))?)])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let wanted = self.wanted;
        let mut groups = self.emitted(emit_to);
        let results: Float64Array = groups.iter_mut().map(|values| wanted.of(values)).collect();
        Ok(Arc::new(results))
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + self.values.capacity() * size_of::<Vec<f64>>()
            + self.count * size_of::<f64>()
    }
}
