//! A customer as the models of buying see one.

use std::num::NonZeroU32;

use clientele_recommend::btyd::Summary;
use clientele_recommend::btyd::gamma_gamma::Spent;

use super::purchases::{Line, Tally};

/// Purchases of one period are one, and those of the first one count as the beginning, not as a
/// purchase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buyer {
    /// Microseconds since 1970.
    first: i64,
    last: i64,
    periods: NonZeroU32,
    /// After the first period.
    spent: f64,
}

impl Buyer {
    fn period(&self, at: i64, unit_us: f64) -> f64 {
        ((at - self.first) as f64 / unit_us).floor()
    }

    /// Recency and age in units.
    pub(super) fn summary(&self, unit_us: f64, as_of: i64) -> (Summary, Spent) {
        let units = |until: i64| (until - self.first) as f64 / unit_us;
        let frequency = f64::from(self.periods.get() - 1);
        let (recency, monetary) = match frequency > 0.0 {
            true => (units(self.last), self.spent / frequency),
            false => (0.0, 0.0),
        };
        (Summary { frequency, recency, age: units(as_of) }, Spent { frequency, monetary })
    }
}

impl Tally for Buyer {
    fn of(line: Line) -> Self {
        Self { first: line.at, last: line.at, periods: NonZeroU32::MIN, spent: 0.0 }
    }

    fn last(&self) -> i64 {
        self.last
    }

    fn add(&mut self, line: Line, unit_us: f64) {
        let period = self.period(line.at, unit_us);
        if period > 0.0 {
            self.spent += line.amount;
            if line.at > self.last && period > self.period(self.last, unit_us) {
                self.periods = self.periods.saturating_add(1);
            }
        }
        self.last = line.at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purchases_of_a_period_are_one() {
        let line = |at: i64, amount| Line { at, amount, order: u32::MAX };
        let mut buyer = Buyer::of(line(100, 8.0));
        for (at, amount) in [(105, 8.0), (110, 1.0), (119, 2.0), (145, 5.0)] {
            buyer.add(line(at, amount), 10.0);
        }
        let (summary, spent) = buyer.summary(10.0, 150);
        assert_eq!((summary.frequency, summary.recency, summary.age), (2.0, 4.5, 5.0));
        assert_eq!(spent.monetary, 4.0);
        let (once, spent) = Buyer::of(line(100, 8.0)).summary(10.0, 150);
        assert_eq!((once.frequency, once.recency, spent.monetary), (0.0, 0.0, 0.0));
    }
}
