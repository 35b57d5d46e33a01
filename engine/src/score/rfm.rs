//! `score.rfm`: recency, frequency, monetary value, and the fifth of the customers for each.
//!
//! Edges are values: customers with the same value are in the same fifth, whatever their order.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, StringViewArray, UInt32Array,
};
use datafusion::arrow::compute::take;
use futures::{StreamExt, stream};

use super::purchases::{DAY_US, Purchase, Purchases};
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part};

/// One customer.
struct Row {
    customer: u32,
    recency_days: i32,
    frequency: i64,
    monetary: f64,
}

/// The rows.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let bins = call.count("bins", (1, 9))?.unwrap_or(5) as i32;
    let purchases = Purchases::read(&call, &part).await?;
    let rows: Vec<Row> =
        purchases.by_customer().filter_map(|own| row(own, purchases.as_of)).collect();
    let band = |of: fn(&Row) -> f64| bands(&rows.iter().map(of).collect::<Vec<_>>(), bins);
    let r = band(|row| -f64::from(row.recency_days));
    let f = band(|row| row.frequency as f64);
    let m = band(|row| row.monetary);
    let cells = r.iter().zip(&f).zip(&m).map(|((r, f), m)| format!("{r}{f}{m}"));
    let customers: UInt32Array = rows.iter().map(|row| row.customer).collect();
    let columns: Vec<ArrayRef> = vec![
        take(&purchases.keys.values()?, &customers, None)?,
        Arc::new(rows.iter().map(|row| row.recency_days).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.frequency).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.monetary).collect::<Float64Array>()),
        Arc::new(Int32Array::from(r.clone())),
        Arc::new(Int32Array::from(f.clone())),
        Arc::new(Int32Array::from(m.clone())),
        Arc::new(StringViewArray::from_iter_values(cells)),
    ];
    let batch = builtin::fitted(part.schema, &columns);
    Ok(stream::iter([batch]).boxed())
}

fn row(own: &[Purchase], as_of: i64) -> Option<Row> {
    let (first, last) = (own.first()?, own.last()?);
    let days = ((as_of - last.at) as f64 / DAY_US).floor();
    let mut orders: Vec<(u32, i64)> =
        own.iter().map(|one| (one.order, if one.order == u32::MAX { one.at } else { 0 })).collect();
    orders.sort_unstable();
    orders.dedup();
    Some(Row {
        customer: first.customer,
        recency_days: days.clamp(0.0, f64::from(i32::MAX)) as i32,
        frequency: orders.len() as i64,
        monetary: own.iter().map(|one| one.amount).sum(),
    })
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
