//! What levels weigh together: agreement that follows from other agreement is not counted twice.
//!
//! Fellegi and Sunter add the weights of the comparisons as if they were independent. Among
//! records of different people they are not: who shares a postcode shares the city, who shares a
//! phone often shares the family name. For each field, the share of agreement among surely
//! different records that agree on another, more telling field, bounds what it can add to it.

use super::em::{Table, level};
use super::sample::Histogram;

/// Agreement on one comparison that often comes with agreement on another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    /// The comparison that tells less.
    pub comparison: usize,
    /// The comparison that it follows from.
    pub given: usize,
    /// How often different records that agree on `given` agree on `comparison`, too.
    pub u: f64,
}

/// Weights of levels and their bounds; in natural logarithms or in bits, as its maker likes.
#[derive(Debug, Clone)]
pub(crate) struct Weighing {
    pub(crate) levels: Table,
    /// For each field, the fields that it follows from and the most that it then adds.
    bounds: Vec<Vec<(usize, f64)>>,
}

impl Weighing {
    /// Natural logarithms of m/u.
    pub(crate) fn new(m: &Table, u: &Table, dependences: &[Dependence]) -> Self {
        let ratio = |(m, u): (&f64, &f64)| if *m > 0.0 && *u > 0.0 { (m / u).ln() } else { 0.0 };
        let row = |(m, u): (&[f64; 16], &[f64; 16])| {
            let mut row = [0.0; 16];
            row.iter_mut().zip(m.iter().zip(u)).skip(1).for_each(|(row, mu)| *row = ratio(mu));
            row
        };
        let levels: Table = m.iter().zip(u).map(row).collect();
        let mut bounds = vec![Vec::new(); m.len()];
        for dependence in dependences {
            let field = dependence.comparison;
            let top = m[field].iter().rposition(|m| *m > 0.0).unwrap_or(0);
            let most = (m[field][top] / dependence.u).ln().max(0.0);
            bounds[field].push((dependence.given, most));
        }
        Self { levels, bounds }
    }

    /// The fields that agree at all, as bits.
    pub(crate) fn agreeing(&self, vector: u64) -> u32 {
        let fields = self.levels.iter().enumerate();
        fields.fold(0, |bits, (field, row)| {
            bits | u32::from(row[level(vector, field)] > 0.0) << field
        })
    }

    /// The most that a field adds when these others agree.
    pub(crate) fn bound(&self, field: usize, agreeing: u32) -> f64 {
        let given = self.bounds[field].iter().filter(|(given, _)| agreeing >> given & 1 == 1);
        given.map(|(_, most)| *most).fold(f64::INFINITY, f64::min)
    }

    /// The weight of a vector but for the fields that a block was made of, on which both agree.
    pub(crate) fn weight(&self, vector: u64, blocked: u32) -> f64 {
        let agreeing = self.agreeing(vector) | blocked;
        let fields = self.levels.iter().enumerate().filter(|(field, _)| blocked >> field & 1 == 0);
        fields
            .map(|(field, row)| match row[level(vector, field)] {
                weight if weight > 0.0 => weight.min(self.bound(field, agreeing)),
                weight => weight,
            })
            .sum()
    }
}

/// The probability of a match under which two records are surely different.
const SURELY: f64 = 0.02;
/// A share of agreement from which one field is said to follow from another.
const FOLLOWS: f64 = 0.4;
/// Pairs of surely different records that must have been seen.
const SEEN: f64 = 30.0;

/// What follows from agreement on field `given`, from pairs that agree on it.
pub(crate) fn dependences(
    pairs: &Histogram,
    given: usize,
    weighing: &Weighing,
    (m, u): (&Table, &Table),
) -> Vec<Dependence> {
    let top = |field: usize| m[field].iter().rposition(|m| *m > 0.0).unwrap_or(0);
    let mut found = Vec::new();
    for field in 0..u.len() {
        // The more telling field comes first: agreement on it is counted in full.
        if field == given || u[field][top(field)] <= u[given][top(given)] {
            continue;
        }
        let different = different(pairs, weighing, 1 << field | 1 << given);
        let (mut agree, mut all) = (0.0, 0.0);
        for ((vector, _), count) in pairs.iter().zip(different) {
            let reached = level(*vector, field);
            if reached > 0 {
                all += count;
                agree += if weighing.levels[field][reached] > 0.0 { count } else { 0.0 };
            }
        }
        let usual = u[field].iter().zip(&weighing.levels[field]).filter(|(_, w)| **w > 0.0);
        let usual: f64 = usual.map(|(u, _)| u).sum();
        let share = (agree + 1.0) / (all + 2.0);
        if all >= SEEN && share > FOLLOWS.max(3.0 * usual) {
            found.push(Dependence { comparison: field, given, u: share });
        }
    }
    found
}

/// How many pairs of each vector are surely of different entities, told by the fields not left out.
fn different(pairs: &Histogram, weighing: &Weighing, left_out: u32) -> Vec<f64> {
    let weights: Vec<f64> =
        pairs.iter().map(|(vector, _)| weighing.weight(*vector, left_out)).collect();
    let total: f64 = pairs.iter().map(|(_, count)| count).sum();
    let mut lambda = 0.2f64;
    let matches = |lambda: f64| {
        let odds = (lambda / (1.0 - lambda)).ln();
        let both = pairs.iter().zip(&weights);
        both.map(move |((_, count), weight)| count / (1.0 + (-odds - weight).exp()))
    };
    for _ in 0..20 {
        lambda = (matches(lambda).sum::<f64>() / total.max(1.0)).clamp(1e-9, 0.999);
    }
    let sure = |((_, count), matched): (&(u64, f64), f64)| {
        if matched < SURELY * count { *count } else { 0.0 }
    };
    pairs.iter().zip(matches(lambda)).map(sure).collect()
}
