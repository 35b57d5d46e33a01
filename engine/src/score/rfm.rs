//! `score.rfm`: recency, frequency, monetary value, and the fifth of the customers for each.
//!
//! Edges are values: customers with the same value are in the same fifth, whatever their order.

use std::num::NonZeroU32;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, StringViewArray, UInt32Array,
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
    let cells = r.iter().zip(&f).zip(&m).map(|((r, f), m)| format!("{r}{f}{m}"));
    let customers: UInt32Array = known.iter().map(|(customer, _)| *customer).collect();
    let days = recency.iter().map(|days| days.clamp(0.0, f64::from(i32::MAX)) as i32);
    let columns: Vec<ArrayRef> = vec![
        take(&purchases.keys.values()?, &customers, None)?,
        Arc::new(days.collect::<Int32Array>()),
        Arc::new(Int64Array::from(frequency)),
        Arc::new(Float64Array::from(monetary)),
        Arc::new(Int32Array::from(r.clone())),
        Arc::new(Int32Array::from(f.clone())),
        Arc::new(Int32Array::from(m.clone())),
        Arc::new(StringViewArray::from_iter_values(cells)),
    ];
    let batch = builtin::fitted(&part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}

/// In which of so many bands each value is: by the share of values below it.
fn bands(values: &[f64], bins: i32) -> Vec<i32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len().max(1) as f64;
    let band = |value: &f64| {
        let below = sorted.partition_point(|one| one < value) as f64;
        ((below / count * f64::from(bins)) as i32).min(bins - 1) + 1
    };
    values.iter().map(band).collect()
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
    }
}
