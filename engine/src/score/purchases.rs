//! Rows of purchases → customers.

use clientele_recommend::btyd::Summary;
use clientele_recommend::btyd::gamma_gamma::Spent;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use datafusion::common::ScalarValue;

use crate::error::{Error, Result};
use crate::functions::calls::{Call, Keys, Part};

/// Microseconds of a day.
pub(super) const DAY_US: f64 = 86_400e6;
/// Days of a month, on average.
const MONTH_DAYS: f64 = 30.436_875;

/// A purchase of a customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purchase {
    /// Number of the customer.
    pub(super) customer: u32,
    /// Microseconds since 1970.
    pub(super) at: i64,
    /// What was paid.
    pub(super) amount: f64,
    /// Number of the order; `u32::MAX` where orders are not told apart.
    pub(super) order: u32,
}

/// Everybody's purchases, by customer and time.
pub(super) struct Purchases {
    /// The customers.
    pub(super) keys: Keys,
    /// Sorted by customer, then time.
    pub(super) all: Vec<Purchase>,
    /// The instant from which customers are seen, microseconds since 1970.
    pub(super) as_of: i64,
}

impl Purchases {
    /// From argument `purchases`: customer, time, amount and order, of which the last two may be
    /// left out. What comes after `as_of` is not known yet.
    ///
    /// # Errors
    /// 42804 for columns of the wrong type, 22003 for an amount that is no number.
    pub(super) async fn read(call: &Call, part: &Part) -> Result<Self> {
        let batches = call.query(part, ("purchases", 2..=4)).await?.unwrap_or_default();
        let as_of = match call.value("as_of") {
            Some(ScalarValue::TimestampMicrosecond(Some(instant), _)) => *instant,
            _ => call.context.started_at.timestamp_micros(),
        };
        let key = batches.first().map_or(DataType::Int64, |one| one.column(0).data_type().clone());
        let mut purchases = Self { keys: Keys::new(&key)?, all: Vec::new(), as_of };
        let mut orders = None;
        for batch in &batches {
            purchases.take(batch, &mut orders)?;
        }
        purchases.all.sort_unstable_by_key(|one| (one.customer, one.at, one.order));
        Ok(purchases)
    }

    fn take(&mut self, batch: &RecordBatch, orders: &mut Option<Keys>) -> Result<()> {
        let customers = self.keys.number(batch.column(0))?;
        let times = times(batch.column(1))?;
        let amounts = match batch.num_columns() > 2 {
            true => Some(cast(batch.column(2), &DataType::Float64)?),
            false => None,
        };
        let amounts = amounts.as_ref().map(|one| one.as_primitive::<Float64Type>());
        let order = match batch.num_columns() > 3 {
            true => {
                let column = batch.column(3);
                let keys = match orders {
                    Some(keys) => keys,
                    None => orders.insert(Keys::new(column.data_type())?),
                };
                Some(keys.number(column)?)
            }
            false => None,
        };
        for (row, customer) in customers.into_iter().enumerate() {
            // A line of nobody, of no time, or of later is none.
            if customer == u32::MAX || times.is_null(row) || times.value(row) > self.as_of {
                continue;
            }
            let amount = amounts.filter(|one| one.is_valid(row)).map_or(0.0, |one| one.value(row));
            if !amount.is_finite() {
                return Err(Error::new("22003", "amount of a purchase is out of range"));
            }
            let order = order.as_ref().map_or(u32::MAX, |order| order[row]);
            self.all.push(Purchase { customer, at: times.value(row), amount, order });
        }
        Ok(())
    }

    /// The purchases of each customer.
    pub(super) fn by_customer(&self) -> impl Iterator<Item = &[Purchase]> {
        self.all.chunk_by(|a, b| a.customer == b.customer)
    }

    /// What the models ask: purchases of one period are one, and the first one counts as the
    /// beginning, not as a purchase.
    pub(super) fn summaries(&self, unit_us: f64) -> Vec<(u32, Summary, Spent)> {
        self.by_customer().filter_map(|own| self.summary(own, unit_us)).collect()
    }

    fn summary(&self, own: &[Purchase], unit_us: f64) -> Option<(u32, Summary, Spent)> {
        let first = own.first()?;
        let period = |at: i64| ((at - first.at) as f64 / unit_us).floor();
        let (mut last, mut repeats, mut spent) = (first.at, 0.0, 0.0);
        for of_period in own.chunk_by(|a, b| period(a.at) == period(b.at)) {
            let sum: f64 = of_period.iter().map(|one| one.amount).sum();
            if period(of_period[0].at) > 0.0 {
                repeats += 1.0;
                spent += sum;
                last = of_period[of_period.len() - 1].at;
            }
        }
        let units = |from: i64, until: i64| (until - from) as f64 / unit_us;
        let (recency, age) = (units(first.at, last), units(first.at, self.as_of));
        let monetary = if repeats > 0.0 { spent / repeats } else { 0.0 };
        let summary = Summary { frequency: repeats, recency, age };
        Some((first.customer, summary, Spent { frequency: repeats, monetary }))
    }
}

/// Microseconds of argument `unit`; a day when nothing is said.
///
/// # Errors
/// 22023 for an interval that is not positive.
pub(super) fn unit(call: &Call) -> Result<f64> {
    let Some(ScalarValue::IntervalMonthDayNano(Some(one))) = call.value("unit") else {
        return Ok(DAY_US);
    };
    let days = f64::from(one.months) * MONTH_DAYS + f64::from(one.days);
    let unit = days * DAY_US + one.nanoseconds as f64 / 1e3;
    match unit > 0.0 {
        true => Ok(unit),
        false => Err(Error::new("22023", "unit must be a positive interval")),
    }
}

fn times(column: &ArrayRef) -> Result<Int64Array> {
    if !matches!(column.data_type(), DataType::Timestamp(..) | DataType::Date32) {
        return Err(Error::new("42804", "the second column of purchases must be a time"));
    }
    let times = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    Ok(cast(&times, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}
