//! `retention`: who came back.
//!
//! ClickHouse's `retention` (manual, "Parametric aggregate functions"): the first value says
//! whether some row meets the first condition, each other one whether the first condition and its
//! own were both met, by whatever rows.
//!
//! ```sql
//! SELECT count(*) FILTER (WHERE r[1]) AS came, count(*) FILTER (WHERE r[2]) AS came_back FROM
//!   (SELECT retention(occurred_at::date = '2026-03-01', occurred_at::date = '2026-03-02') AS r
//!    FROM web.events GROUP BY device) AS devices;
//! ```

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, ListArray, UInt32Array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, UInt32Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::timeline::{CONDITIONS_MAX, undefined};
use crate::types::PgType;

const NAME: &str = "retention";

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    let signature = Signature::user_defined(Volatility::Immutable);
    vec![Arc::new(AggregateUDF::new_from_impl(Retention { signature }))]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Retention {
    signature: Signature,
}

impl AggregateUDFImpl for Retention {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let fits = |one: &DataType| matches!(one, DataType::Boolean | DataType::Null);
        if given.is_empty() || given.len() > CONDITIONS_MAX || !given.iter().all(fits) {
            return Err(undefined(NAME, given).into());
        }
        Ok(vec![DataType::Boolean; given.len()])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(PgType::BOOL.array().arrow())
    }

    fn return_field(&self, _: &[FieldRef]) -> Result<FieldRef> {
        Ok(PgType::BOOL.array().field(NAME, true))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[met]", args.name), DataType::UInt32, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single(Met::new(&args))))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Met::new(&args)))
    }
}

/// For each group the conditions that were met, the first one as the lowest bit.
#[derive(Debug)]
struct Met {
    conditions: usize,
    groups: Vec<u32>,
    item: FieldRef,
}

impl Met {
    fn new(args: &AccumulatorArgs<'_>) -> Self {
        let item = match args.return_field.data_type() {
            DataType::List(item) => Arc::clone(item),
            _ => Arc::new(Field::new_list_field(DataType::Boolean, true)),
        };
        Self { conditions: args.exprs.len(), groups: vec![], item }
    }

    fn push(
        &mut self,
        values: &[ArrayRef],
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) {
        for (place, condition) in values.iter().enumerate() {
            let Some(condition) = condition.as_boolean_opt() else { continue };
            for row in condition.values().set_indices() {
                let kept = filter.is_none_or(|one| one.is_valid(row) && one.value(row));
                if kept && condition.is_valid(row) {
                    self.groups[group_of(row)] |= 1 << place;
                }
            }
        }
    }

    fn lists(&self, groups: &[u32]) -> Result<ListArray> {
        let mut values = BooleanBufferBuilder::new(groups.len() * self.conditions);
        for met in groups {
            let first = met & 1 == 1;
            for place in 0..self.conditions {
                values.append(first && (met >> place) & 1 == 1);
            }
        }
        let values = Arc::new(BooleanArray::new(values.finish(), None));
        let offsets = OffsetBuffer::from_lengths(groups.iter().map(|_| self.conditions));
        Ok(ListArray::try_new(Arc::clone(&self.item), offsets, values, None)?)
    }
}

impl GroupsAccumulator for Met {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups_total: usize,
    ) -> Result<()> {
        self.groups.resize(groups_total, 0);
        self.push(values, |row| group_indices[row], filter);
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let groups = emit.take_needed(&mut self.groups);
        Ok(Arc::new(self.lists(&groups)?))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(UInt32Array::from(emit.take_needed(&mut self.groups)))])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        groups_total: usize,
    ) -> Result<()> {
        self.groups.resize(groups_total, 0);
        let [met] = values else { return Ok(()) };
        for (met, group) in met.as_primitive::<UInt32Type>().values().iter().zip(group_indices) {
            self.groups[*group] |= met;
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let item = Arc::clone(&self.item);
        let mut one = Self { conditions: self.conditions, groups: vec![0; rows], item };
        one.push(values, |row| row, filter);
        one.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<u32>()
    }
}

#[derive(Debug)]
struct Single(Met);

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.groups.resize(1, 0);
        self.0.push(values, |_| 0, None);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let met = self.0.groups.first().copied().unwrap_or(0);
        Ok(ScalarValue::List(Arc::new(self.0.lists(&[met])?)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::UInt32(Some(self.0.groups.first().copied().unwrap_or(0)))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |states| states.len());
        self.0.merge_batch(states, &vec![0; rows], 1)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check_query;

    #[test]
    fn who_came_back() {
        let days = "(values (1),(3),(null)) t(day)";
        check_query(&[
            ("retention(day = 1, day = 2, day = 3)", days, &["{t,f,t}"]),
            ("retention(day = 2, day = 1)", days, &["{f,f}"]),
            ("retention(day = 2)", "(select 1 as day where false) t", &["{f}"]),
        ]);
    }
}
