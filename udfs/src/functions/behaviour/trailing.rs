//! `count_within`, `recurs_within`, `session_count`: how close to one another rows are.
//!
//! A window holds both its ends, as `RANGE BETWEEN … PRECEDING AND CURRENT ROW` does; a session
//! ends where the next row is further away than the gap.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::AggregateUDF;

use super::timeline::{Declared, Entry, Rule, microseconds, udaf};
use crate::ValueError;
use crate::types::PgType;

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    vec![udaf(&COUNT_WITHIN), udaf(&RECURS_WITHIN), udaf(&SESSION_COUNT)]
}

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

static COUNT_WITHIN: Declared = Declared {
    name: "count_within",
    time: 0,
    constants: &[(1, INTERVAL)],
    conditions: false,
    optional: 0,
    result: PgType::INT8,
    rule: |constants, _| Ok(Box::new(Most { window: length("window", constants)? })),
};

static RECURS_WITHIN: Declared = Declared {
    name: "recurs_within",
    time: 0,
    constants: &[(1, INTERVAL), (2, DataType::Int32)],
    conditions: false,
    optional: 1,
    result: PgType::BOOL,
    rule: |constants, _| {
        let times = match constants.get(1) {
            None => Some(2),
            Some(ScalarValue::Int32(Some(times))) => usize::try_from(*times).ok(),
            Some(_) => None,
        };
        let times = times.filter(|times| *times > 0).ok_or_else(|| {
            ValueError::new("22023", "number of recurrences must be greater than zero")
        })?;
        Ok(Box::new(Recurs { window: length("window", constants)?, times }))
    },
};

static SESSION_COUNT: Declared = Declared {
    name: "session_count",
    time: 0,
    constants: &[(1, INTERVAL)],
    conditions: false,
    optional: 0,
    result: PgType::INT8,
    rule: |constants, _| Ok(Box::new(Sessions { gap: length("gap", constants)? })),
};

fn length(what: &str, constants: &[ScalarValue]) -> crate::Result<i64> {
    microseconds(what, constants.first().unwrap_or(&ScalarValue::Null))
}

#[derive(Debug)]
struct Most {
    window: i64,
}

impl Rule for Most {
    fn run(&mut self, rows: &[Entry]) -> i64 {
        let (mut first, mut most) = (0, 0);
        for (at, entry) in rows.iter().enumerate() {
            while entry.0.saturating_sub(rows[first].0) > self.window {
                first += 1;
            }
            most = most.max(at + 1 - first);
        }
        i64::try_from(most).unwrap_or(i64::MAX)
    }
}

#[derive(Debug)]
struct Recurs {
    window: i64,
    times: usize,
}

impl Rule for Recurs {
    fn run(&mut self, rows: &[Entry]) -> i64 {
        let close = |run: &[Entry]| run[self.times - 1].0.saturating_sub(run[0].0) <= self.window;
        i64::from(rows.windows(self.times).any(close))
    }
}

#[derive(Debug)]
struct Sessions {
    gap: i64,
}

impl Rule for Sessions {
    fn run(&mut self, rows: &[Entry]) -> i64 {
        let far = |pair: &&[Entry]| pair[1].0.saturating_sub(pair[0].0) > self.gap;
        let breaks = rows.windows(2).filter(far).count();
        i64::try_from(breaks + usize::from(!rows.is_empty())).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::functions::testing::check_query;

    #[test]
    fn windows_hold_both_ends() {
        let rows = "(select d::date as d from (values ('2026-03-01'), ('2026-01-31'), \
                    ('2026-01-01'), (null), ('2026-05-01')) v(d)) t";
        check_query(&[
            ("count_within(d, interval '30 days')", rows, &["2"]),
            ("count_within(d, interval '59 days')", rows, &["3"]),
            ("count_within(d, interval '58 days')", rows, &["2"]),
            ("recurs_within(d, interval '29 days')", rows, &["t"]),
            ("recurs_within(d, interval '28 days')", rows, &["f"]),
            ("recurs_within(d, interval '59 days', 3)", rows, &["t"]),
            ("session_count(d, interval '30 days')", rows, &["2"]),
            ("session_count(d, interval '29 days')", rows, &["3"]),
            (
                "session_count(d, interval '1 day')",
                "(select date '2026-01-01' d where false) t",
                &["0"],
            ),
            (
                "recurs_within(d, interval '1 day')",
                "(select date '2026-01-01' d where false) t",
                &["f"],
            ),
        ]);
    }

    #[test]
    fn agrees_with_counting_each_window() {
        let mut random = StdRng::seed_from_u64(8);
        for _ in 0..2000 {
            let (window, rows) = (random.random_range(0..30), random.random_range(0..20));
            let mut times: Vec<i64> = (0..rows).map(|_| random.random_range(0..60)).collect();
            times.sort_unstable();
            let rows: Vec<Entry> = times.iter().map(|at| (*at, 0)).collect();
            let within =
                |end: i64| times.iter().filter(move |at| (0..=window).contains(&(end - **at)));
            let most = times.iter().map(|end| within(*end).count()).max().unwrap_or(0) as i64;
            assert_eq!(Most { window }.run(&rows), most, "{window} {times:?}");
            for number in 1..5_usize {
                let recurs = Recurs { window, times: number }.run(&rows) != 0;
                assert_eq!(recurs, most >= number as i64, "{window} {times:?}");
            }
        }
    }
}
