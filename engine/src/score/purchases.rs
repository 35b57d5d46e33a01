//! Rows of purchases → customers.
//!
//! As long as the lines of a customer come in the order of their times, all that is asked of the
//! customer is a few numbers that each line changes ([`Tally`]). Where a line comes late, the lines
//! of those customers are read once more and sorted.

use clientele_recommend::btyd::Summary;
use clientele_recommend::btyd::gamma_gamma::Spent;
use clientele_udfs::functions::argument;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use futures::StreamExt;

use super::buyer::Buyer;
use crate::error::{Error, Result};
use crate::functions::calls::{Call, Keys, Part};

/// Microseconds of a day.
pub(super) const DAY_US: f64 = 86_400e6;
/// Days of a month, on average.
const MONTH_DAYS: f64 = 30.436_875;

/// A line of a purchase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Microseconds since 1970.
    pub(super) at: i64,
    /// What was paid.
    pub(super) amount: f64,
    /// Number of the order; `u32::MAX` where orders are not told apart.
    pub(super) order: u32,
}

/// What is known of a customer after some lines, in the order of their times.
pub(super) trait Tally: Copy {
    /// After the first line.
    fn of(line: Line) -> Self;
    /// The time of the last line.
    fn last(&self) -> i64;
    /// After one more line, none before the last. Lines of `unit_us` microseconds may be one.
    fn add(&mut self, line: Line, unit_us: f64);
}

/// Everybody's purchases, tallied.
pub(super) struct Purchases<T> {
    /// The customers.
    pub(super) keys: Keys,
    /// By number of the customer; `None`: none of the lines counts.
    pub(super) all: Vec<Option<T>>,
    /// How many orders each has, where orders are told apart.
    pub(super) orders: Option<Vec<i64>>,
    /// The instant from which customers are seen, microseconds since 1970.
    pub(super) as_of: i64,
}

impl<T: Tally> Purchases<T> {
    /// From argument `purchases`: customer, time, amount and order, of which the last two may be
    /// left out. What comes after `as_of` is not known yet.
    ///
    /// # Errors
    /// 42804 for columns of the wrong type, 22003 for an amount that is no number.
    pub(super) async fn read(call: &Call, part: &Part, unit_us: f64) -> Result<Self> {
        let mut reader = Reader::new(call, part)?;
        let (mut all, mut late): (Vec<Option<T>>, Vec<bool>) = (Vec::new(), Vec::new());
        let mut ordered: Vec<(u32, u32)> = Vec::new();
        reader
            .each(|customer, line| {
                let place = customer as usize;
                if place >= all.len() {
                    all.resize(place + 1, None);
                }
                match &mut all[place] {
                    Some(tally) if tally.last() <= line.at => tally.add(line, unit_us),
                    Some(_) => {
                        late.resize(late.len().max(place + 1), false);
                        late[place] = true;
                    }
                    slot => *slot = Some(T::of(line)),
                }
                if line.order != u32::MAX {
                    ordered.push((customer, line.order));
                }
            })
            .await?;
        if !late.is_empty() {
            let mut lines: Vec<(u32, Line)> = Vec::new();
            reader
                .each(|customer, line| {
                    if late.get(customer as usize) == Some(&true) {
                        lines.push((customer, line));
                    }
                })
                .await?;
            retally(lines, unit_us, &mut all);
        }
        let orders = reader.has_orders().then(|| orders(ordered, all.len()));
        Ok(Self { keys: reader.keys, all, orders, as_of: reader.as_of })
    }

    /// The customers of whom something is known.
    pub(super) fn known(&self) -> impl Iterator<Item = (u32, &T)> {
        let numbered = (0..).zip(&self.all);
        numbered.filter_map(|(customer, tally)| Some((customer, tally.as_ref()?)))
    }
}

impl Purchases<Buyer> {
    /// What the models ask.
    pub(super) fn summaries(&self, unit_us: f64) -> Vec<(u32, Summary, Spent)> {
        let summary = |(customer, buyer): (u32, &Buyer)| {
            let (summary, spent) = buyer.summary(unit_us, self.as_of);
            (customer, summary, spent)
        };
        self.known().map(summary).collect()
    }
}

/// Tallies lines of some customers in the order of their times.
fn retally<T: Tally>(mut lines: Vec<(u32, Line)>, unit_us: f64, all: &mut [Option<T>]) {
    lines.sort_by_key(|(customer, line)| (*customer, line.at));
    for own in lines.chunk_by(|one, other| one.0 == other.0) {
        let Some(((customer, first), others)) = own.split_first() else { continue };
        let mut tally = T::of(*first);
        others.iter().for_each(|(_, line)| tally.add(*line, unit_us));
        all[*customer as usize] = Some(tally);
    }
}

/// How many different orders each of so many customers has.
fn orders(mut ordered: Vec<(u32, u32)>, customers: usize) -> Vec<i64> {
    ordered.sort_unstable();
    ordered.dedup();
    let mut counts = vec![0; customers];
    for (customer, _) in ordered {
        counts[customer as usize] += 1;
    }
    counts
}

/// Reads lines.
struct Reader<'a> {
    call: &'a Call,
    part: &'a Part,
    keys: Keys,
    orders: Option<Keys>,
    as_of: i64,
}

impl<'a> Reader<'a> {
    fn new(call: &'a Call, part: &'a Part) -> Result<Self> {
        let input = call.input(part, ("purchases", 2..=4))?;
        let schema = input.schema();
        let keys = Keys::new(schema.field(0).data_type())?;
        let orders = schema.fields().get(3).map(|order| Keys::new(order.data_type()));
        let as_of = match call.value("as_of") {
            Some(ScalarValue::TimestampMicrosecond(Some(instant), _)) => *instant,
            _ => call.context.started_at.timestamp_micros(),
        };
        Ok(Self { call, part, keys, orders: orders.transpose()?, as_of })
    }

    fn has_orders(&self) -> bool {
        self.orders.is_some()
    }

    /// Reads all lines, as they are stored where the query keeps their order.
    async fn each(&mut self, mut take: impl FnMut(u32, Line)) -> Result<()> {
        let input = self.call.input(self.part, ("purchases", 2..=4))?;
        let mut batches = self.part.open_in_order(input)?;
        while let Some(batch) = batches.next().await {
            self.take(&batch?, &mut take)?;
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    fn take(&mut self, batch: &RecordBatch, take: &mut impl FnMut(u32, Line)) -> Result<()> {
        let customers = self.keys.number(batch.column(0))?;
        let times = times(batch.column(1))?;
        let amounts = batch.columns().get(2).map(amounts).transpose()?;
        let orders = match (&mut self.orders, batch.columns().get(3)) {
            (Some(keys), Some(column)) => Some(keys.number(column)?),
            _ => None,
        };
        for (row, customer) in customers.into_iter().enumerate() {
            // A line of nobody, of no time, or of later is none.
            if customer == u32::MAX || times.is_null(row) || times.value(row) > self.as_of {
                continue;
            }
            let amount = amounts.as_ref().filter(|one| one.is_valid(row));
            let amount = amount.map_or(0.0, |one| one.value(row));
            if !amount.is_finite() {
                return Err(Error::new("22003", "amount of a purchase is out of range"));
            }
            let order = orders.as_ref().map_or(u32::MAX, |orders| orders[row]);
            take(customer, Line { at: times.value(row), amount, order });
        }
        Ok(())
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

fn amounts(column: &ArrayRef) -> Result<Float64Array> {
    // Numbers of any scale are none to Arrow.
    let amounts = argument::cast(column, &DataType::Float64)?;
    Ok(amounts.as_primitive::<Float64Type>().clone())
}

fn times(column: &ArrayRef) -> Result<TimestampMicrosecondArray> {
    if !matches!(column.data_type(), DataType::Timestamp(..) | DataType::Date32) {
        return Err(Error::new("42804", "the second column of purchases must be a time"));
    }
    let times = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    Ok(times.as_primitive::<TimestampMicrosecondType>().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::rfm::Value;

    fn line(at: i64, amount: f64) -> Line {
        Line { at, amount, order: u32::MAX }
    }

    #[test]
    fn late_lines_count_as_if_they_had_come_in_time() {
        let mut all = vec![None, Some(Value::of(line(9, 1.0)))];
        let lines = vec![(1, line(9, 1.0)), (1, line(5, 2.0)), (1, line(9, 4.0))];
        retally(lines, 1.0, &mut all);
        let value = all[1].unwrap();
        assert_eq!((value.frequency.get(), value.monetary, value.last()), (2, 7.0, 9));
        assert!(all[0].is_none());
    }

    #[test]
    fn lines_of_an_order_are_one() {
        assert_eq!(orders(vec![(0, 3), (2, 1), (0, 3), (0, 4)], 3), [2, 0, 1]);
    }
}
