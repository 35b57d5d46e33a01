//! `sequence_match`, `sequence_count`: patterns over a customer's rows in order of time.
//!
//! The patterns of ClickHouse's `sequenceMatch` (manual, "Parametric aggregate functions"):
//!
//! | part | matches |
//! |---|---|
//! | `(?1)` | a row that meets the first condition |
//! | `.` | any row that meets some condition |
//! | `.*` | any number of them |
//! | `(?t<=3600)` | any number of them, if the rows at its sides are that many seconds apart |
//!
//! Rows that meet no condition are not looked at; parts that stand side by side match rows that do.
//! A row is one part. Where ClickHouse tries one way after the other and gives up after a million
//! steps, this is one walk over the rows, with the times at which each part was met.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::AggregateUDF;

use super::timeline::{CONDITIONS_MAX, Declared, Entry, Rule, met, udaf};
use crate::types::PgType;
use crate::{Result, ValueError};

pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    vec![udaf(&MATCH), udaf(&COUNT)]
}

static MATCH: Declared = Declared {
    name: "sequence_match",
    time: 1,
    constants: &[(0, DataType::Utf8)],
    conditions: true,
    optional: 0,
    result: PgType::BOOL,
    rule: |constants, conditions| rule(constants, conditions, true),
};

static COUNT: Declared = Declared {
    name: "sequence_count",
    time: 1,
    constants: &[(0, DataType::Utf8)],
    conditions: true,
    optional: 0,
    result: PgType::INT8,
    rule: |constants, conditions| rule(constants, conditions, false),
};

fn rule(constants: &[ScalarValue], conditions: usize, once: bool) -> Result<Box<dyn Rule>> {
    let Some(ScalarValue::Utf8(Some(pattern))) = constants.first() else {
        return Err(ValueError::new("22004", "pattern of a sequence must not be null"));
    };
    let parts = parse(pattern, conditions)?;
    let hits = parts.iter().map(|_| Hits::default()).collect();
    Ok(Box::new(Sequence { parts, hits, once }))
}

/// What may lie between a part and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Nothing.
    Beside,
    /// Any rows.
    Any,
    /// Any rows, with so many microseconds between the two.
    Apart(i64, i64),
}

/// A row of the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    gap: Gap,
    /// The conditions one of which the row must meet.
    conditions: u32,
}

fn parse(pattern: &str, conditions: usize) -> Result<Vec<Part>> {
    let wrong = |at: usize| {
        ValueError::new("2201B", format!("invalid pattern of a sequence: \"{pattern}\""))
            .with_detail(format!("It is not understood from character {} on.", at + 1))
            .with_hint("A pattern is made of (?1), ., .* and (?t<=3600).")
    };
    let (mut parts, mut gap, mut rest) = (vec![], None, pattern);
    while !rest.is_empty() {
        let at = pattern.len() - rest.len();
        if let Some(after) = rest.strip_prefix(".*") {
            // It takes nothing away from distances that are asked for.
            gap = gap.or(Some(Gap::Any));
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix('.') {
            parts.push(Part { gap: gap.take().unwrap_or(Gap::Beside), conditions: u32::MAX });
            rest = after;
            continue;
        }
        let inside = rest.strip_prefix("(?").and_then(|inside| inside.split_once(')'));
        let (inside, after) = inside.ok_or_else(|| wrong(at))?;
        if let Some(distance) = inside.strip_prefix('t') {
            let (least, most) = apart(distance).ok_or_else(|| wrong(at))?;
            gap = Some(match gap {
                Some(Gap::Apart(low, high)) => Gap::Apart(low.max(least), high.min(most)),
                _ => Gap::Apart(least, most),
            });
        } else {
            let number: usize = inside.parse().map_err(|_| wrong(at))?;
            if number == 0 || number > conditions {
                return Err(wrong(at).with_detail(format!("There is no condition {number}.")));
            }
            let bit = (1 << (CONDITIONS_MAX - 1)) >> (number - 1);
            parts.push(Part { gap: gap.take().unwrap_or(Gap::Beside), conditions: bit });
        }
        rest = after;
    }
    let one_sided = |gap: Gap| matches!(gap, Gap::Apart(..));
    match parts.first() {
        Some(first) if !one_sided(first.gap) && !gap.is_some_and(one_sided) => Ok(parts),
        _ => Err(wrong(0).with_detail("It has no row, or a distance without rows at both sides.")),
    }
}

/// `>=60` → the smallest and the greatest distance, microseconds.
fn apart(distance: &str) -> Option<(i64, i64)> {
    let digits = distance.find(|one: char| one.is_ascii_digit())?;
    let (operator, seconds) = distance.split_at(digits);
    let length = seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    Some(match operator.trim() {
        ">=" => (length, i64::MAX),
        ">" => (length.checked_add(1)?, i64::MAX),
        "<=" => (0, length),
        "<" => (0, length.checked_sub(1)?),
        "=" | "==" => (length, length),
        _ => return None,
    })
}

/// When a part was met, as the end of a way from the first part to it.
#[derive(Debug, Default)]
struct Hits {
    /// Times that are not yet far enough away for the next part.
    near: VecDeque<i64>,
    /// The latest time that is far enough away.
    far: Option<i64>,
    /// The row of the latest one.
    row: Option<usize>,
}

impl Hits {
    fn clear(&mut self) {
        self.near.clear();
        self.far = None;
        self.row = None;
    }

    /// Whether the next part may be the row `row` at time `at`.
    fn leads_to(&mut self, gap: Gap, row: usize, at: i64) -> bool {
        match gap {
            Gap::Beside => self.row.is_some_and(|one| one + 1 == row),
            Gap::Any => self.row.is_some(),
            Gap::Apart(least, most) => {
                while let Some(time) = self.near.front().copied() {
                    if at.saturating_sub(time) < least {
                        break;
                    }
                    self.far = Some(time);
                    self.near.pop_front();
                }
                self.far.is_some_and(|time| at.saturating_sub(time) <= most)
            }
        }
    }
}

#[derive(Debug)]
struct Sequence {
    parts: Vec<Part>,
    hits: Vec<Hits>,
    once: bool,
}

impl Sequence {
    fn clear(&mut self) {
        self.hits.iter_mut().for_each(Hits::clear);
    }

    /// Takes one row; whether the pattern ends with it.
    fn step(&mut self, row: usize, entry: Entry) -> bool {
        // From the last part on: a row is one part.
        for place in (0..self.parts.len()).rev() {
            let part = self.parts[place];
            if met(entry) & part.conditions == 0 {
                continue;
            }
            let reached = match place.checked_sub(1) {
                None => true,
                Some(before) => self.hits[before].leads_to(part.gap, row, entry.0),
            };
            if !reached {
                continue;
            }
            if place + 1 == self.parts.len() {
                return true;
            }
            let timed = matches!(self.parts[place + 1].gap, Gap::Apart(..));
            let hits = &mut self.hits[place];
            hits.row = Some(row);
            if timed {
                hits.near.push_back(entry.0);
            }
        }
        false
    }
}

impl Rule for Sequence {
    fn run(&mut self, rows: &[Entry]) -> i64 {
        self.clear();
        let mut matches = 0;
        for (row, entry) in rows.iter().enumerate() {
            if self.step(row, *entry) {
                matches += 1;
                if self.once {
                    break;
                }
                self.clear();
            }
        }
        matches
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::functions::testing::check_query;

    /// The examples of ClickHouse's manual.
    #[test]
    fn sequences() {
        let rows = "(select at::timestamp as at, n from (values ('2026-01-01 00:00:01', 1), \
                    ('2026-01-01 00:00:02', 3), ('2026-01-01 00:00:03', 2)) v(at, n)) t";
        let chain = "(select at::timestamp as at, n from (values ('2026-01-01 00:00:01', 1), \
                     ('2026-01-01 00:00:02', 3), ('2026-01-01 00:00:03', 2), \
                     ('2026-01-01 00:00:04', 1), ('2026-01-01 00:00:05', 3), \
                     ('2026-01-01 00:00:06', 2)) v(at, n)) t";
        check_query(&[
            ("sequence_match('(?1)(?2)', at, n = 1, n = 2)", rows, &["t"]),
            ("sequence_match('(?1)(?2)', at, n = 1, n = 2, n = 3)", chain, &["f"]),
            ("sequence_match('(?1)(?2)', at, n = 1, n = 2, n = 4)", chain, &["t"]),
            ("sequence_match('(?1).(?2)', at, n = 1, n = 2, n = 3)", chain, &["t"]),
            ("sequence_count('(?1).*(?2)', at, n = 1, n = 2, n = 3)", chain, &["2"]),
            ("sequence_match('(?1)(?t>=5)(?2)', at, n = 1, n = 2)", chain, &["t"]),
            ("sequence_match('(?1)(?t>5)(?2)', at, n = 1, n = 2)", chain, &["f"]),
            ("sequence_match('(?2)(?t<2)(?1)', at, n = 1, n = 2)", chain, &["t"]),
            ("sequence_count('(?1)', at, n = 9)", chain, &["0"]),
        ]);
    }

    #[test]
    fn patterns() {
        for wrong in ["", "(?3)", "(?0)", "(?t>1)(?1)", "(?1)(?t>1)", "(?1", "a", "(?1)(?t~1)(?2)"]
        {
            assert_eq!(parse(wrong, 2).unwrap_err().sqlstate, "2201B", "{wrong}");
        }
        let part = |gap, conditions| Part { gap, conditions };
        assert_eq!(
            parse("(?1).*(?t>=2)(?t<5)(?2).*", 2).unwrap(),
            [part(Gap::Beside, 1 << 31), part(Gap::Apart(2_000_000, 4_999_999), 1 << 30)],
        );
    }

    /// Whether the parts from `place` on can be met from row `from` on, by trying all.
    fn follows(parts: &[Part], rows: &[Entry], from: usize, before: Option<i64>) -> bool {
        let Some((part, rest)) = parts.split_first() else { return true };
        (from..rows.len()).any(|row| {
            let between = match (before, part.gap) {
                (None, _) | (_, Gap::Any) => true,
                (Some(_), Gap::Beside) => row == from,
                (Some(before), Gap::Apart(least, most)) => {
                    (least..=most).contains(&(rows[row].0 - before))
                }
            };
            between
                && met(rows[row]) & part.conditions != 0
                && follows(rest, rows, row + 1, Some(rows[row].0))
        })
    }

    #[test]
    fn agrees_with_trying_all() {
        let mut random = StdRng::seed_from_u64(9);
        for _ in 0..5000 {
            let parts: Vec<Part> = (0..random.random_range(1..5))
                .map(|_| Part {
                    gap: match random.random_range(0..3) {
                        0 => Gap::Beside,
                        1 => Gap::Any,
                        _ => {
                            let least = random.random_range(0..6);
                            Gap::Apart(least, least + random.random_range(0..6))
                        }
                    },
                    conditions: random.random_range(1_u32..8) << 29,
                })
                .collect();
            let mut rows: Vec<Entry> = (0..random.random_range(0..12))
                .map(|_| (random.random_range(0..20), !(random.random_range(1_u32..8) << 29)))
                .collect();
            rows.sort_unstable();
            let hits = parts.iter().map(|_| Hits::default()).collect();
            let found = Sequence { parts: parts.clone(), hits, once: true }.run(&rows) != 0;
            assert_eq!(found, follows(&parts, &rows, 0, None), "{parts:?} {rows:?}");
        }
    }
}
