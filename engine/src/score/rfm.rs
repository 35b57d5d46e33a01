//! `score.rfm`: recency, frequency, monetary value, and the fifth of the customers for each.
//!
//! Edges are values: customers with the same value are in the same fifth, whatever their order.

use std::num::NonZeroU32;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, StringViewArray, UInt32Array, make_view,
};
use datafusion::arrow::compute::take;
use futures::{StreamExt, stream};

use super::purchases::{DAY_US, Line, Purchases, Tally};
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part};

/// What a customer is worth. Lines of one time are one purchase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    last: i64,
    pub(super) frequency: NonZeroU32,
    pub(super) monetary: f64,
}

impl Tally for Value {
    fn of(line: Line) -> Self {
        Self { last: line.at, frequency: NonZeroU32::MIN, monetary: line.amount }
    }

    fn last(&self) -> i64 {
        self.last
    }

    fn add(&mut self, line: Line, _unit_us: f64) {
        if line.at > self.last {
            self.frequency = self.frequency.saturating_add(1);
        }
        self.last = line.at;
        self.monetary += line.amount;
    }
}

/// The rows.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let bins = call.count("bins", (1, 9))?.unwrap_or(5) as i32;
    let purchases = Purchases::<Value>::read(&call, &part, DAY_US).await?;
    let known: Vec<(u32, &Value)> = purchases.known().collect();
    let days = |last: i64| ((purchases.as_of - last) as f64 / DAY_US).floor();
    let recency: Vec<f64> = known.iter().map(|(_, one)| days(one.last)).collect();
    let frequency = known.iter().map(|(customer, one)| match &purchases.orders {
        Some(orders) => orders[*customer as usize],
        None => i64::from(one.frequency.get()),
    });
    let frequency: Vec<i64> = frequency.collect();
    let monetary: Vec<f64> = known.iter().map(|(_, one)| one.monetary).collect();
    let r = bands(&recency.iter().map(|days| -days).collect::<Vec<_>>(), bins);
    let f = bands(&frequency.iter().map(|count| *count as f64).collect::<Vec<_>>(), bins);
    let m = bands(&monetary, bins);
    let cells = r.iter().zip(&f).zip(&m).map(|((r, f), m)| cell([*r, *f, *m]));
    let cells: Vec<u128> = cells.collect();
    let customers: UInt32Array = known.iter().map(|(customer, _)| *customer).collect();
    let days = recency.iter().map(|days| days.clamp(0.0, f64::from(i32::MAX)) as i32);
    let columns: Vec<ArrayRef> = vec![
        take(&purchases.keys.values()?, &customers, None)?,
        Arc::new(days.collect::<Int32Array>()),
        Arc::new(Int64Array::from(frequency)),
        Arc::new(Float64Array::from(monetary)),
        Arc::new(Int32Array::from(r)),
        Arc::new(Int32Array::from(f)),
        Arc::new(Int32Array::from(m)),
        Arc::new(StringViewArray::try_new(cells.into(), Vec::new(), None)?),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}

/// In which of so many bands each value is: by the share of values below it.
fn bands(values: &[f64], bins: i32) -> Vec<i32> {
    let edges = edges(values, bins);
    let band = |value: &f64| 1 + edges.iter().map(|edge| i32::from(edge <= value)).sum::<i32>();
    values.iter().map(band).collect()
}

/// The least value of each band but the first. A band that no value is in has the edge of the next.
fn edges(values: &[f64], bins: i32) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len();
    let band_of = |below: usize| (below as f64 / count as f64 * f64::from(bins)) as i32;
    let edge = |band: i32| {
        let about = count * band as usize / bins as usize;
        let first = (about.saturating_sub(1)..count).find(|below| band_of(*below) >= band)?;
        let value = sorted[first];
        // Equal values are in one band: that of the first of them.
        let is_first = first == 0 || sorted[first - 1] < value;
        let others = sorted.partition_point(|one| *one <= value);
        if is_first { Some(value) } else { sorted.get(others).copied() }
    };
    (1..bins).filter_map(edge).collect()
}

/// The bands of a customer as text.
fn cell(bands: [i32; 3]) -> u128 {
    make_view(&bands.map(|band| b'0' + band as u8), 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_in_the_same_band() {
        assert_eq!(bands(&[1.0, 2.0, 3.0, 4.0, 5.0], 5), [1, 2, 3, 4, 5]);
        assert_eq!(bands(&[7.0, 1.0, 1.0, 1.0, 9.0], 5), [4, 1, 1, 1, 5]);
        assert_eq!(bands(&[3.0, 3.0], 5), [1, 1]);
        assert!(bands(&[], 5).is_empty());
        // Edges are those that counting the values below gives, one after the other.
        for (count, spread, bins) in [(1, 1, 9), (7, 3, 5), (100, 7, 4), (1000, 900, 9)] {
            let values: Vec<f64> =
                (0..count).map(|at| f64::from(at * 7919 % 1009 % spread)).collect();
            let band = |value: &f64| {
                let below = values.iter().filter(|one| *one < value).count() as f64;
                (below / f64::from(count) * f64::from(bins)) as i32 + 1
            };
            assert_eq!(bands(&values, bins), values.iter().map(band).collect::<Vec<_>>());
        }
    }
}
