//! `sum` and `avg` of numbers, exact, with the digits that PostgreSQL shows: a sum has the largest
//! scale of its values, a mean is its quotient by their count.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, LargeBinaryArray,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use crate::functions::value::internal;
use crate::numeric::column::{Numbers, Writer, keys};
use crate::numeric::small::{self, Small};
use crate::numeric::{Finite, Number, stored};

/// What is made of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `sum`.
    Sum,
    /// `avg`.
    Mean,
}

/// Whether the totals of this file make a result of this type.
pub fn makes(result: &DataType) -> bool {
    *result == DataType::LargeBinary
}

/// Fields of the state: a sum, and how many values are in it; of DISTINCT all values.
pub fn state_fields(name: &str, distinct: bool) -> Vec<FieldRef> {
    if distinct {
        let item = Arc::new(Field::new_list_field(DataType::LargeBinary, true));
        return vec![Arc::new(Field::new(format!("{name}[values]"), DataType::List(item), true))];
    }
    let field = |part, data_type| Arc::new(Field::new(format!("{name}[{part}]"), data_type, true));
    vec![field("sum", DataType::LargeBinary), field("count", DataType::Int64)]
}

/// A sum that 128 bits hold, and what they do not.
#[derive(Debug, Default, Clone)]
struct Total {
    sum: Small,
    count: i64,
    rest: Option<Box<Rest>>,
}

/// What does not fit 128 bits, and how often values came that are not finite.
#[derive(Debug, Clone)]
struct Rest {
    sum: Finite,
    infinities: i64,
    negative_infinities: i64,
    not_numbers: i64,
}

impl Default for Rest {
    fn default() -> Self {
        Self { sum: Finite::of(0, 0), infinities: 0, negative_infinities: 0, not_numbers: 0 }
    }
}

impl Total {
    fn add(&mut self, value: Small) {
        let sum = match value.1 == self.sum.1 {
            true => self.sum.0.checked_add(value.0).map(|sum| (sum, value.1)),
            false => small::plus(self.sum, value),
        };
        match sum {
            Some(sum) => self.sum = sum,
            None => self.add_large(&Number::Finite(Finite::new(value.0.into(), value.1)), 1),
        }
    }

    fn remove(&mut self, value: Small) {
        match small::minus(self.sum, value) {
            Some(sum) => self.sum = sum,
            None => self.add_large(&Number::Finite(Finite::new(value.0.into(), value.1)), -1),
        }
    }

    /// Adds a number, or takes it away again.
    fn add_large(&mut self, number: &Number, times: i64) {
        let rest = self.rest.get_or_insert_default();
        match number {
            Number::Finite(value) if times > 0 => rest.sum = rest.sum.plus(value),
            Number::Finite(value) => rest.sum = rest.sum.minus(value),
            Number::Infinity => rest.infinities += times,
            Number::NegativeInfinity => rest.negative_infinities += times,
            Number::NaN => rest.not_numbers += times,
        }
    }

    fn take(&mut self, numbers: &Numbers, row: usize) {
        if numbers.is_null(row) {
            return;
        }
        self.count += 1;
        match numbers.small(row) {
            Some(value) => self.add(value),
            None => self.add_large(&numbers.number(row), 1),
        }
    }

    fn give_back(&mut self, numbers: &Numbers, row: usize) {
        if numbers.is_null(row) {
            return;
        }
        self.count -= 1;
        match numbers.small(row) {
            Some(value) => self.remove(value),
            None => self.add_large(&numbers.number(row), -1),
        }
    }

    fn merge(&mut self, sum: &[u8], count: i64) {
        self.count += count;
        match stored::read_small(sum) {
            Some(value) => self.add(value),
            None => self.add_large(&stored::read(sum), 1),
        }
    }

    fn number(&self) -> crate::Result<Number> {
        let sum = Finite::new(self.sum.0.into(), self.sum.1);
        let Some(rest) = &self.rest else { return Ok(sum.into()) };
        Ok(match (rest.infinities > 0, rest.negative_infinities > 0, rest.not_numbers > 0) {
            (_, _, true) | (true, true, _) => Number::NaN,
            (true, ..) => Number::Infinity,
            (_, true, _) => Number::NegativeInfinity,
            _ => sum.plus(&rest.sum).checked()?.into(),
        })
    }

    fn write(&self, kind: Kind, writer: &mut Writer) -> crate::Result<()> {
        let small = self.rest.is_none().then_some(self.sum);
        match (kind, small) {
            _ if self.count == 0 => writer.null(),
            (Kind::Sum, Some(sum)) => writer.small(sum),
            (Kind::Sum, None) => writer.number(&self.number()?),
            (Kind::Mean, small) => {
                match small.and_then(|sum| small::over(sum, (self.count.into(), 0))) {
                    Some(mean) => writer.small(mean),
                    None => writer.number(&self.number()?.over(&Number::from(self.count))?),
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        let digits = |rest: &Rest| usize::try_from(rest.sum.digits.bits() / 8).unwrap_or_default();
        self.rest.as_deref().map_or(0, |rest| size_of::<Rest>() + digits(rest))
    }
}

fn numbers(values: &[ArrayRef]) -> Result<Numbers> {
    let numbers = values.first().and_then(Numbers::new);
    Ok(numbers.ok_or_else(|| internal("a column of numbers expected"))?)
}

/// Sums and counts as [`state_fields`] has them.
fn states(values: &[ArrayRef]) -> Result<(&LargeBinaryArray, &Int64Array)> {
    let [sums, counts] = values else {
        return Err(internal("a sum and a count expected").into());
    };
    let sums = sums.as_binary_opt::<i64>().ok_or_else(|| internal("sums expected"))?;
    let counts = counts.as_primitive_opt::<Int64Type>();
    Ok((sums, counts.ok_or_else(|| internal("counts expected"))?))
}

/// The total of all rows, or of a window that moves over them.
#[derive(Debug)]
pub struct One {
    kind: Kind,
    total: Total,
}

impl One {
    /// Nothing yet.
    pub fn new(kind: Kind) -> Self {
        Self { kind, total: Total::default() }
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let numbers = numbers(values)?;
        let rows = values.first().map_or(0, |array| array.len());
        (0..rows).for_each(|row| self.total.take(&numbers, row));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let numbers = numbers(values)?;
        let rows = values.first().map_or(0, |array| array.len());
        (0..rows).for_each(|row| self.total.give_back(&numbers, row));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut writer = Writer::new(1);
        self.total.write(self.kind, &mut writer)?;
        ScalarValue::try_from_array(&writer.finish(), 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut bytes = Vec::new();
        stored::write(&self.total.number()?, &mut bytes);
        let sum = ScalarValue::LargeBinary(Some(bytes));
        Ok(vec![sum, ScalarValue::Int64(Some(self.total.count))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (sums, counts) = states(values)?;
        for (sum, count) in sums.iter().zip(counts) {
            if let (Some(sum), Some(count)) = (sum, count) {
                self.total.merge(sum, count);
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.total.size()
    }
}

/// The totals of many groups.
#[derive(Debug)]
pub struct Groups {
    kind: Kind,
    totals: Vec<Total>,
}

impl Groups {
    /// No groups yet.
    pub fn new(kind: Kind) -> Self {
        Self { kind, totals: Vec::new() }
    }
}

/// Whether `FILTER` lets a row in.
fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.totals.resize_with(total_num_groups, Total::default);
        let numbers = numbers(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            if passes(opt_filter, row)
                && let Some(total) = self.totals.get_mut(*group)
            {
                total.take(&numbers, row);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let totals = emit_to.take_needed(&mut self.totals);
        let mut writer = Writer::new(totals.len());
        for total in &totals {
            total.write(self.kind, &mut writer)?;
        }
        Ok(writer.finish())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let totals = emit_to.take_needed(&mut self.totals);
        let mut writer = Writer::new(totals.len());
        for total in &totals {
            writer.number(&total.number()?);
        }
        let counts: Int64Array = totals.iter().map(|total| Some(total.count)).collect();
        Ok(vec![writer.finish(), Arc::new(counts)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.totals.resize_with(total_num_groups, Total::default);
        let (sums, counts) = states(values)?;
        for ((sum, count), group) in sums.iter().zip(counts).zip(group_indices) {
            if let (Some(sum), Some(count), Some(total)) = (sum, count, self.totals.get_mut(*group))
            {
                total.merge(sum, count);
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let numbers = numbers(values)?;
        let rows = values.first().map_or(0, |array| array.len());
        let mut writer = Writer::new(rows);
        let mut counts = Vec::with_capacity(rows);
        for row in 0..rows {
            let counted = passes(opt_filter, row) && !numbers.is_null(row);
            counts.push(i64::from(counted));
            match numbers.is_null(row).then_some((0, 0)).or_else(|| numbers.small(row)) {
                _ if !counted => writer.small((0, 0)),
                Some(value) => writer.small(value),
                None => writer.number(&numbers.number(row)),
            }
        }
        Ok(vec![writer.finish(), Arc::new(Int64Array::from(counts))])
    }

    fn size(&self) -> usize {
        let heap: usize = self.totals.iter().map(Total::size).sum();
        self.totals.capacity() * size_of::<Total>() + heap
    }
}

/// The total of values that are counted once each.
#[derive(Debug)]
pub struct Distinct {
    kind: Kind,
    values: BTreeSet<Vec<u8>>,
}

impl Distinct {
    /// Nothing yet.
    pub fn new(kind: Kind) -> Self {
        Self { kind, values: BTreeSet::new() }
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        let keys = keys(values)?;
        self.values.extend(keys.as_binary::<i64>().iter().flatten().map(<[u8]>::to_vec));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let values: LargeBinaryArray = self.values.iter().map(Some).collect();
        let mut one = One::new(self.kind);
        one.update_batch(&[Arc::new(values)])?;
        one.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.values.iter().map(|bytes| ScalarValue::LargeBinary(Some(bytes.clone())));
        let values: Vec<_> = values.collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list(&values, &DataType::LargeBinary, true))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states.iter().filter_map(|state| state.as_list_opt::<i32>());
        for values in lists.flat_map(|lists| lists.iter().flatten()) {
            self.update_batch(&[values])?;
        }
        Ok(())
    }

    fn size(&self) -> usize {
        let bytes: usize = self.values.iter().map(|bytes| bytes.capacity() + 40).sum();
        size_of_val(self) + bytes
    }
}
