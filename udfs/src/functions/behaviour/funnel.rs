//! `funnel`: how far customers get on a way of several steps.
//!
//! ClickHouse's `windowFunnel` (manual, "Parametric aggregate functions") in its default mode: the
//! steps must be met in order, by different rows, the last one no later than the window after the
//! first; rows that meet other steps may lie between. The result is the longest such chain.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::AggregateUDF;

use super::timeline::{CONDITIONS_MAX, Declared, Entry, Rule, met, microseconds, udaf};
use crate::types::PgType;

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    vec![udaf(&FUNNEL)]
}

static FUNNEL: Declared = Declared {
    name: "funnel",
    time: 1,
    constants: &[(0, DataType::Interval(IntervalUnit::MonthDayNano))],
    conditions: true,
    optional: 0,
    result: PgType::INT4,
    rule: |constants, steps| {
        let window = microseconds("window", constants.first().unwrap_or(&ScalarValue::Null))?;
        Ok(Box::new(Funnel { window, steps }))
    },
};

#[derive(Debug)]
struct Funnel {
    window: i64,
    steps: usize,
}

/// No chain has come so far.
const NONE: i64 = i64::MIN;

impl Rule for Funnel {
    /// For each step the latest beginning of a chain up to it: whatever comes later, that chain
    /// has the most time left.
    fn run(&mut self, rows: &[Entry]) -> i64 {
        let mut begins = [NONE; CONDITIONS_MAX];
        let mut reached = 0;
        for entry in rows {
            let (at, mut steps) = (entry.0, met(*entry));
            // From the last step on: one row is not two steps of a chain.
            while steps != 0 {
                let step = (CONDITIONS_MAX - 1) - steps.trailing_zeros() as usize;
                steps &= steps - 1;
                let begin = match step {
                    0 => at,
                    step => begins[step - 1],
                };
                if begin != NONE && at.saturating_sub(begin) <= self.window {
                    begins[step] = begin;
                    reached = reached.max(step + 1);
                }
            }
            if reached == self.steps {
                break;
            }
        }
        i64::try_from(reached).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::functions::testing::check_query;

    #[test]
    fn funnels() {
        let rows = "(select at::timestamp as at, event from (values ('2026-01-01 10:00:00', 'visit'), \
                    ('2026-01-01 10:05:00', 'cart'), ('2026-01-02 10:00:00', 'visit'), \
                    ('2026-01-03 10:04:00', 'buy')) v(at, event)) t";
        let funnel = |window: &str| {
            format!(
                "funnel(interval '{window}', at, event = 'visit', event = 'cart', event = 'buy')"
            )
        };
        check_query(&[
            (&funnel("3 days"), rows, &["3"]),
            (&funnel("2 days"), rows, &["2"]),
            (&funnel("1 minute"), rows, &["1"]),
            ("funnel(interval '1 day', at, event = 'x')", rows, &["0"]),
            ("funnel(interval '1 day', at, event = 'visit', true)", rows, &["2"]),
        ]);
    }

    /// The longest chain, by trying all.
    fn longest(rows: &[Entry], window: i64, from: usize, step: usize, begin: i64) -> usize {
        let bit = (1 << 31) >> step;
        let next = (from..rows.len()).filter(|at| met(rows[*at]) & bit != 0);
        let fits = next.filter(|at| step == 0 || rows[*at].0 - begin <= window);
        let chains = fits.map(|at| {
            let begin = if step == 0 { rows[at].0 } else { begin };
            1 + if step < 3 { longest(rows, window, at + 1, step + 1, begin) } else { 0 }
        });
        chains.max().unwrap_or(0)
    }

    #[test]
    fn finds_the_longest_chain() {
        let mut random = StdRng::seed_from_u64(7);
        for _ in 0..3000 {
            let window = random.random_range(0..20);
            let rows = random.random_range(0..14);
            let mut rows: Vec<Entry> = (0..rows)
                .map(|_| (random.random_range(0..30), !(random.random_range(1_u32..16) << 28)))
                .collect();
            rows.sort_unstable();
            let found = Funnel { window, steps: 4 }.run(&rows);
            assert_eq!(found as usize, longest(&rows, window, 0, 0, 0), "{window} {rows:?}");
        }
    }
}
