//! `latest_by`, `earliest_by`: the value at an end of a customer's time.
//!
//! What ClickHouse calls `argMax` and `argMin`, and PostgreSQL writes as
//! `(array_agg(value ORDER BY time DESC))[1]`. With `FILTER (WHERE time < …)` it is the state as of
//! an instant. Rows without a time do not count; a NULL value at the latest time is the result.
//! Where several rows have that time, the smallest value wins, so that the result does not depend
//! on the order in which rows come.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, new_null_array,
};
use datafusion::arrow::compute::{cast, interleave};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::timeline::{time_type, undefined};

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    [("latest_by", true), ("earliest_by", false)]
        .into_iter()
        .map(|(name, latest)| {
            let signature = Signature::user_defined(Volatility::Immutable);
            Arc::new(AggregateUDF::new_from_impl(By { name, latest, signature }))
        })
        .collect()
}

#[derive(Debug)]
struct By {
    name: &'static str,
    latest: bool,
    signature: Signature,
}

impl PartialEq for By {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for By {}

impl Hash for By {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for By {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let unfit = || undefined(self.name, given);
        let [value, time] = given else { return Err(unfit().into()) };
        let time = match time {
            integer if integer.is_integer() => DataType::Int64,
            other => time_type(other).ok_or_else(unfit)?,
        };
        Ok(vec![value.clone(), time])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(arg_types.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let value = fields.first().map(|field| field.as_ref().clone());
        let value = value.unwrap_or_else(|| Field::new("", DataType::Null, true));
        Ok(Arc::new(value.with_name(self.name).with_nullable(true)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let value = args.return_field.data_type().clone();
        Ok(vec![
            Arc::new(Field::new(format!("{}[value]", args.name), value, true)),
            Arc::new(Field::new(format!("{}[time]", args.name), DataType::Int64, true)),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single(Best::new(self.latest, args.return_field.data_type()))))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Best::new(self.latest, args.return_field.data_type())))
    }
}

/// No row has come so far: a NULL.
const NOWHERE: (usize, usize) = (0, 0);

/// Rows that are kept although they have lost, before they are cleared away.
const LOST_MAX: usize = 1 << 16;

/// For each group the best time, and where the value stands.
#[derive(Debug)]
struct Best {
    latest: bool,
    /// The values as they came; the first array is one NULL.
    values: Vec<ArrayRef>,
    times: Vec<i64>,
    places: Vec<(usize, usize)>,
}

impl Best {
    fn new(latest: bool, data_type: &DataType) -> Self {
        let values = vec![new_null_array(data_type, 1)];
        Self { latest, values, times: vec![], places: vec![] }
    }

    fn resize(&mut self, groups: usize) {
        self.times.resize(groups, 0);
        self.places.resize(groups, NOWHERE);
    }

    /// Whether a row beats the one that a group has.
    fn beats(&self, group: usize, time: i64, place: (usize, usize)) -> Result<bool> {
        let (best, has) = (self.times[group], self.places[group]);
        if has == NOWHERE || time != best {
            return Ok(has == NOWHERE || (time > best) == self.latest);
        }
        let value =
            |(array, row): (usize, usize)| ScalarValue::try_from_array(&self.values[array], row);
        let (new, old) = (value(place)?, value(has)?);
        // NULL is the greatest, as in PostgreSQL's order.
        Ok(!new.is_null() && (old.is_null() || new < old))
    }

    fn push(
        &mut self,
        (values, times): (&ArrayRef, &ArrayRef),
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let times = cast(times, &DataType::Int64)?;
        let times = times.as_primitive::<Int64Type>();
        let array = self.values.len();
        self.values.push(Arc::clone(values));
        for (row, time) in times.values().iter().enumerate() {
            let kept = filter.is_none_or(|one| one.is_valid(row) && one.value(row));
            if kept && times.is_valid(row) {
                let group = group_of(row);
                if self.beats(group, *time, (array, row))? {
                    self.times[group] = *time;
                    self.places[group] = (array, row);
                }
            }
        }
        self.clear_away()
    }

    /// Gives up values that have lost when they are the most.
    fn clear_away(&mut self) -> Result<()> {
        let rows: usize = self.values.iter().map(|values| values.len()).sum();
        if rows < LOST_MAX + 2 * self.places.len() {
            return Ok(());
        }
        let won = self.take(&self.places)?;
        let null = new_null_array(won.data_type(), 1);
        for (row, place) in self.places.iter_mut().enumerate() {
            *place = if *place == NOWHERE { NOWHERE } else { (1, row) };
        }
        self.values = vec![null, won];
        Ok(())
    }

    fn take(&self, places: &[(usize, usize)]) -> Result<ArrayRef> {
        let values: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
        let taken = interleave(&values, places)?;
        // The texts of those that have lost are not kept with it.
        Ok(match taken.as_string_view_opt() {
            Some(texts) => Arc::new(texts.gc()),
            None => taken,
        })
    }
}

impl GroupsAccumulator for Best {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups_total: usize,
    ) -> Result<()> {
        self.resize(groups_total);
        let [value, time] = values else { return Ok(()) };
        self.push((value, time), |row| group_indices[row], filter)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        emit.take_needed(&mut self.times);
        let places = emit.take_needed(&mut self.places);
        self.take(&places)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let times = emit.take_needed(&mut self.times);
        let places = emit.take_needed(&mut self.places);
        let known = places.iter().map(|place| *place != NOWHERE);
        let times: Int64Array =
            times.iter().zip(known).map(|(time, has)| has.then_some(*time)).collect();
        Ok(vec![self.take(&places)?, Arc::new(times)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        groups_total: usize,
    ) -> Result<()> {
        self.update_batch(values, group_indices, None, groups_total)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let [value, time] = values else { return Ok(vec![]) };
        let time = cast(time, &DataType::Int64)?;
        let time = time.as_primitive::<Int64Type>();
        let kept = |row: &usize| filter.is_none_or(|one| one.is_valid(*row) && one.value(*row));
        let times: Int64Array = (0..time.len())
            .map(|row| (time.is_valid(row) && kept(&row)).then(|| time.value(row)))
            .collect();
        Ok(vec![Arc::clone(value), Arc::new(times)])
    }

    fn size(&self) -> usize {
        let values: usize = self.values.iter().map(|values| values.get_array_memory_size()).sum();
        values + self.times.capacity() * 8 + self.places.capacity() * 16
    }
}

#[derive(Debug)]
struct Single(Best);

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.resize(1);
        let [value, time] = values else { return Ok(()) };
        self.0.push((value, time), |_| 0, None)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.resize(1);
        ScalarValue::try_from_array(&self.0.take(&self.0.places)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let value = Accumulator::evaluate(self)?;
        let time = (self.0.places[0] != NOWHERE).then(|| self.0.times[0]);
        Ok(vec![value, ScalarValue::Int64(time)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::functions::testing::check_query;

    #[test]
    fn values_at_the_ends() {
        let rows = "(select at::date as at, v from (values ('2026-01-02', 'b'), ('2026-01-05', null), ('2026-01-01', 'z'), \
                    ('2026-01-01', 'a'), (null, 'x')) r(at, v)) t";
        check_query(&[
            ("earliest_by(v, at), latest_by(v, at)", rows, &["a", "NULL"]),
            ("latest_by(v, at) filter (where at < date '2026-01-05')", rows, &["b"]),
            ("latest_by(v, at) filter (where at < date '2025-01-05')", rows, &["NULL"]),
        ]);
    }

    /// Groups, batches, states and clearing away give what one look at all rows gives.
    #[test]
    fn agrees_with_a_sort() {
        let mut random = StdRng::seed_from_u64(3);
        for latest in [true, false] {
            let mut all = vec![];
            let mut parts =
                [Best::new(latest, &DataType::Int64), Best::new(latest, &DataType::Int64)];
            for batch in 0..40 {
                let rows = 5000;
                let times: Vec<Option<i64>> = (0..rows)
                    .map(|_| random.random_bool(0.9).then(|| random.random_range(0..400)))
                    .collect();
                let values: Vec<i64> = (0..rows).map(|_| random.random_range(0..1000)).collect();
                let groups: Vec<usize> = (0..rows).map(|_| random.random_range(0..50)).collect();
                let arrays: [ArrayRef; 2] = [
                    Arc::new(Int64Array::from(values.clone())),
                    Arc::new(Int64Array::from(times.clone())),
                ];
                parts[batch % 2].update_batch(&arrays, &groups, None, 50).unwrap();
                all.extend(groups.into_iter().zip(times).zip(values));
            }
            let [mut one, mut other] = parts;
            let state = other.state(EmitTo::All).unwrap();
            one.merge_batch(&state, &(0..50).collect::<Vec<_>>(), 50).unwrap();
            let found = one.evaluate(EmitTo::All).unwrap();
            for group in 0..50 {
                let own = all.iter().filter(|((one, _), _)| *one == group);
                let own = own.filter_map(|((_, time), value)| time.map(|time| (time, *value)));
                let sign = if latest { -1 } else { 1 };
                let best = own.min_by_key(|(time, value)| (sign * time, *value)).unwrap();
                assert_eq!(found.as_primitive::<Int64Type>().value(group), best.1);
            }
        }
    }
}
